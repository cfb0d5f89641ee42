/** Who may run one more invocation now: pure arithmetic on counters. */
import type { ThrottleReason } from '#contracts/errors.ts'

export interface AdmissionState {
  /** Undefined: the function shares the account's unreserved pool. */
  readonly reserved: number | undefined
  /** Invocations of this function that run now. */
  readonly running: number
  /** Invocations that run now of all functions without a reservation. */
  readonly unreservedRunning: number
  readonly accountConcurrency: number
  /** Sum of all reservations of the account and region. */
  readonly reservedSum: number
}

/** Undefined: admitted. A function with a reservation draws from it alone, all others from what is left. */
export function decideAdmission(state: AdmissionState): ThrottleReason | undefined {
  if (state.reserved !== undefined) {
    return state.running < state.reserved ? undefined : 'ReservedFunctionConcurrentInvocationLimitExceeded'
  }
  // The control plane keeps the sum below the limit; a limit that was lowered later must not turn negative here.
  const unreserved = Math.max(0, state.accountConcurrency - state.reservedSum)
  return state.unreservedRunning < unreserved ? undefined : 'ConcurrentInvocationLimitExceeded'
}
