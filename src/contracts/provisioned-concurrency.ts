/**
 * Provisioned concurrency as the planes share it: the control plane writes what was asked for, the data plane writes
 * what has become of it, and each only reads the other's document.
 */
import type { FunctionId } from '#contracts/arn.ts'
import type { Alias } from '#contracts/function.ts'

/** What was asked for, of one version or alias. */
export interface ProvisionedConcurrency extends FunctionId {
  /** A version number or the name of an alias. */
  readonly qualifier: string
  /** `ProvisionedConcurrentExecutions`. */
  readonly requested: number
  /** A new one with every change, so that a status says what it is about. */
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
}

/** Source: enum ProvisionedConcurrencyStatusEnum of the API model. */
export type ProvisioningStatus = 'IN_PROGRESS' | 'READY' | 'FAILED'

/** What has become of it. */
export interface ProvisionedConcurrencyState extends FunctionId {
  readonly qualifier: string
  /** Of the `ProvisionedConcurrency` it is about. */
  readonly token: string
  /** The version that the qualifier stood for. */
  readonly version: string
  /** Environments that exist for it, those included that initialise. */
  readonly allocated: number
  /** Those of them that are initialised. */
  readonly available: number
  readonly status: ProvisioningStatus
  /** Of FAILED. */
  readonly reason?: string
}

/** Initialisation failed in the customer's code (recorded from AWS). */
export const INIT_FAILURE = 'FUNCTION_ERROR_INIT_FAILURE'

/**
 * How many environments each version gets, the one that the qualifier stands for first. A weighted alias shares them by
 * weight and gives each version at least one; while it moves to another version both have all of them. That AWS rounds
 * up is unverified; it says only that the amount fluctuates during such deployments (API reference).
 */
export function sharesOf(
  requested: number,
  target: { readonly version: string } & Pick<Alias, 'additionalVersion' | 'moving'>,
): readonly { readonly version: string; readonly count: number }[] {
  const { version, additionalVersion, moving } = target
  if (!additionalVersion) return [{ version, count: requested }]
  const { weight } = additionalVersion
  const share = (part: number) => Math.max(1, Math.ceil(requested * part))
  return [
    { version, count: moving ? requested : share(1 - weight) },
    { version: additionalVersion.version, count: moving ? requested : share(weight) },
  ]
}

/** What a function takes out of the account's unreserved concurrency. */
export const takenConcurrency = (head: {
  readonly reservedConcurrency?: number
  readonly provisionedConcurrency?: number
}): number => head.reservedConcurrency ?? head.provisionedConcurrency ?? 0
