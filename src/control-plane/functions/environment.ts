/** A function's environment variables: what is accepted, and how they rest in the store. */
import type { FunctionConfiguration } from '@aws-sdk/client-lambda'

import type { FunctionId } from '#contracts/arn.ts'
import { encryptFailure, hiddenVariables } from '#contracts/customer-keys.ts'
import { invalidParameter, validationFailed } from '#contracts/errors.ts'
import type { EnvironmentVault } from '#contracts/environment-vault.ts'
import type { FunctionVersion } from '#contracts/function.ts'

import type { RequestContext } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'

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
  if (Object.values(variables).some((value) => value.includes('\0'))) {
    // No process can have it. What AWS says is unverified.
    throw invalidParameter(`${UNABLE} contains a zero byte.`)
  }
  const json = JSON.stringify(variables)
  if (Buffer.byteLength(json) > MAX_ENVIRONMENT_BYTES) {
    throw invalidParameter(`${UNABLE} exceeded the 4KB limit. String measured: ${json}`)
  }
}

/** Variables of a function and the key they are to rest under. */
interface Wanted {
  readonly variables: Variables
  readonly kmsKeyArn: string | undefined
}

/** What is there already. */
type Before = Pick<FunctionVersion, 'sealedEnvironment' | 'kmsKeyArn'>

/**
 * Seals the variables. When `before` holds the same ones under the same key they come back unchanged, so that setting
 * what is set already is no change of the function's content. Throws InvalidParameterValueException when the key can't
 * be used.
 */
export async function sealVariables(
  vault: EnvironmentVault,
  id: FunctionId,
  { variables, kmsKeyArn }: Wanted,
  before?: Before,
): Promise<string> {
  const json = JSON.stringify(variables)
  const { sealedEnvironment } = before ?? {}
  if (sealedEnvironment !== undefined && before?.kmsKeyArn === kmsKeyArn) {
    try {
      if ((await vault.open(id, sealedEnvironment)) === json) return sealedEnvironment
    } catch {
      // Sealed with a key that is gone: the new variables simply replace it.
    }
  }
  try {
    return await vault.seal(id, json, kmsKeyArn)
  } catch (error) {
    throw encryptFailure(error)
  }
}

/**
 * What an update makes of the variables: new ones, those that are there under another key, or undefined for no change.
 * Throws as `sealVariables` does, and when those that are there can't be opened to be encrypted anew.
 */
export async function changedVariables(
  vault: EnvironmentVault,
  before: FunctionVersion,
  request: { readonly variables: Variables | undefined; readonly kmsKeyArn: string | undefined },
): Promise<string | undefined> {
  const kmsKeyArn = request.kmsKeyArn === undefined ? before.kmsKeyArn : request.kmsKeyArn || undefined
  if (request.variables) {
    return await sealVariables(vault, before, { variables: request.variables, kmsKeyArn }, before)
  }
  if (before.sealedEnvironment === undefined || kmsKeyArn === before.kmsKeyArn) return undefined
  try {
    return await vault.seal(before, await vault.open(before, before.sealedEnvironment), kmsKeyArn)
  } catch (error) {
    throw encryptFailure(error)
  }
}

/** Shows the variables of a function to one caller. */
export type VariablesView = (version: FunctionVersion) => Promise<FunctionConfiguration['Environment']>

/** AWS decrypts them in the caller's name, who must be allowed to use a customer's key. */
export const variablesFor =
  (
    { environments, keyReaders }: Pick<Dependencies, 'environments' | 'keyReaders'>,
    { principal, region }: Pick<RequestContext, 'principal' | 'region'>,
  ): VariablesView =>
  async (version) => {
    const { sealedEnvironment, kmsKeyArn } = version
    if (sealedEnvironment === undefined) return undefined
    try {
      if (kmsKeyArn !== undefined) await keyReaders?.assertMayDecrypt(principal, region, kmsKeyArn)
      return { Variables: JSON.parse(await environments.open(version, sealedEnvironment)) }
    } catch (error) {
      return { Error: hiddenVariables(error) }
    }
  }
