/** Collects a body up to a limit; what goes beyond is counted and dropped. */
import { createByteBuffer } from '#data-plane/runtime-api/byte-buffer.ts'

export interface StreamBuffer {
  /** `payload` may hold less than `payloadBytes` when the chunk alone was too long. */
  push(payload: Uint8Array, payloadBytes: number): void
  /** What was collected, undefined when it was too much; the buffer is empty afterwards. */
  take(): { readonly bytes: Buffer | undefined; readonly sizeBytes: number }
}

export function createStreamBuffer(maxBytes: number): StreamBuffer {
  const kept = createByteBuffer({ firstBytes: 16_384, maxBytes })
  let sizeBytes = 0
  return {
    push(payload, payloadBytes) {
      sizeBytes += payloadBytes
      if (sizeBytes > maxBytes) kept.clear()
      else kept.append(payload)
    },
    take() {
      const taken = { bytes: sizeBytes > maxBytes ? undefined : kept.take(), sizeBytes }
      sizeBytes = 0
      return taken
    },
  }
}
