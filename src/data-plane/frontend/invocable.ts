import type { FunctionVersion } from '#contracts/function.ts'
import { resourceConflict, type LambdaError } from '#contracts/errors.ts'

/**
 * Undefined when the version may be invoked in its present state, otherwise what the client is told.
 * The text for Pending is recorded from AWS; that the other states get the same one is unverified.
 */
export function refusalByState({ state }: FunctionVersion): LambdaError | undefined {
  if (state === 'Active') return undefined
  return resourceConflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
  )
}
