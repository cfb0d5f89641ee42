import type { Clock } from '#kernel/clock.ts'
import { SECOND_MS } from '#kernel/units.ts'

export interface Bandwidth {
  /** Bytes that pass at any speed when nothing has passed for a while; `Infinity`: nothing is ever slowed down. */
  readonly burstBytes: number
  readonly bytesPerSecond: number
}

export interface TokenBucket {
  /** Takes `bytes` and says how many milliseconds to wait before they may pass. For one caller, which does wait. */
  take(bytes: number): number
}

/** A full bucket of tokens, one a byte, that refills at an even rate and may be overdrawn by whoever then waits. */
export function createTokenBucket(options: {
  readonly bandwidth: Bandwidth
  readonly clock: Pick<Clock, 'monotonic'>
}): TokenBucket {
  const { clock } = options
  const { burstBytes, bytesPerSecond } = options.bandwidth
  let tokens = burstBytes
  let filledAt = clock.monotonic()
  return {
    take(bytes) {
      const now = clock.monotonic()
      tokens = Math.min(burstBytes, tokens + ((now - filledAt) / SECOND_MS) * bytesPerSecond) - bytes
      filledAt = now
      return tokens >= 0 ? 0 : (-tokens / bytesPerSecond) * SECOND_MS
    },
  }
}
