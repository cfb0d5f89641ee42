/**
 * Capacity providers (Lambda Managed Instances): groups of hosts that functions are placed on, and what a function that
 * uses one keeps of it. The table is the rule of a provider's life; the diagram in docs/lifecycles is made from it.
 */
import type { FunctionId, Scope } from '#contracts/arn.ts'
import type { TransitionTable } from '#kernel/lifecycle.ts'

/**
 * - `Pending`: accepted; its hosts are being made sure of.
 * - `Active`: functions may be placed on it.
 * - `Failed`: it can't serve anybody; it can only be deleted.
 * - `Deleting`: nobody may use it any more; it goes.
 */
export type CapacityProviderState = 'Pending' | 'Active' | 'Failed' | 'Deleting'

export const NEXT_CAPACITY_PROVIDER_STATE = {
  Pending: ['Active', 'Failed', 'Deleting'],
  Active: ['Deleting'],
  Failed: ['Deleting'],
  Deleting: [],
} as const satisfies TransitionTable<CapacityProviderState>

export interface ScalingPolicy {
  readonly predefinedMetricType: string
  readonly targetValue: number
}

export interface CapacityProvider extends Scope {
  readonly name: string
  readonly state: CapacityProviderState
  readonly subnetIds: readonly string[]
  readonly securityGroupIds: readonly string[]
  readonly operatorRoleArn: string
  readonly architecture: 'x86_64' | 'arm64'
  readonly allowedInstanceTypes?: readonly string[]
  readonly excludedInstanceTypes?: readonly string[]
  readonly maxVCpuCount: number
  readonly scalingMode: 'Auto' | 'Manual'
  readonly scalingPolicies?: readonly ScalingPolicy[]
  readonly kmsKeyArn?: string
  readonly tags: Readonly<Record<string, string>>
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
}

/** What a function version keeps of its capacity provider, which is one of its own account and region. */
export interface ManagedInstances {
  readonly capacityProvider: string
  /** Invocations that one environment of the version runs at the same time. */
  readonly maxConcurrency: number
  readonly memoryGiBPerVCpu: number
}

/** How many environments a function version may have. Both 0: it is deactivated. */
export interface ScalingLimits {
  readonly minEnvironments: number
  readonly maxEnvironments: number
}

/** The scaling configuration of one published version, as it was asked for and as it is in effect. */
export interface FunctionScaling extends FunctionId {
  /** A number or `$LATEST.PUBLISHED`. */
  readonly version: string
  readonly requested: ScalingLimits
  readonly applied?: ScalingLimits
}

/**
 * Without a configuration of its own: three environments, as AWS starts for its three availability zones, and as many
 * more as the provider has room for (developer guide, "Scaling Lambda Managed Instances"; the maximum is the API's).
 */
export const DEFAULT_SCALING: ScalingLimits = { minEnvironments: 3, maxEnvironments: 15_000 }

export const isDeactivated = ({ minEnvironments, maxEnvironments }: ScalingLimits) =>
  minEnvironments === 0 && maxEnvironments === 0

export const sameScaling = (one: ScalingLimits | undefined, other: ScalingLimits) =>
  one?.minEnvironments === other.minEnvironments && one.maxEnvironments === other.maxEnvironments

/** vCPUs of one environment. */
export const vCpusOf = (
  memoryMiB: number,
  { memoryGiBPerVCpu }: Pick<ManagedInstances, 'memoryGiBPerVCpu'>,
) => memoryMiB / 1024 / memoryGiBPerVCpu
