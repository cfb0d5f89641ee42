/** The parameters of the query protocol as a tree: `Tags.member.1.Key=team` is a value four levels down. */
import { LambdaError } from '#contracts/errors.ts'
import type { Shape } from '#wire/model.ts'
import { parseQuery } from '#wire/query-string.ts'

/** Where a member stands in the query protocol when not under its own name. */
export const flatName = (shape: Shape | undefined): string | undefined => {
  if (shape?.type === 'list') return shape.flat
  return shape?.type === 'map' ? shape.flat?.entry : undefined
}

export interface QueryNode {
  value: string | undefined
  children: Map<string, QueryNode> | undefined
}

/** More parameters, or names of more parts, than any operation could take. */
const MAX_PARAMETERS = 2000
const MAX_DEPTH = 12

/** AWS's name for a request that can't be read; the texts are unverified. */
export const malformedInput = (message: string) => new LambdaError('MalformedInput', message, { status: 400 })

/** The last one of parameters with one name counts. Throws MalformedInput. */
export function parseParameters(text: string): QueryNode {
  const root: QueryNode = { value: undefined, children: undefined }
  if (hasTooMany(text)) throw malformedInput('Too many parameters')
  for (const [name, value] of parseQuery(text)) {
    let node = root
    const parts = name.split('.', MAX_DEPTH + 1)
    if (parts.length > MAX_DEPTH) throw malformedInput('A parameter name has too many parts')
    for (const part of parts) {
      node.children ??= new Map()
      let child = node.children.get(part)
      if (!child) node.children.set(part, (child = { value: undefined, children: undefined }))
      node = child
    }
    node.value = value
  }
  return root
}

/** Counted before anything is taken apart: a body of separators alone would become millions of parts. */
function hasTooMany(text: string): boolean {
  let count = 0
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
    if (++count > MAX_PARAMETERS) return true
  }
  return false
}
