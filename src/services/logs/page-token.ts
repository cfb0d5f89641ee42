/** Tokens of pages. Opaque to clients; whoever forges one only chooses where to go on reading. */
import { invalidToken } from './log-errors.ts'
import type { Boundary } from './storage/operations.ts'

/** Like AWS's event ids: 56 digits. One digit, 19 for the timestamp, 36 for the sequence; in order as texts, too. */
export const eventId = ({ timestamp, sequence }: Boundary): string =>
  `3${String(timestamp).padStart(19, '0')}${String(sequence).padStart(36, '0')}`

const ID = /^3(\d{19})(\d{36})$/

function parseId(id: string): Boundary {
  const [, timestamp = '', sequence = ''] = ID.exec(id) ?? []
  const boundary = { timestamp: Number(timestamp), sequence: Number(sequence) }
  if (
    timestamp === '' ||
    !Number.isSafeInteger(boundary.timestamp) ||
    !Number.isSafeInteger(boundary.sequence)
  ) {
    throw invalidToken()
  }
  return boundary
}

export type Direction = 'forward' | 'backward'

/** As GetLogEvents shows them: `f/<id>/s` and `b/<id>/s`. */
export const streamToken = (direction: Direction, boundary: Boundary): string =>
  `${direction === 'forward' ? 'f' : 'b'}/${eventId(boundary)}/s`

/** Throws AWS's error for anything that `streamToken` does not make. */
export function parseStreamToken(token: string): { readonly direction: Direction; readonly from: Boundary } {
  const [, letter, id = ''] = /^([fb])\/(\d{56})\/s$/.exec(token) ?? []
  if (letter === undefined) throw invalidToken()
  return { direction: letter === 'f' ? 'forward' : 'backward', from: parseId(id) }
}

/** Tokens of the other operations: what `kind` of list, and where it goes on. */
export const listToken = (kind: string, position: string): string =>
  Buffer.from(`${kind}\n${position}`).toString('base64url')

/** Undefined without a token. Throws AWS's error for a token that is not of this kind. */
export function parseListToken(kind: string, token: string | undefined): string | undefined {
  if (token === undefined) return undefined
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (!text.startsWith(`${kind}\n`)) throw invalidToken()
  return text.slice(kind.length + 1)
}

export const filterToken = (direction: Direction, boundary: Boundary): string =>
  listToken('filter', streamToken(direction, boundary))

export function parseFilterToken(token: string | undefined) {
  const text = parseListToken('filter', token)
  return text === undefined ? undefined : parseStreamToken(text)
}
