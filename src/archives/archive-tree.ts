/** The tree that an archive's paths describe: which directories they imply, and whether they contradict each other. */
import { ArchiveRefused } from '#archives/archive-refused.ts'
import { parentOf } from '#archives/entry-path.ts'

export type EntryKind = 'file' | 'directory' | 'link'

export interface ArchiveTree {
  /** Adds one path and the directories above it. Throws `ArchiveRefused` on a conflict or when there are too many. */
  add(path: string, kind: EntryKind): void
  /** Says where a link points; to be called for every link before `checkLinks`. */
  setTarget(path: string, target: string): void
  /** Throws `ArchiveRefused` when a link leads out of the tree, also by way of other links. */
  checkLinks(): void
  /** Every directory, named or implied, parents before children. */
  directories(): readonly string[]
}

/** As Linux: a path that needs more links than this is refused (ELOOP). */
const MAX_LINKS_FOLLOWED = 40

export function createArchiveTree(maxEntries: number): ArchiveTree {
  const kinds = new Map<string, EntryKind>()
  const targets = new Map<string, string>()

  const put = (path: string, kind: EntryKind) => {
    kinds.set(path, kind)
    if (kinds.size > maxEntries) {
      throw new ArchiveRefused('too-many-entries', `The archive holds more than ${maxEntries} entries`)
    }
  }
  const addDirectory = (path: string) => {
    // Upwards until a directory that is known: its own parents are known too.
    for (let at = path; at !== ''; at = parentOf(at)) {
      const kind = kinds.get(at)
      if (kind === 'directory') return
      if (kind !== undefined) {
        throw new ArchiveRefused('conflicting-paths', 'A path is both a directory and something else', at)
      }
      put(at, 'directory')
    }
  }

  /** Follows `target` from the directory `from` as the kernel would, inside the tree only. */
  const leadsOutside = (from: string, target: string): boolean => {
    const at = from === '' ? [] : from.split('/')
    const ahead = target.split('/').toReversed()
    let followed = 0
    for (let segment = ahead.pop(); segment !== undefined; segment = ahead.pop()) {
      if (segment === '' || segment === '.') continue
      if (segment === '..') {
        if (at.length === 0) return true
        at.pop()
        continue
      }
      at.push(segment)
      const next = targets.get(at.join('/'))
      if (next === undefined) continue
      if (++followed > MAX_LINKS_FOLLOWED || next.startsWith('/')) return true
      at.pop()
      ahead.push(...next.split('/').toReversed())
    }
    return false
  }

  return {
    add(path, kind) {
      if (kind === 'directory') {
        addDirectory(path)
        return
      }
      if (kinds.has(path)) {
        throw new ArchiveRefused('conflicting-paths', 'A path occurs twice', path)
      }
      addDirectory(parentOf(path))
      put(path, kind)
    },
    setTarget: (path, target) => void targets.set(path, target),
    checkLinks() {
      for (const [path, target] of targets) {
        if (target === '' || target.includes('\0')) {
          throw new ArchiveRefused('bad-link', 'A symbolic link has no usable target', path)
        }
        if (target.startsWith('/') || leadsOutside(parentOf(path), target)) {
          throw new ArchiveRefused('bad-link', 'A symbolic link leads out of the archive', path)
        }
      }
    },
    directories: () =>
      [...kinds]
        .filter(([, kind]) => kind === 'directory')
        .map(([path]) => path)
        // A parent's path is a prefix of its children's, so it sorts before them.
        .toSorted(),
  }
}
