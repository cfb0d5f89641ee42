/** What a capacity provider makes of a function: its settings, and what AWS refuses about them. Pure. */
import type { Scope } from '#contracts/arn.ts'
import type { CapacityProvider, ManagedInstances } from '#contracts/capacity-provider.ts'
import { vCpusOf } from '#contracts/capacity-provider.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { findRuntime } from '#contracts/runtime.ts'

import { providerName } from './provider-reference.ts'

export interface CapacityProviderConfigRequest {
  readonly LambdaManagedInstancesCapacityProviderConfig?:
    | {
        readonly CapacityProviderArn?: string | undefined
        readonly PerExecutionEnvironmentMaxConcurrency?: number | undefined
        readonly ExecutionEnvironmentMemoryGiBPerVCpu?: number | undefined
      }
    | undefined
}

/** Members of the same request that a capacity provider has a say in. */
export interface ManagedRequest {
  readonly CapacityProviderConfig?: CapacityProviderConfigRequest | undefined
  readonly MemorySize?: number | undefined
  readonly LoggingConfig?: { readonly LogFormat?: string | undefined } | undefined
}

/** Two GiB and one vCPU are the least (developer guide); seen from AWS as the default memory. */
const MIN_MEMORY_MIB = 2048
const DEFAULT_MEMORY_GIB_PER_VCPU = 2
const MEMORY_RATIOS = [2, 4, 8]

/** Invocations at once for each vCPU, by the runtime's documentation; for other languages unverified. */
const CONCURRENCY_PER_VCPU: Readonly<Record<string, number>> = {
  nodejs: 64,
  java: 32,
  dotnet: 32,
  python: 16,
}
const OTHER_CONCURRENCY_PER_VCPU = 8
const MAX_CONCURRENCY = 1600

/** Oldest releases that can run several invocations at once (developer guide). */
const OLDEST = { nodejs: 22, python: 3.13, java: 21, dotnet: 8 }

function supportsManagedInstances(identifier: string | undefined): boolean {
  if (identifier === undefined) return true
  const runtime = findRuntime(identifier)
  switch (runtime?.family) {
    case 'nodejs':
    case 'python':
    case 'java':
    case 'dotnet':
      return Number.parseFloat(runtime.release) >= OLDEST[runtime.family]
    case 'provided':
      return runtime.release === 'al2023'
    default:
      return false
  }
}

const defaultConcurrency = (runtime: string | undefined, vCpus: number) => {
  const perVCpu = CONCURRENCY_PER_VCPU[findRuntime(runtime ?? '')?.family ?? ''] ?? OTHER_CONCURRENCY_PER_VCPU
  return Math.min(MAX_CONCURRENCY, Math.max(1, Math.floor(perVCpu * vCpus)))
}

/** The provider's plain name in a request that names one. Throws 404 for one of another account or region. */
export const requestedProvider = (scope: Scope, request: ManagedRequest): string | undefined => {
  const arn =
    request.CapacityProviderConfig?.LambdaManagedInstancesCapacityProviderConfig?.CapacityProviderArn
  return arn === undefined ? undefined : providerName(scope, arn)
}

/**
 * `version` with a request's CapacityProviderConfig applied; members that the request leaves out stay, or get their
 * defaults. A function is on a provider from its creation on or never, so that an ordinary one is refused.
 */
export function changedManagedInstances(
  version: FunctionVersion,
  request: ManagedRequest,
  provider: CapacityProvider | undefined,
): FunctionVersion {
  // A change is refused while a function is Pending, so that only one being created is.
  const isNew = version.state === 'Pending'
  if (!version.managedInstances && !(provider && isNew)) {
    // Text seen from AWS.
    if (request.CapacityProviderConfig) {
      throw invalidParameter("CapacityProviderConfig isn't supported for Lambda Default functions.")
    }
    return version
  }
  const asked = request.CapacityProviderConfig?.LambdaManagedInstancesCapacityProviderConfig
  const before = version.managedInstances
  const memoryMiB = isNew ? (request.MemorySize ?? MIN_MEMORY_MIB) : version.memoryMiB
  const memoryGiBPerVCpu =
    asked?.ExecutionEnvironmentMemoryGiBPerVCpu ?? before?.memoryGiBPerVCpu ?? DEFAULT_MEMORY_GIB_PER_VCPU
  const vCpus = vCpusOf(memoryMiB, { memoryGiBPerVCpu })
  const managedInstances: ManagedInstances = {
    capacityProvider: provider?.name ?? before?.capacityProvider ?? '',
    maxConcurrency:
      asked?.PerExecutionEnvironmentMaxConcurrency ??
      before?.maxConcurrency ??
      defaultConcurrency(version.runtime, vCpus),
    memoryGiBPerVCpu,
  }
  const changed: FunctionVersion = {
    ...version,
    memoryMiB,
    managedInstances,
    // Its log is in JSON, whatever was left out (seen from AWS).
    logging:
      isNew && request.LoggingConfig?.LogFormat === undefined
        ? { applicationLevel: 'INFO', systemLevel: 'INFO', ...version.logging, format: 'JSON' }
        : version.logging,
  }
  assertManaged(changed, vCpus, managedInstances, provider)
  return changed
}

function assertManaged(
  version: FunctionVersion,
  vCpus: number,
  managed: ManagedInstances,
  provider: CapacityProvider | undefined,
): void {
  if (!supportsManagedInstances(version.runtime)) {
    // Seen from AWS, which leaves out the member `Type`.
    throw new LambdaError(
      'InvalidParameterValueException',
      `Runtime Enum ${version.runtime} does not support specified feature: Lambda Managed Instances`,
      { status: 400, withoutType: true },
    )
  }
  if (version.logging.format === 'Text') {
    // Seen from AWS, odd as it is.
    throw invalidParameter(
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
    )
  }
  // The rules are documented, all texts below are unverified.
  if (!MEMORY_RATIOS.includes(managed.memoryGiBPerVCpu)) {
    throw invalidParameter(
      `ExecutionEnvironmentMemoryGiBPerVCpu must be one of [${MEMORY_RATIOS.join(', ')}].`,
    )
  }
  if (version.memoryMiB < MIN_MEMORY_MIB || vCpus < 1) {
    throw invalidParameter(
      `MemorySize must be at least ${Math.max(MIN_MEMORY_MIB, managed.memoryGiBPerVCpu * 1024)} MB for Lambda Managed Instances functions with ${managed.memoryGiBPerVCpu} GiB per vCPU.`,
    )
  }
  if (version.snapStart === 'PublishedVersions') {
    throw invalidParameter('SnapStart is not supported for Lambda Managed Instances functions.')
  }
  if (version.vpc?.subnetIds.length) {
    throw invalidParameter(
      'VpcConfig is not supported for Lambda Managed Instances functions. Configure the VPC of the capacity provider instead.',
    )
  }
  if (provider && provider.architecture !== version.architecture) {
    throw invalidParameter(
      `The architecture ${version.architecture} of the function is not one of the capacity provider: [${provider.architecture}].`,
    )
  }
}
