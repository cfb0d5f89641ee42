/**
 * How many events of one function may run at once: grows by one, falls by half (additive increase, multiplicative
 * decrease). A function that is throttled is found out by a few refusals instead of thousands. Pure.
 */

export interface AdaptiveLimit {
  readonly limit: number
  /** Successes since the last change. */
  readonly successes: number
  /** Failures in a row while the limit could not fall any further. */
  readonly failuresAtFloor: number
}

const START = 5
const FLOOR = 1
/** At the floor the pace falls instead: this long nothing of the function is tried, twice as long each time. */
const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 5_000

export const newLimit: AdaptiveLimit = { limit: START, successes: 0, failuresAtFloor: 0 }

/** One more after as many successes as may run at once. */
export function afterSuccess({ limit, successes, failuresAtFloor }: AdaptiveLimit): AdaptiveLimit {
  if (successes + 1 < limit) return { limit, successes: successes + 1, failuresAtFloor: 0 }
  return failuresAtFloor > 0
    ? { limit, successes: 0, failuresAtFloor: 0 }
    : { limit: limit + 1, successes: 0, failuresAtFloor: 0 }
}

export function afterFailure({ limit, failuresAtFloor }: AdaptiveLimit): AdaptiveLimit {
  return {
    limit: Math.max(FLOOR, Math.floor(limit / 2)),
    successes: 0,
    failuresAtFloor: limit === FLOOR ? failuresAtFloor + 1 : 0,
  }
}

/** How long nothing is tried after a failure. */
export const pauseMs = ({ failuresAtFloor }: AdaptiveLimit): number =>
  failuresAtFloor === 0 ? 0 : Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failuresAtFloor - 1))
