/** How many messages a second an endpoint takes (`maxReceivesPerSecond` of a delivery policy). */

export interface Pace {
  /** When the next message may go to the endpoint, which takes that moment: now, or later. Wall-clock milliseconds. */
  next(endpoint: string, perSecond: number, now: number): number
}

/** Endpoints whose next moment is remembered; beyond it the one that was asked for longest ago starts anew. */
const MAX_ENDPOINTS = 10_000

export function createPace(): Pace {
  const free = new Map<string, number>()
  return {
    next(endpoint, perSecond, now) {
      const at = Math.max(now, free.get(endpoint) ?? now)
      free.delete(endpoint)
      free.set(endpoint, at + 1000 / perSecond)
      const oldest = free.size > MAX_ENDPOINTS ? free.keys().next().value : undefined
      if (oldest !== undefined) free.delete(oldest)
      return Math.ceil(at)
    },
  }
}
