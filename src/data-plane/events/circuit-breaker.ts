/**
 * Stops events of a function that breaks: counts platform errors and timeouts, never throttles (a breaker that counts
 * those starves a throttled function) and never errors of the function's own. Pure; times are monotonic milliseconds.
 */

/** Outcomes that are looked at, and how many there must be. */
const WINDOW = 20
const MIN_SAMPLES = 10
const TRIP_SHARE = 0.5
const FIRST_OPEN_MS = 5_000
const NEXT_OPEN_MS = 10_000

export interface Breaker {
  /** The last outcomes, one bit each, the latest lowest; set: broken. */
  readonly outcomes: number
  readonly samples: number
  /** Nothing runs before. 0: closed. */
  readonly openUntil: number
  /** One event finds out whether it works again. */
  readonly probing: boolean
}

export const closedBreaker: Breaker = { outcomes: 0, samples: 0, openUntil: 0, probing: false }

function brokenCount({ outcomes }: Breaker): number {
  let count = 0
  for (let bits = outcomes; bits !== 0; bits &= bits - 1) count++
  return count
}

export const isJudged = ({ samples }: Breaker): boolean => samples >= MIN_SAMPLES
export const isBroken = (breaker: Breaker): boolean =>
  isJudged(breaker) && brokenCount(breaker) / breaker.samples >= TRIP_SHARE

/** `open` undefined: an event may run. A number: nothing before then. `probing`: one event runs, others wait for its end. */
export function breakerAllows(breaker: Breaker, now: number): 'yes' | 'probe' | 'wait' | number {
  if (breaker.openUntil === 0) return 'yes'
  if (now < breaker.openUntil) return breaker.openUntil
  return breaker.probing ? 'wait' : 'probe'
}

export const startProbe = (breaker: Breaker): Breaker => ({ ...breaker, probing: true })
/** The probe came to no result. */
export const endProbe = (breaker: Breaker): Breaker => ({ ...breaker, probing: false })

/** `mayTrip` false: most functions break, so it is not the function's fault and nothing opens. */
export function afterOutcome(breaker: Breaker, broken: boolean, now: number, mayTrip: boolean): Breaker {
  if (breaker.probing) return broken ? open(breaker, now + NEXT_OPEN_MS) : closedBreaker
  const next: Breaker = {
    outcomes: ((breaker.outcomes << 1) | (broken ? 1 : 0)) & (2 ** WINDOW - 1),
    samples: Math.min(WINDOW, breaker.samples + 1),
    openUntil: breaker.openUntil,
    probing: false,
  }
  return broken && next.openUntil === 0 && mayTrip && isBroken(next) ? open(next, now + FIRST_OPEN_MS) : next
}

const open = (breaker: Breaker, until: number): Breaker => ({
  ...breaker,
  openUntil: until,
  probing: false,
})
