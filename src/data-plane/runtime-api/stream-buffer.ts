/** Collects a streamed response up to a limit; what goes beyond is counted and dropped. */
import type { SessionOutcome } from '#data-plane/runtime-api/port.ts'

export interface StreamBuffer {
  /** `payload` may hold less than `payloadBytes` when the chunk alone was too long. */
  push(payload: Uint8Array, payloadBytes: number): void
  /** The response so far; the buffer is empty afterwards. */
  take(): Extract<SessionOutcome, { kind: 'response' | 'too-large' }>
}

export function createStreamBuffer(maxBytes: number): StreamBuffer {
  let chunks: Uint8Array[] = []
  let totalBytes = 0
  /** A guest may send a byte a chunk: after this many pieces they are joined, so that the list stays short. */
  const MAX_PIECES = 256
  return {
    push(payload, payloadBytes) {
      totalBytes += payloadBytes
      if (totalBytes > maxBytes) {
        chunks = []
        return
      }
      // Copied: a view would keep the whole received chunk alive.
      if (payload.byteLength > 0) chunks.push(Buffer.from(payload))
      if (chunks.length > MAX_PIECES) chunks = [Buffer.concat(chunks)]
    },
    take() {
      const sizeBytes = totalBytes
      const payload = chunks
      chunks = []
      totalBytes = 0
      if (sizeBytes > maxBytes) return { kind: 'too-large', sizeBytes }
      return { kind: 'response', payload: Buffer.concat(payload) }
    },
  }
}
