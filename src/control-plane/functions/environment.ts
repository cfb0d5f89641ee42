/** A function's environment variables: what is accepted, and how they rest in the store. */
import type { FunctionId } from '#contracts/arn.ts'
import { invalidParameter, validationFailed } from '#contracts/errors.ts'
import { environmentContext } from '#contracts/function.ts'
import type { Sealer } from '#kernel/sealed.ts'

export type Variables = Readonly<Record<string, string>>

/** Size of the variables' JSON (recorded from AWS). */
const MAX_ENVIRONMENT_BYTES = 4096
const NAME = /^[a-zA-Z]([a-zA-Z0-9_])+$/

/** What Lambda itself sets and does not let anybody change (developer guide, "Reserved environment variables"). */
const RESERVED = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
])

const UNABLE =
  'Lambda was unable to configure your environment variables because the environment variables you have provided'

export function assertVariables(variables: Variables): void {
  const names = Object.keys(variables)
  // Reserved names come first: some of them break the pattern as well.
  const reserved = names.filter((name) => RESERVED.has(name))
  if (reserved.length > 0) {
    throw invalidParameter(
      `${UNABLE} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    )
  }
  if (!names.every((name) => NAME.test(name))) {
    // AWS leaves the value out, because it is marked sensitive.
    throw validationFailed(
      `1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+, Member must not be null]`,
    )
  }
  const json = JSON.stringify(variables)
  if (Buffer.byteLength(json) > MAX_ENVIRONMENT_BYTES) {
    throw invalidParameter(`${UNABLE} exceeded the 4KB limit. String measured: ${json}`)
  }
}

/**
 * Seals the variables. When `before` holds the same ones it comes back unchanged, so that setting what is set already is
 * no change of the function's content.
 */
export function sealVariables(sealer: Sealer, id: FunctionId, variables: Variables, before?: string): string {
  const json = JSON.stringify(variables)
  const context = environmentContext(id)
  if (before !== undefined) {
    try {
      if (sealer.open(before, context) === json) return before
    } catch {
      // Sealed with a key that is gone: the new variables simply replace it.
    }
  }
  return sealer.seal(json, context)
}

/** The variables, or undefined when they can't be opened (another key, or changed bytes). */
export function openVariables(sealer: Sealer, id: FunctionId, sealed: string): Variables | undefined {
  try {
    return JSON.parse(sealer.open(sealed, environmentContext(id))) as Variables
  } catch {
    return undefined
  }
}
