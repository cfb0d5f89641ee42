import type { FunctionVersion } from '#contracts/function.ts'
import { LATEST } from '#contracts/arn.ts'
import { LambdaError, resourceConflict } from '#contracts/errors.ts'

/**
 * Undefined when the version may be invoked in its present state, otherwise what the client is told.
 * The text for Pending is recorded from AWS; that the other states get the same one is unverified.
 */
export function refusalByState({ state, snapStart, version }: FunctionVersion): LambdaError | undefined {
  if (state === 'Active') return undefined
  // Its snapshot is being taken. Name of the API model; the text is unverified.
  if (state === 'Pending' && snapStart === 'PublishedVersions' && version !== LATEST)
    return new LambdaError(
      'SnapStartNotReadyException',
      'Lambda is initializing your function. It will be ready to invoke once your function state becomes active.',
      { status: 409 },
    )
  return resourceConflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
  )
}
