/** Who may run one more invocation now: pure arithmetic on counters. */
import type { ThrottleReason } from '#contracts/errors.ts'

/** Environments of one version that are provisioned. */
export interface ProvisionedState {
  /** Initialised ones. */
  readonly ready: number
  /** Invocations that run on them now. */
  readonly running: number
}

/** An invocation uses provisioned concurrency as long as there is any, and spills over to on-demand afterwards. */
export const hasProvisioned = ({ ready, running }: ProvisionedState) => running < ready

export interface AdmissionState {
  /** Undefined: the function shares the account's unreserved pool. */
  readonly reserved: number | undefined
  /** The part of the reservation that is provisioned: on-demand invocations can't have it. */
  readonly provisioned: number
  /** On-demand invocations of this function that run now. */
  readonly running: number
  /** On-demand invocations that run now of all functions without a reservation. */
  readonly unreservedRunning: number
  readonly accountConcurrency: number
  /** What all functions of the account and region take out of it, by reservations and by provisioned concurrency. */
  readonly takenSum: number
}

/**
 * Whether one more on-demand invocation may run; undefined: it may. A function with a reservation draws from it alone,
 * all others from what is left.
 */
export function decideAdmission(state: AdmissionState): ThrottleReason | undefined {
  if (state.reserved !== undefined) {
    const onDemand = Math.max(0, state.reserved - state.provisioned)
    return state.running < onDemand ? undefined : 'ReservedFunctionConcurrentInvocationLimitExceeded'
  }
  // The control plane keeps the sum below the limit; a limit that was lowered later must not turn negative here.
  const unreserved = Math.max(0, state.accountConcurrency - state.takenSum)
  return state.unreservedRunning < unreserved ? undefined : 'ConcurrentInvocationLimitExceeded'
}
