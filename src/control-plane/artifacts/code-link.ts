/** Links that download one package for ten minutes, in the style of S3's presigned URLs, signed with a key of our own. */
import { createHmac, timingSafeEqual } from 'node:crypto'

import type { Clock } from '#kernel/clock.ts'
import { createSealer } from '#kernel/sealed.ts'
import { SECOND_MS } from '#kernel/units.ts'

export const CODE_PATH = '/_lambent/code/'
/** API reference of GetFunction: the link is valid for 10 minutes. */
const LINK_SECONDS = 600

/** The key of an encrypted package, sealed: the link alone downloads it. */
const SEALED_KEY = 'X-Lambent-Sealed-Key'

const SHA256_HEX = /^[0-9a-f]{64}$/
const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

export type LinkCheck =
  /** `key` opens an encrypted package. */
  | { readonly kind: 'valid'; readonly blob: string; readonly key?: Uint8Array }
  | { readonly kind: 'forged' }
  /** The signature is right, and it is too late. Times are milliseconds since the epoch. */
  | { readonly kind: 'expired'; readonly expiredAt: number; readonly validSeconds: number }

export interface CodeLinks {
  /** `endpoint` is `http://host:port` without a trailing slash. */
  create(blob: string, endpoint: string, key?: Uint8Array): string
  /** `pathname` begins with `CODE_PATH`. */
  check(pathname: string, query: URLSearchParams): LinkCheck
}

/** `key` is secret, at least 32 bytes; every node that may be asked needs the same one. */
export function createCodeLinks({ key, clock }: { key: Uint8Array; clock: Clock }): CodeLinks {
  if (key.byteLength < 32) throw new RangeError('The key of the code links has at least 32 bytes')
  const sealer = createSealer(key.subarray(0, 32))
  const contextOf = (blob: string) => `code-link/${blob}`
  const sign = (blob: string, date: string, seconds: string, sealedKey: string) =>
    createHmac('sha256', key)
      .update(`lambent-code\n${blob}\n${date}\n${seconds}${sealedKey === '' ? '' : `\n${sealedKey}`}`)
      .digest()
  return {
    create(blob, endpoint, contentKey) {
      const sealedKey = contentKey
        ? sealer.seal(Buffer.from(contentKey).toString('base64'), contextOf(blob))
        : ''
      const date = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '')
      const query = new URLSearchParams({
        'X-Amz-Algorithm': 'LAMBENT-HMAC-SHA256',
        'X-Amz-Date': date,
        'X-Amz-Expires': String(LINK_SECONDS),
        ...(sealedKey !== '' && { [SEALED_KEY]: sealedKey }),
        'X-Amz-Signature': sign(blob, date, String(LINK_SECONDS), sealedKey).toString('hex'),
      })
      return `${endpoint}${CODE_PATH}${blob}?${query}`
    },
    check(pathname, query) {
      const blob = pathname.slice(CODE_PATH.length)
      const date = query.get('X-Amz-Date') ?? ''
      const seconds = query.get('X-Amz-Expires') ?? ''
      const given = Buffer.from(query.get('X-Amz-Signature') ?? '', 'hex')
      const sealedKey = query.get(SEALED_KEY) ?? ''
      const expected = sign(blob, date, seconds, sealedKey)
      const same = given.byteLength === expected.byteLength && timingSafeEqual(given, expected)
      const parts = DATE.exec(date)
      if (!same || !parts || !SHA256_HEX.test(blob)) return { kind: 'forged' }
      const [, year, month, day, hour, minute, second] = parts.map(Number)
      const signedAt = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second)
      const validSeconds = Number(seconds)
      const expiredAt = signedAt + validSeconds * SECOND_MS
      if (clock.now() > expiredAt) return { kind: 'expired', expiredAt, validSeconds }
      if (sealedKey === '') return { kind: 'valid', blob }
      const opened = Buffer.from(sealer.open(sealedKey, contextOf(blob)), 'base64')
      return { kind: 'valid', blob, key: opened }
    },
  }
}
