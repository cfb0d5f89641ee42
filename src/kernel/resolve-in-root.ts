/** Paths in a directory tree that is somebody's root: its links mean what they mean to who lives in it, not to us. */
import { lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40

/**
 * The host's path, free of links, of `path` in `root`; undefined when there is no such file. Whoever has written the
 * tree may be hostile: no link leads out of it. The tree must not change meanwhile.
 */
export function resolveInRoot(root: string, path: string): string | undefined {
  const pending = path.split('/').toReversed()
  const found: string[] = []
  let links = 0
  while (pending.length > 0) {
    const name = pending.pop() ?? ''
    if (name === '' || name === '.') continue
    if (name === '..') {
      found.pop()
      continue
    }
    const at = join(root, ...found, name)
    const stats = statOf(at)
    if (!stats) return undefined
    if (!stats.isSymbolicLink()) {
      found.push(name)
      continue
    }
    if (++links > MAX_LINKS) return undefined
    const target = readlinkSync(at)
    if (target.startsWith('/')) found.length = 0
    pending.push(...target.split('/').toReversed())
  }
  return join(root, ...found)
}

/** Undefined also below something that is no directory. */
function statOf(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
