/** The identifiers that IAM makes up: `AROA...` of roles, `AKIA...` of access keys, secrets. */
import type { Random } from '#kernel/random.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

const randomBytes = (random: Random, count: number) => Buffer.from(random.hex(count * 2), 'hex')

/** RFC 4648 base 32 without padding; whole groups of five bits only. */
function base32(bytes: Uint8Array): string {
  let bits = 0n
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte)
  let out = ''
  for (let left = Math.floor((bytes.byteLength * 8) / 5); left > 0; left--) {
    out = (ALPHABET[Number(bits & 31n)] ?? '') + out
    bits >>= 5n
  }
  return out
}

/** `prefix` (four letters) and 17 characters. */
export const uniqueId = (random: Random, prefix: 'AIDA' | 'AROA' | 'ANPA') =>
  `${prefix}${base32(randomBytes(random, 11)).slice(0, 17)}`

/**
 * An access key's id, twenty characters long: `AKIA` of users, `ASIA` of sessions. As in AWS it holds the account
 * (found out by others and published): bits 1 to 40 of the 48 that follow the prefix. The rest is random.
 */
export function accessKeyId(random: Random, prefix: 'AKIA' | 'ASIA', account: string): string {
  const [low = 0, ...rest] = randomBytes(random, 5)
  const head = (1n << 47n) | (BigInt(account) << 7n) | BigInt(low & 0x7f)
  const bytes = Buffer.alloc(10)
  bytes.writeUIntBE(Number(head), 0, 6)
  bytes.set(rest, 6)
  return `${prefix}${base32(bytes)}`
}

/** The account that an id holds, twelve digits; undefined when the id has another form. */
export function accountOfAccessKey(id: string): string | undefined {
  const body = /^A[KS]IA([A-Z2-7]{16})$/.exec(id)?.[1]
  if (body === undefined) return undefined
  let bits = 0n
  for (const character of body) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(character))
  const account = (bits >> 39n) & ((1n << 40n) - 1n)
  const digits = account.toString().padStart(12, '0')
  return digits.length === 12 ? digits : undefined
}

/** Forty characters. */
export const secretAccessKey = (random: Random) => randomBytes(random, 30).toString('base64')
/** Opaque to clients; AWS's are longer. */
export const sessionToken = (random: Random) => `IQoJ${randomBytes(random, 192).toString('base64')}`
