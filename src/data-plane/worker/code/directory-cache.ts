/** Directories that are filled once, shared by environments, and thrown away when nobody uses them and room is short. */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'

export interface CachedDirectory {
  /** Nobody may write to it. It stays until `release`. */
  readonly path: string
  readonly sizeBytes: number
  /** Gives it back; safe to call twice. */
  release(): void
}

export interface DirectoryCache {
  /** Finds what an earlier process left. Call it once, before anything else. */
  open(): Promise<void>
  /**
   * The directory of `kind` and `key`. When it is not there yet `fill` makes it, once, however many callers wait; it
   * creates the path it is given (which does not exist, its parent does) and returns the bytes it takes. When it
   * rejects, every waiting caller gets the error and the next caller tries again.
   */
  acquire(kind: string, key: string, fill: (path: string) => Promise<number>): Promise<CachedDirectory>
  /** The same when it is there already, else undefined: nothing is made. */
  acquireIfThere(kind: string, key: string): CachedDirectory | undefined
  /** Bytes of everything in the cache. */
  readonly sizeBytes: number
}

interface Entry {
  readonly directory: string
  readonly sizeBytes: number
  users: number
  /** Wall-clock milliseconds; survives restarts as the modification time of the directory. */
  usedAt: number
}

const TREE = 'tree'
const MARK = 'complete.json'
const KEY = /^[0-9a-f]{16,128}$/
const KIND = /^[a-z]+$/

/**
 * Layout: `<root>/<kind>/<key>/tree` and `complete.json` beside it; the whole entry is renamed into place, so what is
 * there is complete. The rename does not flush the files, so after a crash of the machine an entry may hold empty
 * ones: the mark carries the kernel's boot id, and entries of another boot are thrown away (the blobs are the truth).
 * The bound is soft: what environments use is never removed, so it may be exceeded by that much.
 */
export function createDirectoryCache(options: {
  readonly root: string
  readonly maxBytes: number
  readonly clock: Clock
  readonly logger: Logger
}): DirectoryCache {
  const { root, maxBytes, clock, logger } = options
  const entries = new Map<string, Entry>()
  const filling = new Map<string, { waiting: number; readonly work: Promise<Entry> }>()
  /** Evictions that have not left their place yet. */
  const leaving = new Map<string, Promise<void>>()
  const waste = join(root, 'waste')
  let sizeBytes = 0
  let bootId = ''

  const discard = async (directory: string): Promise<void> => {
    const away = join(waste, randomBytes(8).toString('hex'))
    // Renamed first, so that a half-removed entry never looks like a complete one.
    await rename(directory, away)
    await rm(away, { recursive: true, force: true })
  }

  const evict = (): void => {
    if (sizeBytes <= maxBytes) return
    const unused = [...entries]
      .filter(([, entry]) => entry.users === 0)
      .toSorted(([, a], [, b]) => a.usedAt - b.usedAt)
    for (const [name, entry] of unused) {
      if (sizeBytes <= maxBytes) return
      entries.delete(name)
      sizeBytes -= entry.sizeBytes
      const gone = discard(entry.directory)
        .catch((error: unknown) =>
          logger.warn('A cached directory could not be removed', { directory: entry.directory, error }),
        )
        .finally(() => leaving.delete(name))
      leaving.set(name, gone)
    }
  }

  const adopt = async (name: string): Promise<void> => {
    const directory = join(root, name)
    const mark = await readFile(join(directory, MARK), 'utf8')
      .then((text) => JSON.parse(text) as { sizeBytes?: unknown; bootId?: unknown })
      .catch(() => undefined)
    if (mark?.bootId !== bootId || typeof mark.sizeBytes !== 'number') {
      await discard(directory)
      return
    }
    const { mtimeMs } = await stat(directory)
    entries.set(name, { directory, sizeBytes: mark.sizeBytes, users: 0, usedAt: mtimeMs })
    sizeBytes += mark.sizeBytes
  }

  /** Resolves with the size of what `fill` made. */
  const make = async (
    kind: string,
    name: string,
    fill: (path: string) => Promise<number>,
  ): Promise<number> => {
    const directory = join(root, name)
    const partial = join(waste, randomBytes(8).toString('hex'))
    try {
      await mkdir(partial, { recursive: true, mode: 0o755 })
      const bytes = await fill(join(partial, TREE))
      await writeFile(join(partial, MARK), JSON.stringify({ sizeBytes: bytes, bootId }))
      await mkdir(join(root, kind), { recursive: true, mode: 0o755 })
      await leaving.get(name)
      await rename(partial, directory)
      return bytes
    } catch (error) {
      await rm(partial, { recursive: true, force: true })
      throw error
    }
  }

  /** Waits for the one who fills, or is the one. The caller is counted as a user for a moment longer than it waits. */
  const filled = async (kind: string, name: string, fill: (path: string) => Promise<number>) => {
    let pending = filling.get(name)
    if (!pending) {
      const directory = join(root, name)
      const work = make(kind, name, fill).then(
        (bytes) => {
          // Users before anybody else runs, so that it cannot be evicted between its making and its first use.
          const entry = {
            directory,
            sizeBytes: bytes,
            users: filling.get(name)?.waiting ?? 1,
            usedAt: clock.now(),
          }
          filling.delete(name)
          entries.set(name, entry)
          sizeBytes += bytes
          return entry
        },
        (error: unknown) => {
          filling.delete(name)
          throw error
        },
      )
      pending = { waiting: 0, work }
      filling.set(name, pending)
    }
    pending.waiting++
    const entry = await pending.work
    entry.users--
    return entry
  }

  return {
    get sizeBytes() {
      return sizeBytes
    },
    async open() {
      await rm(waste, { recursive: true, force: true })
      await mkdir(waste, { recursive: true, mode: 0o755 })
      // Not Linux: no boot id, so nothing of an earlier process is trusted.
      bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(
        () => `${process.pid}-${clock.now()}`,
      )
      for (const kind of await readdir(root)) {
        if (!KIND.test(kind) || kind === 'waste') continue
        for (const key of await readdir(join(root, kind))) await adopt(join(kind, key))
      }
      evict()
    },
    async acquire(kind, key, fill) {
      if (!KIND.test(kind) || !KEY.test(key)) throw new TypeError(`Not a cache key: ${kind}/${key}`)
      const name = join(kind, key)
      return hold(entries.get(name) ?? (await filled(kind, name, fill)))
    },
    acquireIfThere(kind, key) {
      const entry = entries.get(join(kind, key))
      return entry && hold(entry)
    },
  }

  function hold(held: Entry): CachedDirectory {
    held.users++
    held.usedAt = clock.now()
    evict()
    let released = false
    return {
      path: join(held.directory, TREE),
      sizeBytes: held.sizeBytes,
      release() {
        if (released) return
        released = true
        held.users--
        held.usedAt = clock.now()
        const seconds = held.usedAt / 1000
        // Only the order after a restart depends on it.
        utimes(held.directory, seconds, seconds).catch(() => {})
        evict()
      },
    }
  }
}
