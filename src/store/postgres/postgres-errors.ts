/** What an error of PostgreSQL or of the way to it means for the caller. Source: PostgreSQL's appendix "Error Codes". */
import { StoreAway } from '#store/port.ts'

/** Classes of SQLSTATE after which another attempt, perhaps at another server, may succeed. */
const AWAY = [
  '08', // connection exceptions
  '25006', // the server has become read-only: a standby by now
  '53300', // too many connections
  '57P01', // shut down by the administrator
  '57P02', // crashed
  '57P03', // starting up or shutting down
]
/** Nothing was written, and the same may succeed at once. */
const REPEATABLE = new Set(['40001', '40P01', '55P03', '57014'])
const SOCKET = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|ENOENT|EACCES)/
/** Texts of the client library, whose errors have no code. */
const CLIENT_TEXT = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered)/

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** The server can't be used now, or the connection broke; what was under way may have happened. */
export function isAway(error: unknown): boolean {
  const code = codeOf(error)
  if (error instanceof StoreAway) return true
  if (AWAY.some((prefix) => code.startsWith(prefix)) || SOCKET.test(code)) return true
  return error instanceof Error && code === '' && CLIENT_TEXT.test(error.message)
}

export const isRepeatable = (error: unknown) => REPEATABLE.has(codeOf(error))
export const isDuplicate = (error: unknown) => codeOf(error) === '23505'

export const storeAway = (cause: unknown) =>
  new StoreAway(
    `The database can't be reached now (${cause instanceof Error ? cause.message : String(cause)}), try again later`,
    { cause },
  )
