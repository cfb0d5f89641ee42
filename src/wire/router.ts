/** Finds the operation of a request by method, path and static query. Compiled once; a lookup costs one walk over the path. */
import type { OperationModel } from '#wire/model.ts'

export interface RouteMatch {
  /** Name of the operation. */
  readonly operation: string
  /** The path's labels in the order of the template, still percent-encoded. */
  readonly labels: readonly string[]
}

export interface Router {
  /**
   * `path` as it stands in the request line, without the query: `%2F` and `%3A` inside a label stay what they are.
   * `query` is the raw text after the question mark. Undefined when no operation fits.
   */
  match(method: string, path: string, query: string): RouteMatch | undefined
  /** True when some operation has this path, whatever its method. */
  knows(path: string): boolean
}

interface Target {
  readonly operation: string
  /** A static part of the query such as `List=ALL`, which must be there. */
  readonly query: string | undefined
}

interface Node {
  readonly fixed: Map<string, Node>
  label: Node | undefined
  /** By method; targets with a static query come first. */
  readonly targets: Map<string, Target[]>
}

const createNode = (): Node => ({ fixed: new Map(), label: undefined, targets: new Map() })

export function createRouter(operations: Readonly<Record<string, OperationModel>>): Router {
  const root = createNode()
  for (const [operation, { method, uri }] of Object.entries(operations)) insert(root, operation, method, uri)

  return {
    match(method, path, query) {
      const labels: string[] = []
      const node = walk(root, path, 1, labels)
      const targets = node?.targets.get(method)
      const target = targets?.find((each) => each.query === undefined || hasPair(query, each.query))
      return target && { operation: target.operation, labels }
    },
    knows: (path) => (walk(root, path, 1, [])?.targets.size ?? 0) > 0,
  }
}

function insert(root: Node, operation: string, method: string, uri: string): void {
  const [path = '', query] = uri.split('?')
  let node = root
  for (const segment of path.split('/').filter((each) => each !== '')) {
    if (segment.startsWith('{')) {
      node.label ??= createNode()
      node = node.label
    } else {
      const next = node.fixed.get(segment) ?? createNode()
      node.fixed.set(segment, next)
      node = next
    }
  }
  const targets = node.targets.get(method) ?? []
  if (targets.some((each) => each.query === query)) {
    throw new Error(`Two operations share '${method} ${uri}'`)
  }
  targets.push({ operation, query })
  targets.sort((a, b) => Number(a.query === undefined) - Number(b.query === undefined))
  node.targets.set(method, targets)
}

/**
 * Walks from `start`, the index after a slash. A fixed segment goes before a label; the model has no node with both
 * on the way to different operations of the same depth, so there is nothing to step back for.
 * One slash at the end is accepted.
 */
function walk(root: Node, path: string, start: number, labels: string[]): Node | undefined {
  let node = root
  let from = start
  while (from < path.length) {
    const slash = path.indexOf('/', from)
    const end = slash === -1 ? path.length : slash
    if (end === from) return undefined
    const segment = path.slice(from, end)
    const fixed = node.fixed.get(segment)
    if (fixed) {
      node = fixed
    } else if (node.label) {
      labels.push(segment)
      node = node.label
    } else {
      return undefined
    }
    from = end + 1
  }
  return node
}

/** True when the raw query has exactly this `name=value` pair. */
function hasPair(query: string, pair: string): boolean {
  let from = query.indexOf(pair)
  while (from !== -1) {
    const end = from + pair.length
    const starts = from === 0 || query.charCodeAt(from - 1) === AMPERSAND
    if (starts && (end === query.length || query.charCodeAt(end) === AMPERSAND)) return true
    from = query.indexOf(pair, from + 1)
  }
  return false
}

const AMPERSAND = 38
