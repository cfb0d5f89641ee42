/** What clients are told when a snapshot can't be taken or continued. Names of AWS's API model; texts unverified. */
import { LambdaError } from '#contracts/errors.ts'
import type { Verdict } from '#data-plane/worker/verdict.ts'

/** The state reason of the version. */
export function snapshotFailure({ report }: Verdict): LambdaError {
  if (report?.status === 'timeout') {
    return new LambdaError('FunctionError.InitTimeout', 'The initialization of the function timed out.')
  }
  const errorType = report?.status === 'error' ? `: ${report.errorType}` : ''
  return new LambdaError(
    'FunctionError.RuntimeInitError',
    `The function failed to initialize while its snapshot was taken${errorType}.`,
  )
}

export const snapStartFailure = () =>
  new LambdaError(
    'SnapStartException',
    'The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs.',
    { status: 400 },
  )

export const snapStartTimeout = () =>
  new LambdaError(
    'SnapStartTimeoutException',
    "Lambda couldn't restore the snapshot within the timeout limit.",
    { status: 408 },
  )
