/** When a function gets a queue to itself, and when it comes back to those that all share. Pure. */

/** Bounds of what may lie in a shared queue, whatever the capacity is taken for. */
const MIN_OUTSTANDING = 64
const MAX_OUTSTANDING = 1_000
const NOISY_SHARE = 0.1
const QUIET_SHARE = 0.05
const MIN_STAY_MS = 60_000
/** Rates are of buckets of a second; the latest counts this much. */
const BUCKET_MS = 1_000
const ALPHA = 0.4

/** Arrivals a second, smoothed. Times are monotonic milliseconds. */
export interface ArrivalRate {
  readonly bucket: number
  readonly arrivals: number
  readonly perSecond: number
}

export const noArrivals: ArrivalRate = { bucket: 0, arrivals: 0, perSecond: 0 }

/** The rate with the buckets that have ended since. */
function upTo(rate: ArrivalRate, bucket: number): ArrivalRate {
  const ended = bucket - rate.bucket
  if (ended <= 0) return rate
  const afterFirst = ALPHA * rate.arrivals + (1 - ALPHA) * rate.perSecond
  return { bucket, arrivals: 0, perSecond: afterFirst * (1 - ALPHA) ** (ended - 1) }
}

export function afterArrival(rate: ArrivalRate, now: number): ArrivalRate {
  const current = upTo(rate, Math.floor(now / BUCKET_MS))
  return { ...current, arrivals: current.arrivals + 1 }
}

export const rateAt = (rate: ArrivalRate, now: number): number =>
  upTo(rate, Math.floor(now / BUCKET_MS)).perSecond

export interface Noise {
  /** Events of the function that are stored and not done. */
  readonly outstanding: number
  readonly perSecond: number
  /** Events a second that all slots together get done. */
  readonly capacity: number
}

/** As much is stored as its share of the slots does in ten seconds, or more comes than its share does and it piles up. */
export function isNoisy({ outstanding, perSecond, capacity }: Noise): boolean {
  const bound = Math.min(MAX_OUTSTANDING, Math.max(MIN_OUTSTANDING, capacity))
  if (outstanding >= bound) return true
  return (
    perSecond > NOISY_SHARE * capacity && outstanding > Math.max(MIN_OUTSTANDING / 2, NOISY_SHARE * bound)
  )
}

export const isQuiet = ({ outstanding, perSecond, capacity }: Noise, sidelinedForMs: number): boolean =>
  sidelinedForMs >= MIN_STAY_MS && outstanding === 0 && perSecond < QUIET_SHARE * capacity
