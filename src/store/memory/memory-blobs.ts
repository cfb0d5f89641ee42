import { Readable } from 'node:stream'

import { checkDigest, verifiedChunks } from '#store/embedded/blob-input.ts'
import { BlobMissing, type Blobs } from '#store/port.ts'

export function createMemoryBlobs(): Blobs {
  const blobs = new Map<string, Buffer>()
  return {
    has: async (sha256) => blobs.has(sha256),
    async put(sha256, content, maxBytes) {
      checkDigest(sha256)
      const chunks: Uint8Array[] = []
      for await (const chunk of verifiedChunks(sha256, content, maxBytes)) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      if (!blobs.has(sha256)) blobs.set(sha256, bytes)
      return { sizeBytes: bytes.byteLength }
    },
    async get(sha256) {
      const bytes = blobs.get(sha256)
      if (!bytes) throw new BlobMissing(`There is no blob "${sha256}"`)
      // A copy, and a stream of bytes even when there are none (a stream from an empty buffer would end the same way).
      return Readable.from([Buffer.from(bytes)], { objectMode: false })
    },
    path: async () => undefined,
    sizeOf: async (sha256) => blobs.get(sha256)?.byteLength,
    async del(sha256) {
      blobs.delete(sha256)
    },
  }
}
