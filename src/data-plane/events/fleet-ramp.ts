/**
 * How much of all slots may be used: everything, unless most functions break at once, which is nobody's own fault (a
 * dependency of all is down), or a long backlog was found at the start. Then a tenth, doubled step by step. Pure; times
 * are monotonic milliseconds.
 */

const FIRST_SHARE = 0.1
const STEP_MS = 10_000
/** Fewer functions say nothing about all. */
const MIN_FUNCTIONS = 3
const FLEET_SHARE = 0.5

export interface Ramp {
  /** Up to 1. */
  readonly share: number
  /** When the share was set. */
  readonly since: number
}

export const fullSpeed: Ramp = { share: 1, since: 0 }
export const startRamp = (now: number): Ramp => ({ share: FIRST_SHARE, since: now })

/** Of the functions that ran lately, `broken` fail. */
export const isFleetWide = ({ judged, broken }: { readonly judged: number; readonly broken: number }) =>
  judged >= MIN_FUNCTIONS && broken / judged > FLEET_SHARE

/** `isHeld`: it must not grow now, since what was the matter still is, or the host has more to do than it should. */
export function rampAt(ramp: Ramp, now: number, isHeld: () => boolean): Ramp {
  if (ramp.share >= 1 || now - ramp.since < STEP_MS) return ramp
  return { share: isHeld() ? ramp.share : Math.min(1, ramp.share * 2), since: now }
}

export const rampedSlots = ({ share }: Ramp, slots: number): number =>
  share >= 1 ? slots : Math.max(1, Math.ceil(slots * share))
