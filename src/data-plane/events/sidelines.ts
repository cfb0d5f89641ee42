/** Queues that a noisy function gets to itself, so that it fills none of those that all share. */
import type { Clock } from '#kernel/clock.ts'

import {
  afterArrival,
  isNoisy,
  isQuiet,
  noArrivals,
  rateAt,
  type ArrivalRate,
  type Noise,
} from './sideline.ts'

export interface Sidelines {
  /** The queue of its own that the function's next event goes to; undefined: those that all share. */
  queueFor(key: string, depthOf: (queue: number) => number | undefined): number | undefined
  /** The queue is this node's no more: who had it goes back to those that all share. */
  lost(queue: number): void
  /** An event was stored. */
  arrived(key: string): void
  /** An event is done. */
  done(key: string): void
}

interface State {
  rate: ArrivalRate
  outstanding: number
  /** Its queue, and since when. */
  sidelined: { readonly queue: number; readonly since: number } | undefined
}

const MAX_FUNCTIONS = 10_000

export function createSidelines(options: {
  /** Numbers of the queues that may be given away. */
  readonly queues: readonly number[]
  readonly clock: Pick<Clock, 'monotonic'>
  /** Events a second that all slots get done. */
  readonly capacity: () => number
}): Sidelines {
  const { queues, clock, capacity } = options
  const functions = new Map<string, State>()
  const taken = new Map<number, number>()
  const take = (queue: number, by: 1 | -1) => taken.set(queue, (taken.get(queue) ?? 0) + by)

  const forgetQuiet = () => {
    let left = MAX_FUNCTIONS / 10
    for (const [key, { outstanding, sidelined }] of functions) {
      if (outstanding > 0 || sidelined) continue
      functions.delete(key)
      if (--left === 0) return
    }
    // More noisy functions than are remembered: the oldest of them is as good as new.
    for (const [key, { sidelined }] of functions) {
      if (left-- <= 0) return
      if (sidelined) take(sidelined.queue, -1)
      functions.delete(key)
    }
  }
  const noiseOf = ({ rate, outstanding }: State): Noise => ({
    outstanding,
    perSecond: rateAt(rate, clock.monotonic()),
    capacity: capacity(),
  })
  /** One that nobody has, the emptiest; else one that the fewest have. */
  const pick = (depthOf: (queue: number) => number | undefined): number | undefined => {
    let best: { queue: number; users: number; depth: number } | undefined
    for (const queue of queues) {
      const depth = depthOf(queue)
      if (depth === undefined) continue
      const users = taken.get(queue) ?? 0
      if (!best || users < best.users || (users === best.users && depth < best.depth))
        best = { queue, users, depth }
    }
    return best?.queue
  }

  return {
    queueFor(key, depthOf) {
      const state = functions.get(key)
      if (!state) return undefined
      if (state.sidelined) {
        const { queue, since } = state.sidelined
        if (!isQuiet(noiseOf(state), clock.monotonic() - since)) return queue
        take(queue, -1)
        state.sidelined = undefined
        return undefined
      }
      if (!isNoisy(noiseOf(state))) return undefined
      const queue = pick(depthOf)
      if (queue === undefined) return undefined
      take(queue, 1)
      state.sidelined = { queue, since: clock.monotonic() }
      return queue
    },
    lost(queue) {
      for (const state of functions.values())
        if (state.sidelined?.queue === queue) state.sidelined = undefined
      taken.delete(queue)
    },
    arrived(key) {
      let state = functions.get(key)
      if (!state) {
        if (functions.size >= MAX_FUNCTIONS) forgetQuiet()
        functions.set(key, (state = { rate: noArrivals, outstanding: 0, sidelined: undefined }))
      }
      state.outstanding++
      state.rate = afterArrival(state.rate, clock.monotonic())
    },
    done(key) {
      const state = functions.get(key)
      if (state && state.outstanding > 0) state.outstanding--
    },
  }
}
