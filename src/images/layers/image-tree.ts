/** The file system of an image, put together in memory from the entries of its layers. */
import { setImmediate as nextTurn } from 'node:timers/promises'

import { ImageRefused } from '../image-refused.ts'
import type { LayerEntry } from './layer-entry.ts'

export type TreeNode =
  | { readonly kind: 'directory'; mode: number; readonly children: Map<string, TreeNode> }
  /** Content `number` of the layer at position `layer`. */
  | { readonly kind: 'file'; readonly layer: number; readonly number: number; readonly sizeBytes: number }
  | { readonly kind: 'symlink'; readonly target: string }

export type DirectoryNode = Extract<TreeNode, { readonly kind: 'directory' }>

/** Of directories that paths only imply. */
const IMPLIED_MODE = 0o755
/** As Linux: a path that needs more links than this is refused (ELOOP). */
const MAX_LINKS_FOLLOWED = 40
/** Directories below each other; each of them costs a step of whoever walks the tree. */
const MAX_DEPTH = 512
/** Names looked up for one image, all paths and links together: far above what real ones need, a bound for hostile ones. */
const MAX_STEPS = 50_000_000
const ENTRIES_PER_TURN = 500

const damaged = (message: string, path: string) =>
  new ImageRefused('damaged', `${message}: ${JSON.stringify(path.slice(0, 200))}`)

const directory = (mode: number): DirectoryNode => ({ kind: 'directory', mode, children: new Map() })

/**
 * Applies the layers from the lowest to the highest. Links in paths are followed as the kernel would with the image's
 * root as its root, in this tree and nowhere else.
 */
export async function buildTree(
  layers: readonly (readonly LayerEntry[])[],
  maxEntries: number,
): Promise<DirectoryNode> {
  const root = directory(IMPLIED_MODE)
  let nodes = 0
  let steps = 0
  const count = () => {
    if (++nodes > maxEntries)
      throw new ImageRefused('too-large', `The image has more than ${maxEntries} files`)
  }

  /** The directory that `path` means; undefined when there is none and none is to be made. */
  const walk = (path: string, make: boolean): DirectoryNode | undefined => {
    const trail: DirectoryNode[] = [root]
    const ahead = path.split('/').toReversed()
    let followed = 0
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      if (++steps > MAX_STEPS) throw damaged('The paths of the image take too long to follow', path)
      if (name === '' || name === '.') continue
      if (name === '..') {
        if (trail.length > 1) trail.pop()
        continue
      }
      const at = trail.at(-1) ?? root
      let next = at.children.get(name)
      if (next?.kind === 'symlink') {
        if (++followed > MAX_LINKS_FOLLOWED) throw damaged('Too many symbolic links', path)
        if (next.target.startsWith('/')) trail.length = 1
        ahead.push(...next.target.split('/').toReversed())
        continue
      }
      if (next?.kind !== 'directory') {
        if (!make) return undefined
        if (trail.length > MAX_DEPTH) throw damaged('Too many directories below each other', path)
        count()
        next = directory(IMPLIED_MODE)
        at.children.set(name, next)
      }
      trail.push(next)
    }
    return trail.at(-1)
  }
  const parentOf = (path: string, make: boolean) => {
    const slash = path.lastIndexOf('/')
    return {
      name: path.slice(slash + 1),
      parent: slash === -1 ? root : walk(path.slice(0, slash), make),
    }
  }
  const put = (path: string, node: TreeNode) => {
    const { parent, name } = parentOf(path, true)
    count()
    parent?.children.set(name, node)
  }

  const hide = (entry: LayerEntry) => {
    if (entry.k === 'o') walk(entry.p, false)?.children.clear()
    if (entry.k === 'w') {
      const { parent, name } = parentOf(entry.p, false)
      parent?.children.delete(name)
    }
  }
  const add = (entry: LayerEntry, layer: number) => {
    if (entry.k === 'd') {
      if (entry.p === '') {
        root.mode = entry.m
        return
      }
      const { parent, name } = parentOf(entry.p, true)
      const there = parent?.children.get(name)
      if (there?.kind === 'directory') there.mode = entry.m
      else put(entry.p, directory(entry.m))
    } else if (entry.k === 'f') put(entry.p, { kind: 'file', layer, number: entry.n, sizeBytes: entry.s })
    else if (entry.k === 's') put(entry.p, { kind: 'symlink', target: entry.t })
    else if (entry.k === 'h') {
      const { parent, name } = parentOf(entry.t, false)
      const target = parent?.children.get(name)
      if (!target || target.kind === 'directory') throw damaged('A link to a file that is not there', entry.t)
      put(entry.p, target)
    }
  }
  for (const [position, entries] of layers.entries()) {
    // What a layer takes away is of the layers below, wherever in the layer it says so.
    for (const [at, entry] of entries.entries()) {
      hide(entry)
      if (at % ENTRIES_PER_TURN === 0) await nextTurn()
    }
    for (const [at, entry] of entries.entries()) {
      add(entry, position)
      if (at % ENTRIES_PER_TURN === 0) await nextTurn()
    }
  }
  return root
}
