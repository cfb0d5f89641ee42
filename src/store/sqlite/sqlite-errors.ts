/** SQLite's result codes, as far as they change what the store does. Source: sqlite.org/rescode.html. */
import { StoreDamaged, StoreLocked, StoreTooNew } from '#store/port.ts'
import type { Failure } from '#store/sqlite/protocol.ts'

const SQLITE_BUSY = 5
const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** The low byte of SQLite's extended result code; undefined for any other error. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return error.errcode & 0xff
}

export const isBusy = (error: unknown) => primaryCode(error) === SQLITE_BUSY

export function isDamage(error: unknown): boolean {
  const code = primaryCode(error)
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB
}

/** After these nothing can be said about what the next commit would leave on the disk. */
export const isFatal = (error: unknown) => isDamage(error) || primaryCode(error) === SQLITE_IOERR

export function damagedDatabase(path: string, cause: unknown): StoreDamaged {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new StoreDamaged(
    `The database "${path}" is damaged (${detail}): restore it from a backup, or move the directory away to begin ` +
      `with an empty store; "sqlite3 ${path} .recover" gets out what is still readable`,
    { cause },
  )
}

export function toFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof StoreDamaged) return { kind: 'damaged', message }
  if (error instanceof StoreLocked) return { kind: 'locked', message }
  if (error instanceof StoreTooNew) return { kind: 'too-new', message }
  return { kind: 'other', message }
}

export function fromFailure({ kind, message }: Failure): Error {
  if (kind === 'damaged') return new StoreDamaged(message)
  if (kind === 'locked') return new StoreLocked(message)
  if (kind === 'too-new') return new StoreTooNew(message)
  return new Error(message)
}
