/** The files of a data directory: who owns it, and whether what should be there is there. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { StoreDamaged, StoreLocked } from '#store/port.ts'
import { isBusy, isDamage } from '#store/sqlite/sqlite-errors.ts'

const FORMAT = 'lambent-store 1\n'

export interface DataDirectory {
  readonly databasePath: string
  /** Called once the database is complete: from now on its absence is damage, not a new store. */
  markCreated(): void
  unlock(): void
}

/** Makes the entries of a directory survive a power loss. */
export function syncDirectory(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function writeDurably(path: string, text: string): void {
  const handle = openSync(path, 'w', 0o600)
  try {
    writeFileSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/**
 * An exclusive lock that the kernel drops with the process, however it ends: SQLite's lock on a file of its own.
 * The holder's process id lies beside it, for the error message only.
 */
function lock(directory: string): () => void {
  const path = join(directory, 'lock')
  closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: 0 })
  const holderPath = join(directory, 'holder')
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    if (isDamage(error)) throw new StoreDamaged(`"${path}" is not a lock file: move it away and start again`)
    if (!isBusy(error)) throw error
    const holder = existsSync(holderPath) ? readFileSync(holderPath, 'utf8').trim() : 'unknown'
    throw new StoreLocked(`The data directory "${directory}" is in use by process ${holder}`)
  }
  writeFileSync(holderPath, `${process.pid}\n`, { mode: 0o600 })
  return () => database.close()
}

const isEmpty = (path: string) => !existsSync(path) || statSync(path).size === 0

/**
 * Takes the directory (made with mode 0700 when it is missing; one that exists keeps its mode).
 * Throws `StoreLocked` when another process has it and `StoreDamaged` when a store was here whose database is gone.
 */
export function takeDataDirectory(directory: string): DataDirectory {
  const made = mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (made !== undefined) syncDirectory(dirname(made))
  const unlock = lock(directory)
  try {
    const databasePath = join(directory, 'store.db')
    const formatPath = join(directory, 'format')
    const blobs = join(directory, 'blobs')
    const hasBlobs = existsSync(blobs) && readdirSync(blobs).some((name) => name !== 'tmp')
    const existed = existsSync(formatPath) || !isEmpty(`${databasePath}-wal`) || hasBlobs
    if (existed && isEmpty(databasePath)) {
      throw new StoreDamaged(
        `"${databasePath}" is missing or empty although a store was here: restore it from a backup, ` +
          `or move "${directory}" away to begin with an empty store`,
      )
    }
    // SQLite gives the files beside it (-wal, -shm) the same mode.
    closeSync(openSync(databasePath, 'a', 0o600))
    return {
      databasePath,
      markCreated() {
        if (existsSync(formatPath)) return
        syncDirectory(directory)
        writeDurably(formatPath, FORMAT)
        syncDirectory(directory)
      },
      unlock,
    }
  } catch (error) {
    unlock()
    throw error
  }
}
