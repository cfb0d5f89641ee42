/** What a request says of a capacity provider: defaults and refusals. Pure. */
import type { CapacityProvider, ScalingPolicy } from '#contracts/capacity-provider.ts'
import { invalidParameter } from '#contracts/errors.ts'

import type { Tags } from '../tags/tags.ts'

export interface ScalingRequest {
  readonly MaxVCpuCount?: number | undefined
  readonly ScalingMode?: string | undefined
  readonly ScalingPolicies?:
    | readonly {
        readonly PredefinedMetricType?: string | undefined
        readonly TargetValue?: number | undefined
      }[]
    | undefined
}

export interface CreateProviderRequest {
  readonly CapacityProviderName?: string | undefined
  readonly VpcConfig?:
    | {
        readonly SubnetIds?: readonly string[] | undefined
        readonly SecurityGroupIds?: readonly string[] | undefined
      }
    | undefined
  readonly PermissionsConfig?: { readonly CapacityProviderOperatorRoleArn?: string | undefined } | undefined
  readonly InstanceRequirements?:
    | {
        readonly Architectures?: readonly string[] | undefined
        readonly AllowedInstanceTypes?: readonly string[] | undefined
        readonly ExcludedInstanceTypes?: readonly string[] | undefined
      }
    | undefined
  readonly CapacityProviderScalingConfig?: ScalingRequest | undefined
  readonly KmsKeyArn?: string | undefined
  readonly Tags?: Tags | undefined
}

/** As documented by Terraform's provider. */
const DEFAULT_MAX_VCPUS = 400

type Scaling = Pick<CapacityProvider, 'maxVCpuCount' | 'scalingMode' | 'scalingPolicies'>

const policyOf = (policy: NonNullable<ScalingRequest['ScalingPolicies']>[number]): ScalingPolicy => ({
  predefinedMetricType: policy.PredefinedMetricType ?? '',
  targetValue: policy.TargetValue ?? 0,
})

/** The scaling after a request: members that it leaves out stay, except that Auto has no policies. Texts unverified. */
export function changedScaling(before: Scaling, request: ScalingRequest | undefined): Scaling {
  if (!request) return before
  const scalingMode = (request.ScalingMode ?? before.scalingMode) === 'Manual' ? 'Manual' : 'Auto'
  const policies = request.ScalingPolicies?.map(policyOf) ?? before.scalingPolicies
  if (scalingMode === 'Auto' && request.ScalingPolicies?.length) {
    throw invalidParameter('ScalingPolicies can only be specified when ScalingMode is Manual.')
  }
  if (scalingMode === 'Manual' && !policies?.length) {
    throw invalidParameter('ScalingPolicies must be specified when ScalingMode is Manual.')
  }
  return {
    maxVCpuCount: request.MaxVCpuCount ?? before.maxVCpuCount,
    scalingMode,
    ...(scalingMode === 'Manual' && policies && { scalingPolicies: policies }),
  }
}

/** A provider that has just been asked for. */
export function newProvider(
  id: { readonly account: string; readonly region: string; readonly name: string },
  request: CreateProviderRequest,
  now: number,
): CapacityProvider {
  const instances = request.InstanceRequirements
  if (instances?.AllowedInstanceTypes?.length && instances.ExcludedInstanceTypes?.length) {
    // The rule is documented, the text unverified.
    throw invalidParameter('AllowedInstanceTypes and ExcludedInstanceTypes cannot be specified together.')
  }
  return {
    account: id.account,
    region: id.region,
    name: id.name,
    state: 'Pending',
    subnetIds: request.VpcConfig?.SubnetIds ?? [],
    securityGroupIds: request.VpcConfig?.SecurityGroupIds ?? [],
    operatorRoleArn: request.PermissionsConfig?.CapacityProviderOperatorRoleArn ?? '',
    architecture: instances?.Architectures?.[0] === 'arm64' ? 'arm64' : 'x86_64',
    ...(instances?.AllowedInstanceTypes?.length && { allowedInstanceTypes: instances.AllowedInstanceTypes }),
    ...(instances?.ExcludedInstanceTypes?.length && {
      excludedInstanceTypes: instances.ExcludedInstanceTypes,
    }),
    ...changedScaling(
      { maxVCpuCount: DEFAULT_MAX_VCPUS, scalingMode: 'Auto' },
      request.CapacityProviderScalingConfig,
    ),
    ...(request.KmsKeyArn !== undefined && { kmsKeyArn: request.KmsKeyArn }),
    tags: request.Tags ?? {},
    modifiedAt: now,
  }
}
