/** How many environments a version on a capacity provider may have: what a request says, and what it changes. Pure. */
import {
  DEFAULT_SCALING,
  isDeactivated,
  type FunctionScaling,
  type ScalingLimits,
} from '#contracts/capacity-provider.ts'
import { invalidParameter, resourceConflict } from '#contracts/errors.ts'
import type { FunctionState } from '#contracts/function.ts'

export interface FunctionScalingRequest {
  readonly MinExecutionEnvironments?: number | undefined
  readonly MaxExecutionEnvironments?: number | undefined
}

/** What the request leaves out has its default, no more than the maximum that it names. Texts unverified. */
export function requestedLimits(request: FunctionScalingRequest | undefined): ScalingLimits {
  const maxEnvironments = request?.MaxExecutionEnvironments ?? DEFAULT_SCALING.maxEnvironments
  const minEnvironments =
    request?.MinExecutionEnvironments ?? Math.min(DEFAULT_SCALING.minEnvironments, maxEnvironments)
  if (minEnvironments > maxEnvironments) {
    throw invalidParameter('MinExecutionEnvironments must be less than or equal to MaxExecutionEnvironments.')
  }
  return { minEnvironments, maxEnvironments }
}

/** The state a version is in as soon as the limits are stored. Refuses a version that is on its way somewhere. */
export function stateAfterRequest(state: FunctionState, limits: ScalingLimits): FunctionState {
  if (state === 'Active') return isDeactivated(limits) ? 'Deactivating' : 'Active'
  if (state === 'Deactivated') return isDeactivated(limits) ? 'Deactivated' : 'Pending'
  throw resourceConflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
  )
}

/**
 * Limits that placement is given, and how many environments have to be ready. Of the default ones a host without room
 * for all may have fewer: nobody asked for them.
 */
export function limitsOf(scaling: FunctionScaling | undefined): {
  readonly limits: ScalingLimits
  readonly required: number
} {
  return scaling
    ? { limits: scaling.requested, required: scaling.requested.minEnvironments }
    : { limits: DEFAULT_SCALING, required: 1 }
}

/** Members as the API writes them. */
export const limitsView = (limits: ScalingLimits) => ({
  MinExecutionEnvironments: limits.minEnvironments,
  MaxExecutionEnvironments: limits.maxEnvironments,
})
