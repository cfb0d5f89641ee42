/** The lifecycle of a function and of its updates: what may happen when, and what a step changes. Pure. */
import { functionArn, LATEST, type FunctionId } from '#contracts/arn.ts'
import { LambdaError, preconditionFailed, resourceConflict } from '#contracts/errors.ts'
import type { FunctionState, FunctionVersion } from '#contracts/function.ts'
import { mayFollow, type TransitionTable } from '#kernel/lifecycle.ts'

/**
 * Steps that the control plane takes. The states without a way in belong to features that do not exist here yet; a
 * failed function can only be deleted (developer guide, "Lambda function states"). With a capacity provider `$LATEST`
 * is ActiveNonInvocable, and a version is deactivated by a scaling configuration of zero; that one which is used again
 * goes through Pending is unverified.
 */
export const NEXT_FUNCTION_STATE = {
  Pending: ['Active', 'ActiveNonInvocable', 'Failed'],
  Active: ['Deactivating'],
  Failed: [],
  Inactive: [],
  Deactivating: ['Deactivated'],
  Deactivated: ['Pending'],
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

const CHANGEABLE: ReadonlySet<FunctionState> = new Set(['Active', 'ActiveNonInvocable', 'Inactive'])

/** Refuses a change of code or configuration, and publishing, at a time when AWS refuses it. */
export function assertChangeable(id: FunctionId, latest: FunctionVersion): void {
  if (!CHANGEABLE.has(latest.state)) {
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

/** The state of a version for which everything is ready. */
const readyState = ({ state, version, managedInstances }: FunctionVersion): FunctionState => {
  if (state === 'Deactivated') return state
  return managedInstances && version === LATEST ? 'ActiveNonInvocable' : 'Active'
}

/** The same version, ready and its update successful. */
export function prepared(version: FunctionVersion, revisionId: string): FunctionVersion {
  const state = step(version, readyState(version))
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

/** The same version on its next step by a scaling configuration. Throws when the table does not list it. */
export const stepped = (
  version: FunctionVersion,
  to: FunctionState,
  revisionId: string,
): FunctionVersion => ({
  ...withoutReasons(version),
  state: step(version, to),
  revisionId,
})

function step(version: FunctionVersion, to: FunctionState): FunctionState {
  if (version.state === to) return to
  if (mayFollow<FunctionState>(NEXT_FUNCTION_STATE, version.state, to)) return to
  throw new Error(`A function does not go from ${version.state} to ${to}`)
}

/** Reason codes that both enums of the API model know and that a preparation can end in. */
const REASON_CODES = new Set([
  'InvalidConfiguration',
  'EFSMountFailure',
  'InvalidRuntime',
  'InvalidZipFileException',
  'InvalidImage',
  'ImageDeleted',
  'ImageAccessDenied',
  'InsufficientCapacity',
  'FunctionError',
  'FunctionError.InitTimeout',
  'FunctionError.RuntimeInitError',
  'FunctionError.InvalidEntryPoint',
  'FunctionError.InvalidWorkingDirectory',
  'CapacityProviderScalingLimitExceeded',
  'DependencyError',
])
/** Of errors whose reason has another name. */
const RENAMED: Readonly<Record<string, string>> = {
  KMSDisabledException: 'DisabledKMSKey',
  KMSInvalidStateException: 'InvalidStateKMSKey',
  KMSAccessDeniedException: 'KMSKeyAccessDenied',
  KMSNotFoundException: 'KMSKeyNotFound',
}

function describe(error: unknown): { readonly reason: string; readonly code: string } {
  if (!(error instanceof LambdaError)) return { reason: 'An internal error occurred.', code: 'InternalError' }
  const short = error.code.replace(/Exception$/, '')
  const code =
    RENAMED[error.code] ?? [error.code, short].find((name) => REASON_CODES.has(name)) ?? 'InternalError'
  return { reason: error.message, code }
}
