/** How many receivers a queue gets: few while it is quiet, more while there is always something in it. Pure. */

export interface ReceiverLimits {
  /** Always kept. */
  readonly least: number
  readonly most: number
}

/** What one receiver has just met. */
export type Met = 'messages' | 'nothing' | 'throttled'

/** The number of receivers from now on. */
export function receiversAfter(met: Met, now: number, { least, most }: ReceiverLimits): number {
  switch (met) {
    case 'messages':
      // Each receiver that found something brings another one: the number doubles with every round.
      return Math.min(most, now + 1)
    case 'nothing':
      return Math.max(least, now - 1)
    case 'throttled':
      return Math.max(least, Math.floor(now / 2))
  }
}

const FIRST_DELAY_MS = 250
const LAST_DELAY_MS = 5_000

/**
 * Milliseconds to wait before a throttled batch is tried again; undefined when it had better go back to the queue, because
 * its messages could become visible to others while the function still works on them.
 */
export function throttleDelayMs(attempt: number, heldMs: number, visibilityMs: number): number | undefined {
  const delayMs = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt)
  return heldMs + delayMs < visibilityMs / 2 ? delayMs : undefined
}
