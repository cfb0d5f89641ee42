import { Readable } from 'node:stream'

import type { Clock } from '#kernel/clock.ts'
import { checkDigest, verifiedChunks } from '#store/embedded/blob-input.ts'
import { BlobMissing, type Blobs } from '#store/port.ts'

export function createMemoryBlobs({ clock }: { readonly clock: Pick<Clock, 'now'> }): Blobs {
  const blobs = new Map<string, { readonly bytes: Buffer; readonly putAt: number }>()
  return {
    has: async (sha256) => blobs.has(sha256),
    async put(sha256, content, maxBytes) {
      checkDigest(sha256)
      const chunks: Uint8Array[] = []
      for await (const chunk of verifiedChunks(sha256, content, maxBytes)) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      blobs.set(sha256, { bytes, putAt: clock.now() })
      return { sizeBytes: bytes.byteLength }
    },
    async get(sha256) {
      const bytes = blobs.get(sha256)?.bytes
      if (!bytes) throw new BlobMissing(`There is no blob "${sha256}"`)
      // A copy, and a stream of bytes even when there are none (a stream from an empty buffer would end the same way).
      return Readable.from([Buffer.from(bytes)], { objectMode: false })
    },
    path: async () => undefined,
    sizeOf: async (sha256) => blobs.get(sha256)?.bytes.byteLength,
    list: async (after, limit) =>
      [...blobs]
        .filter(([sha256]) => sha256 > after)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit)
        .map(([sha256, { putAt }]) => ({ sha256, putAt })),
    async del(sha256, putBefore = Number.POSITIVE_INFINITY) {
      const found = blobs.get(sha256)
      // A put that is under way stores the bytes at its end, whatever was here before.
      if (found && found.putAt >= putBefore) return false
      blobs.delete(sha256)
      return true
    },
  }
}
