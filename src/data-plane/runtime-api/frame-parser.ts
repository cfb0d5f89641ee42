/** Takes the guest's byte stream apart into frames, with limits on everything. The guest is hostile. */
import { FRAME_PREFIX_BYTES, GUEST_FRAME, MAX_HEADER_BYTES } from '#data-plane/runtime-api/frame.ts'

/** Most of a log record that is kept; the rest is thrown away. CloudWatch takes 1 MiB an event. */
export const MAX_LOG_BYTES = 1_048_576

/** Payload of frames that should have none. */
const MAX_CONTROL_PAYLOAD_BYTES = 65_536

const NOTHING = Buffer.alloc(0)

/** Bytes that break the protocol. The connection is of no use any more. */
export class ProtocolError extends Error {
  override name = 'ProtocolError'
}

/**
 * Called for every frame, in order; for a chunk of a stream once for each piece in which it arrives, without its header,
 * because nobody waits for the end of what is only passed on. `payload` holds at most as many bytes as the frame's type allows (it may be a view
 * of a received chunk); `payloadBytes` is what the guest sent. May throw `ProtocolError`.
 */
export type OnFrame = (type: number, header: string, payload: Buffer, payloadBytes: number) => void

export interface FrameParser {
  /** Throws `ProtocolError` on the first frame that is not allowed; the parser must not be used afterwards. */
  push(chunk: Buffer): void
}

/** How many bytes of a payload are kept; a frame longer than this is only counted. Throws for unknown types. */
function keepLimit(type: number, maxResponseBytes: number): number {
  switch (type) {
    case GUEST_FRAME.response:
    case GUEST_FRAME.error:
    case GUEST_FRAME.initError:
    case GUEST_FRAME.streamEnd:
      return maxResponseBytes
    case GUEST_FRAME.streamChunk:
      return Number.POSITIVE_INFINITY
    case GUEST_FRAME.log:
    case GUEST_FRAME.output:
      return MAX_LOG_BYTES
    case GUEST_FRAME.ready:
    case GUEST_FRAME.initDone:
    case GUEST_FRAME.streamStart:
      return MAX_CONTROL_PAYLOAD_BYTES
    default:
      throw new ProtocolError(`Unknown frame type 0x${type.toString(16)}`)
  }
}

export function createFrameParser(options: {
  readonly maxResponseBytes: number
  readonly onFrame: OnFrame
}): FrameParser {
  const { maxResponseBytes, onFrame } = options
  const prefix = Buffer.alloc(FRAME_PREFIX_BYTES)
  let prefixBytes = 0
  let type = 0
  let headerBytes = 0
  let payloadBytes = 0
  /** Payload bytes that are kept of the frame at hand. */
  let keepBytes = 0
  /** The header and the kept payload, while a frame arrives in pieces. */
  let partial = NOTHING
  let partialBytes = 0
  /** Bytes of the frame that have arrived behind its prefix. */
  let seenBytes = 0

  const readPrefix = (bytes: Buffer, at: number) => {
    const length = bytes.readUInt32BE(at)
    type = bytes[at + 4] ?? 0
    headerBytes = bytes.readUInt32BE(at + 5)
    if (length < 5) throw new ProtocolError(`A frame of ${length} bytes is too short`)
    if (headerBytes > MAX_HEADER_BYTES || headerBytes > length - 5) {
      throw new ProtocolError(`A header of ${headerBytes} bytes does not fit a frame of ${length} bytes`)
    }
    payloadBytes = length - 5 - headerBytes
    const limit = keepLimit(type, maxResponseBytes)
    keepBytes = payloadBytes
    if (payloadBytes > limit) {
      if (limit === MAX_CONTROL_PAYLOAD_BYTES) {
        throw new ProtocolError(
          `A payload of ${payloadBytes} bytes is too long for frame 0x${type.toString(16)}`,
        )
      }
      // What is too long a response is of no use, so nothing of it is kept; of a log record or of output the start is.
      keepBytes = type === GUEST_FRAME.log || type === GUEST_FRAME.output ? limit : 0
    }
  }

  /** Hands the next piece of a chunk on. Returns where the frame, or what has arrived, ends. */
  const passOn = (chunk: Buffer, start: number): number => {
    const skipped = Math.min(chunk.length - start, Math.max(0, headerBytes - seenBytes))
    const at = start + skipped
    const taken = Math.min(chunk.length - at, headerBytes + payloadBytes - seenBytes - skipped)
    seenBytes += skipped + taken
    const ended = seenBytes === headerBytes + payloadBytes
    if (ended) {
      prefixBytes = 0
      seenBytes = 0
    }
    if (taken > 0 || (ended && payloadBytes === 0)) onFrame(type, '', chunk.subarray(at, at + taken), taken)
    return at + taken
  }

  /** Reads on in a frame whose prefix is known. Returns where the next frame starts, or the chunk's end. */
  const readBody = (chunk: Buffer, at: number): number => {
    if (type === GUEST_FRAME.streamChunk) return passOn(chunk, at)
    const frameBytes = headerBytes + payloadBytes
    const available = chunk.length - at
    if (seenBytes === 0 && available >= frameBytes) {
      const payloadAt = at + headerBytes
      prefixBytes = 0
      onFrame(
        type,
        headerBytes === 0 ? '' : chunk.toString('utf8', at, payloadAt),
        chunk.subarray(payloadAt, payloadAt + keepBytes),
        payloadBytes,
      )
      return at + frameBytes
    }
    const wanted = headerBytes + keepBytes
    if (seenBytes === 0) {
      partial = Buffer.allocUnsafeSlow(Math.min(wanted, Math.max(available, 65_536)))
      partialBytes = 0
    }
    const taken = Math.min(available, frameBytes - seenBytes)
    const kept = Math.min(taken, wanted - partialBytes)
    if (kept > 0) {
      // Grows with what has arrived: the announced length alone must not reserve memory.
      if (partialBytes + kept > partial.length) {
        const larger = Buffer.allocUnsafeSlow(
          Math.min(wanted, Math.max(partial.length * 2, partialBytes + kept)),
        )
        partial.copy(larger, 0, 0, partialBytes)
        partial = larger
      }
      chunk.copy(partial, partialBytes, at, at + kept)
      partialBytes += kept
    }
    seenBytes += taken
    if (seenBytes === frameBytes) {
      const whole = partial
      partial = NOTHING
      prefixBytes = 0
      seenBytes = 0
      onFrame(
        type,
        whole.toString('utf8', 0, headerBytes),
        whole.subarray(headerBytes, headerBytes + keepBytes),
        payloadBytes,
      )
    }
    return at + taken
  }

  return {
    push(chunk) {
      let at = 0
      while (at < chunk.length) {
        if (prefixBytes === 0 && chunk.length - at >= FRAME_PREFIX_BYTES) {
          readPrefix(chunk, at)
          prefixBytes = FRAME_PREFIX_BYTES
          at += FRAME_PREFIX_BYTES
        } else if (prefixBytes < FRAME_PREFIX_BYTES) {
          const taken = chunk.copy(prefix, prefixBytes, at, at + FRAME_PREFIX_BYTES - prefixBytes)
          prefixBytes += taken
          at += taken
          if (prefixBytes < FRAME_PREFIX_BYTES) return
          readPrefix(prefix, 0)
        }
        if (at < chunk.length || headerBytes + payloadBytes === 0) at = readBody(chunk, at)
      }
    },
  }
}
