/** How a capacity provider looks in the API's answers. */
import type { CapacityProvider as CapacityProviderBody } from '@aws-sdk/client-lambda'

import { capacityProviderArn } from '#contracts/arn.ts'
import type { CapacityProvider } from '#contracts/capacity-provider.ts'

import { withoutUndefined } from '../functions/configuration.ts'
import { lambdaDate } from '../views.ts'

const listOf = (items: readonly string[] | undefined) => items && [...items]

/** What was not given is there with its default, as far as the API has one (Terraform reads it so). */
export const providerView = (provider: CapacityProvider): CapacityProviderBody =>
  withoutUndefined<CapacityProviderBody>({
    CapacityProviderArn: capacityProviderArn(provider, provider.name),
    State: provider.state,
    VpcConfig: { SubnetIds: [...provider.subnetIds], SecurityGroupIds: [...provider.securityGroupIds] },
    PermissionsConfig: { CapacityProviderOperatorRoleArn: provider.operatorRoleArn },
    InstanceRequirements: withoutUndefined({
      Architectures: [provider.architecture],
      AllowedInstanceTypes: listOf(provider.allowedInstanceTypes),
      ExcludedInstanceTypes: listOf(provider.excludedInstanceTypes),
    }),
    CapacityProviderScalingConfig: withoutUndefined({
      MaxVCpuCount: provider.maxVCpuCount,
      ScalingMode: provider.scalingMode,
      ScalingPolicies: provider.scalingPolicies?.map(({ predefinedMetricType, targetValue }) => ({
        PredefinedMetricType: predefinedMetricType as 'LambdaCapacityProviderAverageCPUUtilization',
        TargetValue: targetValue,
      })),
    }),
    KmsKeyArn: provider.kmsKeyArn,
    LastModified: lambdaDate(provider.modifiedAt),
  })
