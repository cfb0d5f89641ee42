/** One header block of a tar file, and the records that extend it. Sources: POSIX pax, the GNU tar manual. */
import { Buffer, isUtf8 } from 'node:buffer'

import { ArchiveRefused } from '#archives/archive-refused.ts'

export const BLOCK_BYTES = 512

export interface TarHeader {
  readonly name: string
  /** One character; NUL means a file. */
  readonly type: string
  readonly sizeBytes: number
  readonly mode: number
  /** Seconds since the epoch. */
  readonly modifiedAt: number
  readonly linkName: string
}

const damaged = (what: string) => new ArchiveRefused('damaged', what)

export function decodeText(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) {
    throw new ArchiveRefused('bad-path', 'A name is not UTF-8', Buffer.from(bytes).toString('latin1'))
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** Up to the first NUL. */
export function textField(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return decodeText(end === -1 ? bytes : bytes.subarray(0, end))
}

/** Octal digits, or base 256 where the first bit is set. */
function numberField(bytes: Uint8Array): number {
  const first = bytes[0] ?? 0
  if (first & 0x80) {
    // 0xff begins a negative number: a time before 1970, the only field where there is one.
    if (first === 0xff) return 0
    let value = first & 0x7f
    for (const byte of bytes.subarray(1)) value = value * 256 + byte
    if (!Number.isSafeInteger(value)) throw damaged('A number in a header is too large')
    return value
  }
  const text = Buffer.from(bytes).toString('latin1').replaceAll('\0', ' ').trim()
  if (text === '') return 0
  if (!/^[0-7]+$/.test(text)) throw damaged('A number in a header is none')
  return Number.parseInt(text, 8)
}

const CHECKSUM_START = 148
const CHECKSUM_END = 156

function isChecksumRight(block: Uint8Array): boolean {
  let sum = 0
  for (let at = 0; at < BLOCK_BYTES; at++) {
    sum += at >= CHECKSUM_START && at < CHECKSUM_END ? 0x20 : (block[at] ?? 0)
  }
  return sum === numberField(block.subarray(CHECKSUM_START, CHECKSUM_END))
}

/** Undefined for a block of zeros, which ends an archive. */
export function parseHeader(block: Uint8Array): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined
  if (!isChecksumRight(block)) throw damaged('The checksum of a header is wrong')
  const name = textField(block.subarray(0, 100))
  // GNU's own format has "ustar  " there, and other things than a prefix.
  const isPosix = Buffer.from(block.subarray(257, 263)).toString('latin1') === 'ustar\0'
  const prefix = isPosix ? textField(block.subarray(345, 500)) : ''
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type: String.fromCharCode(block[156] ?? 0),
    sizeBytes: numberField(block.subarray(124, 136)),
    mode: numberField(block.subarray(100, 108)),
    modifiedAt: numberField(block.subarray(136, 148)),
    linkName: textField(block.subarray(157, 257)),
  }
}

/** The records of a pax header, `LENGTH KEY=VALUE\n` each. */
export function parsePax(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const records = new Map<string, Uint8Array>()
  for (let at = 0; at < bytes.byteLength;) {
    const space = bytes.indexOf(0x20, at)
    const digits = space === -1 ? '' : Buffer.from(bytes.subarray(at, space)).toString('latin1')
    const length = /^\d{1,9}$/.test(digits) ? Number(digits) : 0
    const equals = bytes.indexOf(0x3d, space)
    const end = at + length
    if (equals === -1 || equals >= end || end > bytes.byteLength || bytes[end - 1] !== 0x0a) {
      throw damaged('An extended header is damaged')
    }
    records.set(decodeText(bytes.subarray(space + 1, equals)), bytes.subarray(equals + 1, end - 1))
    at = end
  }
  return records
}
