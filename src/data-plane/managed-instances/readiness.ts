/** Waits until a version has the environments it should have, or until it is clear that it won't. */
import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import type { ReadyFailure, ReadyState } from '#data-plane/placement/port.ts'

export interface Readiness {
  /** Told whatever placement says. */
  note(state: ReadyState): void
  /**
   * Resolves when exactly `wanted` are ready, or at least `required` of them when there is no room for more. Whoever
   * waited before is told that it was given up.
   */
  wait(wanted: number, required: number): Promise<void>
  /** Nobody needs to wait any more. */
  abandon(): void
}

export type Verdict = 'ready' | 'wait' | { readonly failed: ReadyFailure }

/** What the state means for whoever waits. Pure. */
export function verdictOf(state: ReadyState, wanted: number, required: number): Verdict {
  if (state.wanted !== wanted) return 'wait'
  if (state.ready === wanted) return 'ready'
  // Attempts that are under way may still succeed.
  if (!state.failure || state.starting > 0) return 'wait'
  if (state.failure.kind === 'capacity' && state.ready >= required) return 'ready'
  return { failed: state.failure }
}

/** Codes of the API model's enum StateReasonCode. */
const CODES = {
  init: 'FunctionError.RuntimeInitError',
  capacity: 'InsufficientCapacity',
  platform: 'InternalError',
} as const

export function createReadiness(): Readiness {
  let waiting:
    | { readonly wanted: number; readonly required: number; readonly end: PromiseWithResolvers<void> }
    | undefined
  const giveUp = () => {
    waiting?.end.reject(serviceFailure('Another scaling configuration took the place of this one'))
    waiting = undefined
  }
  return {
    note(state) {
      if (!waiting) return
      const { wanted, required, end } = waiting
      const verdict = verdictOf(state, wanted, required)
      if (verdict === 'wait') return
      waiting = undefined
      if (verdict === 'ready') end.resolve()
      else end.reject(new LambdaError(CODES[verdict.failed.kind], verdict.failed.message))
    },
    wait(wanted, required) {
      giveUp()
      const end = Promise.withResolvers<void>()
      waiting = { wanted, required, end }
      return end.promise
    },
    abandon: giveUp,
  }
}
