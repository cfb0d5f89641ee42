/** Which blobs a document names. Pure. */
import { DURABLE_ALL } from '#contracts/durable.ts'
import { UNUSED_BLOBS } from '#contracts/keys.ts'
import type { Json } from '#kernel/json.ts'

const DIGEST = /[0-9a-f]{64}/g
const DIGEST_LENGTH = 64

/**
 * Documents in which no blob is looked for: they hold what functions said, and there may be millions of them. Everything
 * else is looked through, whatever it is, so that a new kind of document can't be forgotten here.
 */
const WITHOUT_BLOBS = [DURABLE_ALL, UNUSED_BLOBS]

/** The end of the range of keys that `key` lies in, when nothing in it is to be looked through. */
export function skipFrom(key: string): string | undefined {
  const prefix = WITHOUT_BLOBS.find((start) => key.startsWith(start))
  return prefix === undefined ? undefined : `${prefix}\u{10ffff}`
}

function inText(text: string, found: (sha256: string) => void): void {
  if (text.length < DIGEST_LENGTH) return
  for (const [sha256] of text.matchAll(DIGEST)) found(sha256)
}

function inValue(value: Json, found: (sha256: string) => void): void {
  if (typeof value === 'string') inText(value, found)
  else if (Array.isArray(value)) for (const item of value) inValue(item, found)
  else if (value !== null && typeof value === 'object') {
    for (const [name, item] of Object.entries(value)) {
      inText(name, found)
      inValue(item as Json, found)
    }
  }
}

/** Calls `found` with everything in the document or its key that may be a blob's digest. */
export function mentionsOf(key: string, doc: Json, found: (sha256: string) => void): void {
  inText(key, found)
  inValue(doc, found)
}
