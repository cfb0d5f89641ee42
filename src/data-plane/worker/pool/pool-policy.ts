/** How many booted sandboxes of each shape are kept: as many as were lately wanted in a short time, within a bound. */
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#kernel/units.ts'

/** What is remembered of how a shape was wanted. Times are monotonic milliseconds. */
export interface Demand {
  /** Most that were taken within a window, as of `peakAt`; it halves with time. */
  readonly peak: number
  readonly peakAt: number
  /** When the window began that is being counted, and what was taken in it so far. */
  readonly window: number
  readonly taken: number
  /** When a function of this shape was last heard of. */
  readonly seenAt: number
}

/** Long enough for a burst that finds nothing ready: it is let in slowly, and all of it counts. */
const WINDOW_MS = 10 * SECOND_MS
const HALF_LIFE_MS = 5 * MINUTE_MS
/** More would boot faster than they could be used: a burst beyond it is served by boots of its own. */
export const MAX_READY = 32
/** Kept for a shape that is heard of now and then, so that the next function of it is a hit. */
const LIVELY_READY = 2
const LIVELY_MS = 30 * MINUTE_MS
/** A shape that was not heard of for so long gets nothing. */
const FORGET_MS = 6 * HOUR_MS

export const noDemand = (now: number): Demand => ({
  peak: 0,
  peakAt: now,
  window: now,
  taken: 0,
  seenAt: now,
})

const peakAt = ({ peak, peakAt: then }: Demand, now: number) => peak * 0.5 ** ((now - then) / HALF_LIFE_MS)

export function demandAfterTake(demand: Demand, now: number): Demand {
  const sameWindow = now - demand.window < WINDOW_MS
  const taken = sameWindow ? demand.taken + 1 : 1
  return {
    peak: Math.max(peakAt(demand, now), taken),
    peakAt: now,
    window: sameWindow ? demand.window : now,
    taken,
    seenAt: now,
  }
}

/** Somebody says that it will be wanted, `peak` at a time. */
export const demandAfterHearsay = (demand: Demand, peak: number, now: number): Demand => ({
  ...demand,
  peak: Math.min(MAX_READY, Math.max(peakAt(demand, now), peak)),
  peakAt: now,
  seenAt: now,
})

/** How many should be ready. One more than the peak: the next burst may begin before the last one is made up for. */
export function wantedReady(demand: Demand, now: number): number {
  const silentMs = now - demand.seenAt
  if (silentMs >= FORGET_MS) return 0
  const least = silentMs < LIVELY_MS ? LIVELY_READY : 1
  const peak = peakAt(demand, now)
  // A peak that has decayed below one is noise, not demand.
  return Math.min(MAX_READY, Math.max(least, peak < 1 ? 0 : Math.ceil(peak) + 1))
}

export interface ShapeDemand {
  readonly key: string
  readonly wanted: number
  readonly sizeMiB: number
  readonly seenAt: number
}

/**
 * Divides the memory: everybody gets one, then everybody another, and so on, those heard of last first, until each has
 * what it wants or the memory is used up.
 */
export function allot(shapes: readonly ShapeDemand[], budgetMiB: number): ReadonlyMap<string, number> {
  const latestFirst = shapes.toSorted((a, b) => b.seenAt - a.seenAt)
  const allotted = new Map<string, number>()
  let left = budgetMiB
  for (let round = 1; round <= MAX_READY; round++) {
    for (const { key, wanted, sizeMiB } of latestFirst) {
      if (wanted < round || sizeMiB > left) continue
      left -= sizeMiB
      allotted.set(key, round)
    }
  }
  return allotted
}

/** One shape now, against what it is allotted. */
export interface ShapeSupply {
  readonly key: string
  readonly ready: number
  /** Being booted. */
  readonly coming: number
  readonly allotted: number
}

export type PoolStep = { readonly do: 'boot' | 'drop'; readonly key: string } | { readonly do: 'nothing' }

/** What to do next. Dropping comes first, because it makes room; then whoever lacks most. */
export function nextStep(shapes: readonly ShapeSupply[]): PoolStep {
  const surplus = shapes.find(({ ready, allotted }) => ready > allotted)
  if (surplus) return { do: 'drop', key: surplus.key }
  let most = 0
  let neediest: string | undefined
  for (const { key, ready, coming, allotted } of shapes) {
    // As a share: the first of a shape is worth more than the tenth of another.
    const lack = (allotted - ready - coming) / Math.max(1, allotted)
    if (lack <= most) continue
    most = lack
    neediest = key
  }
  return neediest === undefined ? { do: 'nothing' } : { do: 'boot', key: neediest }
}
