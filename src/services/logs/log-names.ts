/** ARNs of log groups and streams, and the ways in which a request names a group. */
import type { Scope } from '#contracts/arn.ts'

import { groupNamedTwice, groupNotNamed, invalidRequest, noSuchGroup } from './log-errors.ts'
import type { GroupKey } from './storage/operations.ts'

const ARN =
  /^arn:aws[a-zA-Z-]*:logs:(?<region>[a-z0-9-]+):(?<account>\d{12}):log-group:(?<name>[^:*]+)(?::\*)?$/

const partition = (region: string) =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'

export const groupArn = ({ account, region, name }: GroupKey) =>
  `arn:${partition(region)}:logs:${region}:${account}:log-group:${name}`
export const streamArn = (group: GroupKey, stream: string) => `${groupArn(group)}:log-stream:${stream}`

export const groupNamed = ({ account, region }: Scope, name: string | undefined): GroupKey => ({
  account,
  region,
  name: String(name),
})

/** A log group's ARN, with or without `:*`; undefined when it is none. */
export function parseGroupArn(arn: string): GroupKey | undefined {
  const { account, region, name } = ARN.exec(arn)?.groups ?? {}
  return account === undefined || region === undefined || name === undefined
    ? undefined
    : { account, region, name }
}

/** The group of a request that names it, or identifies it by name or ARN, but not both. */
export function identifiedGroup(
  input: { readonly logGroupName?: string | undefined; readonly logGroupIdentifier?: string | undefined },
  scope: Scope,
): GroupKey {
  const { logGroupName: name, logGroupIdentifier: identifier } = input
  if (name !== undefined && identifier !== undefined) throw groupNamedTwice()
  if (identifier?.startsWith('arn:')) {
    const key = parseGroupArn(identifier)
    // Text unverified.
    if (!key) throw invalidRequest('The specified log group identifier is invalid.')
    if (key.account !== scope.account || key.region !== scope.region) throw noSuchGroup()
    return key
  }
  if (name === undefined && identifier === undefined) throw groupNotNamed()
  return groupNamed(scope, name ?? identifier)
}
