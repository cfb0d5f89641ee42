/** VpcConfig: which subnets a function is in. */
import { invalidParameter } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { Subnets } from '#contracts/network.ts'

export interface VpcRequest {
  readonly SubnetIds?: readonly string[] | undefined
  readonly SecurityGroupIds?: readonly string[] | undefined
  readonly Ipv6AllowedForDualStack?: boolean | undefined
}

/**
 * What a version keeps of it. There is no network service here: subnets are those of the settings, and every security
 * group exists. Refuses an unknown subnet in AWS's words (as clients have reported them); the other texts are unverified.
 */
export function readVpc(request: VpcRequest, subnets: Subnets): NonNullable<FunctionVersion['vpc']> {
  const { SubnetIds: subnetIds = [], SecurityGroupIds: securityGroupIds = [] } = request
  if (subnetIds.length > 0 !== securityGroupIds.length > 0) {
    throw invalidParameter('SubnetIds and SecurityIds must coexist or be both empty list.')
  }
  const vpcIds = new Set<string>()
  for (const id of subnetIds) {
    const subnet = subnets.find(id)
    if (!subnet) {
      throw invalidParameter(
        `Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID '${id}' does not exist`,
      )
    }
    vpcIds.add(subnet.vpcId)
  }
  if (vpcIds.size > 1) throw invalidParameter('The subnets of a function must be in the same VPC.')
  const [vpcId = ''] = vpcIds
  return {
    subnetIds,
    securityGroupIds,
    vpcId,
    ipv6AllowedForDualStack: request.Ipv6AllowedForDualStack ?? false,
  }
}

export const isInVpc = ({ vpc }: Pick<FunctionVersion, 'vpc'>) => (vpc?.subnetIds.length ?? 0) > 0
