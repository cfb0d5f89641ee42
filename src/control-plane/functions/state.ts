/** The lifecycle of a function and of its updates: what may happen when, and what a step changes. Pure. */
import { functionArn, type FunctionId } from '#contracts/arn.ts'
import { LambdaError, preconditionFailed, resourceConflict } from '#contracts/errors.ts'
import type { FunctionState, FunctionVersion } from '#contracts/function.ts'
import { mayFollow, type TransitionTable } from '#kernel/lifecycle.ts'

/**
 * Steps that the control plane takes. The states without a way in belong to features that do not exist here yet; a
 * failed function can only be deleted (developer guide, "Lambda function states").
 */
export const NEXT_FUNCTION_STATE = {
  Pending: ['Active', 'Failed'],
  Active: [],
  Failed: [],
  Inactive: [],
  Deactivating: [],
  Deactivated: [],
  ActiveNonInvocable: [],
  Deleting: [],
} as const satisfies TransitionTable<FunctionState>

/** Recorded from AWS, which uses the same words for creating and for updating. */
const REASON = { reason: 'The function is being created.', code: 'Creating' }

export const CREATING = {
  state: 'Pending',
  stateReason: REASON.reason,
  stateReasonCode: REASON.code,
} as const satisfies Partial<FunctionVersion>

export const UPDATING = {
  lastUpdateStatus: 'InProgress',
  lastUpdateStatusReason: REASON.reason,
  lastUpdateStatusReasonCode: REASON.code,
} as const satisfies Partial<FunctionVersion>

const withoutReasons = (version: FunctionVersion): FunctionVersion => {
  const {
    stateReason: _stateReason,
    stateReasonCode: _stateReasonCode,
    lastUpdateStatusReason: _updateReason,
    lastUpdateStatusReasonCode: _updateReasonCode,
    ...rest
  } = version
  return rest
}

/** True while something is being prepared for this version, so that nothing else may change it. */
export const isInTransition = (version: FunctionVersion) =>
  version.state === 'Pending' || version.lastUpdateStatus === 'InProgress'

/** Refuses a version that can't run. The text is recorded from AWS for Invoke. */
export function assertInvocable({ state }: FunctionVersion): void {
  if (state === 'Active') return
  throw resourceConflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
  )
}

/** Refuses a change of code or configuration, and publishing, at a time when AWS refuses it. */
export function assertChangeable(id: FunctionId, latest: FunctionVersion): void {
  if (latest.state !== 'Active' && latest.state !== 'Inactive') {
    throw resourceConflict(
      `The operation cannot be performed at this time. The function is currently in the following state: ${latest.state}`,
    )
  }
  if (latest.lastUpdateStatus === 'InProgress') {
    throw resourceConflict(
      `The operation cannot be performed at this time. An update is in progress for resource: ${functionArn(id)}`,
    )
  }
}

/** Refuses a request that was made for another revision. */
export function assertRevision(current: string, requested: string | undefined): void {
  if (!requested || requested === current) return
  throw preconditionFailed(
    'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
  )
}

/** The same version, Active and its update successful. */
export function prepared(version: FunctionVersion, revisionId: string): FunctionVersion {
  const state = step(version, 'Active')
  return { ...withoutReasons(version), state, lastUpdateStatus: 'Successful', revisionId }
}

/** The same version after its preparation failed: the function if it was being created, else its update. */
export function failed(version: FunctionVersion, error: unknown, revisionId: string): FunctionVersion {
  const { reason, code } = describe(error)
  const rest = withoutReasons(version)
  return version.state === 'Pending'
    ? {
        ...rest,
        state: step(version, 'Failed'),
        stateReason: reason,
        stateReasonCode: code,
        lastUpdateStatus: 'Failed',
        lastUpdateStatusReason: reason,
        lastUpdateStatusReasonCode: code,
        revisionId,
      }
    : {
        ...rest,
        lastUpdateStatus: 'Failed',
        lastUpdateStatusReason: reason,
        lastUpdateStatusReasonCode: code,
        revisionId,
      }
}

function step(version: FunctionVersion, to: FunctionState): FunctionState {
  if (version.state === to) return to
  if (mayFollow<FunctionState>(NEXT_FUNCTION_STATE, version.state, to)) return to
  throw new Error(`A function does not go from ${version.state} to ${to}`)
}

/** Reason codes that both enums of the API model know and that a preparation can end in. */
const REASON_CODES = new Set([
  'InvalidConfiguration',
  'InvalidRuntime',
  'InvalidZipFileException',
  'InvalidImage',
  'ImageDeleted',
  'ImageAccessDenied',
  'InsufficientCapacity',
  'FunctionError',
  'DependencyError',
])

function describe(error: unknown): { readonly reason: string; readonly code: string } {
  if (!(error instanceof LambdaError)) return { reason: 'An internal error occurred.', code: 'InternalError' }
  const short = error.code.replace(/Exception$/, '')
  const code = [error.code, short].find((name) => REASON_CODES.has(name)) ?? 'InternalError'
  return { reason: error.message, code }
}
