/** Checks that every blob store makes on what it is given. */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'

import { BlobMismatch, BlobTooLarge } from '#store/port.ts'

export const isDigest = (text: string) => /^[0-9a-f]{64}$/.test(text)

/** Throws a TypeError unless the key is 64 lower-case hexadecimal digits (so it is safe in a path, too). */
export function checkDigest(sha256: string): void {
  if (!isDigest(sha256)) {
    throw new TypeError(
      `A blob's key is a SHA-256 digest in lower-case hexadecimal, not "${sha256.slice(0, 100)}"`,
    )
  }
}

/**
 * The bytes of `content` as they come. Throws `BlobTooLarge` as soon as there are more than `maxBytes`, and
 * `BlobMismatch` at the end when they do not hash to `sha256`.
 */
export async function* verifiedChunks(
  sha256: string,
  content: Readable | Uint8Array,
  maxBytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const piece of content instanceof Uint8Array ? [content] : content) {
    const chunk: Uint8Array = typeof piece === 'string' ? Buffer.from(piece) : piece
    sizeBytes += chunk.byteLength
    if (sizeBytes > maxBytes) throw new BlobTooLarge(`The blob has more than ${maxBytes} bytes`)
    hash.update(chunk)
    yield chunk
  }
  const actual = hash.digest('hex')
  if (actual !== sha256) throw new BlobMismatch(`The bytes hash to "${actual}", not to "${sha256}"`)
}
