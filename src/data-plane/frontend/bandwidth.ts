/** How fast a streamed answer may leave. */
import type { Clock } from '#kernel/clock.ts'
import { overdraw } from '#kernel/token-bucket.ts'

export interface Bandwidth {
  /** Bytes that pass at any speed when nothing has passed for a while; `Infinity`: nothing is ever slowed down. */
  readonly burstBytes: number
  readonly bytesPerSecond: number
}

export interface BandwidthLimit {
  /** Takes `bytes` and says how many milliseconds to wait before they may pass. For one caller, which does wait. */
  take(bytes: number): number
}

export function createBandwidthLimit(options: {
  readonly bandwidth: Bandwidth
  readonly clock: Pick<Clock, 'monotonic'>
}): BandwidthLimit {
  const { clock } = options
  const { burstBytes, bytesPerSecond } = options.bandwidth
  const bucket = { tokens: burstBytes, at: clock.monotonic() }
  const rate = { perSecond: bytesPerSecond, capacity: burstBytes }
  return { take: (bytes) => overdraw(bucket, rate, bytes, clock.monotonic()) }
}
