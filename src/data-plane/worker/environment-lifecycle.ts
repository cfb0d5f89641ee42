/** Holds the state of one environment and refuses every step that the table does not list. */
import { NEXT_ENVIRONMENT_STATE, type EnvironmentState } from '#contracts/environment.ts'
import { mayFollow } from '#kernel/lifecycle.ts'

export interface EnvironmentLifecycle {
  readonly state: EnvironmentState
  /** Throws `TypeError` when the step is not in the table: a bug of ours, never the function's. */
  to(next: EnvironmentState): void
  may(next: EnvironmentState): boolean
}

export function createEnvironmentLifecycle(initial: EnvironmentState = 'booting'): EnvironmentLifecycle {
  let state = initial
  return {
    get state() {
      return state
    },
    may: (next) => mayFollow(NEXT_ENVIRONMENT_STATE, state, next),
    to(next) {
      if (!mayFollow(NEXT_ENVIRONMENT_STATE, state, next)) {
        throw new TypeError(`An environment cannot go from ${state} to ${next}`)
      }
      state = next
    },
  }
}
