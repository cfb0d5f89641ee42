import {
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  type Dirent,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { createComplete } from '#archives/fresh-directory.ts'

const DIRECTORY_MODE = 0o755
const ENTRIES_PER_TURN = 64
/** Another file system, a file system without hard links, or too many links to one file. */
const NO_LINK = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Lays directories over each other into `target`, in order: of two entries with one path the later wins, two directories
 * are merged, and a directory and a file are not, so the later one replaces the earlier whole. Links are copied as links
 * and never followed. Files are hard links to the sources where the file system allows, so neither side may be changed.
 * `target` must not exist and appears complete or not at all.
 */
export async function mergeDirectories(sources: readonly string[], target: string): Promise<void> {
  await createComplete(target, async (root) => {
    chmodSync(root, DIRECTORY_MODE)
    for (const source of sources) await overlay(source, root)
  })
}

async function overlay(source: string, root: string): Promise<void> {
  const pending = ['']
  let place = placeByLink
  let seen = 0
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of readdirSync(join(source, path), { withFileTypes: true })) {
      const from = join(source, path, entry.name)
      const to = join(root, path, entry.name)
      const there = lstatSync(to, { throwIfNoEntry: false })
      if (++seen % ENTRIES_PER_TURN === 0) await nextTurn()
      if (entry.isDirectory()) {
        addDirectory(to, there)
        pending.push(join(path, entry.name))
        continue
      }
      if (there) rmSync(to, { recursive: true, force: true })
      if (!placeEntry(entry, from, to, place)) place = placeByCopy
    }
  }
}

function addDirectory(to: string, there: Stats | undefined): void {
  if (there?.isDirectory()) return
  if (there) rmSync(to, { force: true })
  mkdirSync(to, { mode: DIRECTORY_MODE })
  // The umask may have taken bits away.
  chmodSync(to, DIRECTORY_MODE)
}

type Place = (from: string, to: string) => void
const placeByLink: Place = linkSync
const placeByCopy: Place = (from, to) => {
  copyFileSync(from, to)
  chmodSync(to, lstatSync(from).mode & 0o777)
}

/** False when hard links do not work here; the entry is in place either way. */
function placeEntry(entry: Dirent, from: string, to: string, place: Place): boolean {
  if (entry.isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to)
    return true
  }
  try {
    place(from, to)
    return true
  } catch (error) {
    if (
      place === placeByCopy ||
      !(error instanceof Error && 'code' in error && NO_LINK.has(String(error.code)))
    ) {
      throw error
    }
    placeByCopy(from, to)
    return false
  }
}
