/** Bytes that arrive in pieces, kept in one buffer that doubles: a guest may send byte by byte, and a list would cost more. */
export interface ByteBuffer {
  readonly length: number
  append(bytes: Uint8Array): void
  /** A view, valid until the next call. */
  view(): Buffer
  /** Everything so far, owned by the caller; the buffer is empty afterwards. */
  take(): Buffer
  clear(): void
}

const NOTHING = Buffer.alloc(0)

/** `maxBytes` is the caller's promise of how much is appended at most, so that nothing is allocated beyond it. */
export function createByteBuffer(options: {
  readonly firstBytes: number
  readonly maxBytes: number
}): ByteBuffer {
  const { firstBytes, maxBytes } = options
  let kept = NOTHING
  let length = 0
  return {
    get length() {
      return length
    },
    append(bytes) {
      const end = length + bytes.byteLength
      if (end > kept.length) {
        const wanted = Math.max(end, Math.min(maxBytes, Math.max(firstBytes, kept.length * 2)))
        const larger = Buffer.allocUnsafeSlow(wanted)
        kept.copy(larger, 0, 0, length)
        kept = larger
      }
      kept.set(bytes, length)
      length = end
    },
    view: () => kept.subarray(0, length),
    take() {
      const bytes = kept.subarray(0, length)
      kept = NOTHING
      length = 0
      return bytes
    },
    clear() {
      kept = NOTHING
      length = 0
    },
  }
}
