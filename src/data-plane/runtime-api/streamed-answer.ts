/** One streamed answer on its way from a guest: handed on as it comes to whoever takes it so, else collected. */
import type { ResponseStream } from '#contracts/invocation.ts'
import type { SessionOutcome } from '#data-plane/runtime-api/port.ts'
import { createStreamBuffer } from '#data-plane/runtime-api/stream-buffer.ts'

export interface StreamedAnswer {
  /** A piece, which must not change any more. A promise when nothing may be read before it resolves. */
  push(piece: Uint8Array): Promise<void> | undefined
  /** The guest has sent everything. */
  end(): Extract<SessionOutcome, { kind: 'response' | 'too-large' }>
}

const NOTHING = new Uint8Array()

/** What is beyond the limit is counted and dropped, so that the guest can go on to its end. */
export function createStreamedAnswer(options: {
  readonly stream: ResponseStream | undefined
  readonly contentType: string | undefined
  /** Of an answer that is collected. */
  readonly maxResponseBytes: number
}): StreamedAnswer {
  const { stream, contentType, maxResponseBytes } = options
  if (!stream) {
    const collected = createStreamBuffer(maxResponseBytes)
    return {
      push: (piece) => void collected.push(piece, piece.byteLength),
      end() {
        const { bytes, sizeBytes } = collected.take()
        return bytes === undefined ? { kind: 'too-large', sizeBytes } : { kind: 'response', payload: bytes }
      },
    }
  }
  let sizeBytes = 0
  stream.start(contentType)
  return {
    push(piece) {
      const left = stream.maxBytes - sizeBytes
      sizeBytes += piece.byteLength
      if (left <= 0 || piece.byteLength === 0) return undefined
      const kept = piece.byteLength > left ? piece.subarray(0, left) : piece
      return stream.write(kept) ? undefined : stream.whenRoom()
    },
    end: () =>
      sizeBytes > stream.maxBytes
        ? { kind: 'too-large', sizeBytes, limitBytes: stream.maxBytes }
        : { kind: 'response', payload: NOTHING },
  }
}
