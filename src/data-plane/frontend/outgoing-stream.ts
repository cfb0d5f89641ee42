/** The answer of one invocation between the guest that streams it and the client that reads it. */
import type { ResponseStream } from '#contracts/invocation.ts'
import { createBandwidthLimit, type Bandwidth } from '#data-plane/frontend/bandwidth.ts'
import { sleep, type Clock } from '#kernel/clock.ts'
import { KIB, MIB, MINUTE_MS } from '#kernel/units.ts'

export interface StreamingLimits extends Bandwidth {
  /** Longest streamed answer. */
  readonly maxBytes: number
  /** Bytes that wait here for a slow client before the guest has to wait; a chunk of its socket may come on top. */
  readonly heldBytes: number
}

/**
 * AWS's limits: 200 MB (Lambda quotas; that its MB is the MiB here is unverified), the first 6 MB at any speed and the
 * rest at 2 MB a second (developer guide; the rate and the burst in MiB are those of AWS's runtime interface emulator).
 */
export const AWS_STREAMING_LIMITS: StreamingLimits = {
  maxBytes: 200 * MIB,
  burstBytes: 6 * MIB,
  bytesPerSecond: 2 * MIB,
  heldBytes: 256 * KIB,
}

/** Most that one event carries. Small chunks that wait for the client are put together up to here. */
const EVENT_BYTES = 64 * KIB
/** What a chunk costs beyond its bytes: a guest may send them one by one. */
const CHUNK_COST_BYTES = 128
/** How long the rest is kept for the client after the invocation has ended. */
const LINGER_MS = 5 * MINUTE_MS

export interface OutgoingStream extends ResponseStream {
  /** Resolves when the function begins to stream; never when it does not. */
  readonly started: Promise<void>
  /** As the function named it, once it has begun to stream. */
  readonly contentType: string | undefined
  readonly begun: boolean
  /** The invocation is over: the reader ends when it has read the rest. */
  close(): void
  /** The client is gone: what is written from now on is dropped, and the function goes on as it likes. */
  abandon(): void
  /**
   * Everything that is written, in order, at the speed that is allowed. One reader; leaving early abandons. Throws when
   * the rest was given up because it was not read for five minutes after the invocation.
   */
  chunks(): AsyncGenerator<Uint8Array>
}

export function createOutgoingStream(options: {
  readonly limits: StreamingLimits
  readonly clock: Clock
}): OutgoingStream {
  const { limits, clock } = options
  const { maxBytes } = limits
  const bucket = createBandwidthLimit({ bandwidth: limits, clock })
  const started = Promise.withResolvers<void>()
  let contentType: string | undefined
  let begun = false
  let receivedBytes = 0
  let held: Uint8Array[] = []
  /** With what each chunk costs. */
  let heldCost = 0
  let full = false
  let over = false
  let abandoned = false
  /** The client did not fetch the rest in time. */
  let late = false
  let cancelLinger = () => {}
  let room: PromiseWithResolvers<void> | undefined
  /** The reader has nothing to read. */
  let wake: (() => void) | undefined

  const wakeReader = () => {
    wake?.()
    wake = undefined
  }
  const makeRoom = () => {
    full = false
    room?.resolve()
    room = undefined
  }

  /** The next event's worth. */
  const take = (): Uint8Array | undefined => {
    const [first] = held
    if (!first) return undefined
    let count = 0
    let bytes = 0
    for (const chunk of held) {
      if (count > 0 && bytes + chunk.byteLength > EVENT_BYTES) break
      bytes += chunk.byteLength
      count++
    }
    const taken = held.splice(0, count)
    heldCost -= bytes + count * CHUNK_COST_BYTES
    if (full && heldCost <= limits.heldBytes / 2) makeRoom()
    return count === 1 ? first : Buffer.concat(taken, bytes)
  }

  const abandon = () => {
    abandoned = true
    cancelLinger()
    held = []
    heldCost = 0
    makeRoom()
    wakeReader()
  }

  return {
    maxBytes,
    started: started.promise,
    get receivedBytes() {
      return receivedBytes
    },
    get full() {
      return full
    },
    get contentType() {
      return contentType
    },
    get begun() {
      return begun
    },
    start(type) {
      if (over) return
      begun = true
      contentType = type
      started.resolve()
    },
    write(chunk) {
      receivedBytes += chunk.byteLength
      if (over || abandoned) return true
      // A few bytes that wait must not keep all of what they arrived with.
      const isSmallPart = held.length > 0 && chunk.byteLength < chunk.buffer.byteLength / 2
      held.push(isSmallPart ? new Uint8Array(chunk) : chunk)
      heldCost += chunk.byteLength + CHUNK_COST_BYTES
      full = heldCost >= limits.heldBytes
      wakeReader()
      return !full
    },
    whenRoom() {
      if (!full) return Promise.resolve()
      room ??= Promise.withResolvers<void>()
      return room.promise
    },
    close() {
      if (over) return
      over = true
      if (held.length > 0) {
        cancelLinger = clock.after(LINGER_MS, () => {
          late = true
          abandon()
        })
      }
      // Nobody waits for a guest whose invocation is over; what it has written is still read.
      makeRoom()
      wakeReader()
    },
    abandon,
    async *chunks() {
      try {
        while (!abandoned) {
          const chunk = take()
          if (chunk) {
            const waitMs = bucket.take(chunk.byteLength)
            if (waitMs > 0) await sleep(clock, waitMs)
            yield chunk
          } else if (over) return
          else await new Promise<void>((resolve) => (wake = resolve))
        }
        if (late) throw new Error('The client did not read the end of the stream in time')
      } finally {
        abandon()
      }
    },
  }
}
