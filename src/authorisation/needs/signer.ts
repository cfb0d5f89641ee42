/** Actions and resources of Signer. Pure. */
import { signingJobArn, signingProfileArn } from '#contracts/signer.ts'

import { accountOf, everything, tagKeys, text, type NeedsOf, type ServiceNeeds } from './need.ts'

const onProfile =
  (operation: string): NeedsOf =>
  (input, asking) => {
    const account = text(input['profileOwner']) ?? asking.account
    const resource = signingProfileArn({ account, region: asking.region }, text(input['profileName']) ?? '*')
    return [{ action: `signer:${operation}`, resource, account }]
  }

const onJob =
  (operation: string): NeedsOf =>
  (input, asking) => {
    const account = text(input['jobOwner']) ?? asking.account
    const resource = signingJobArn({ account, region: asking.region, id: text(input['jobId']) ?? '*' })
    return [{ action: `signer:${operation}`, resource, account }]
  }

const onTagged =
  (operation: string): NeedsOf =>
  (input, asking) => {
    const resource = text(input['resourceArn']) ?? '*'
    const account = accountOf(resource) ?? asking.account
    return [{ action: `signer:${operation}`, resource, account, keys: tagKeys(input['tags']) }]
  }

export const signerNeeds: ServiceNeeds = {
  CancelSigningProfile: onProfile('CancelSigningProfile'),
  GetSigningProfile: onProfile('GetSigningProfile'),
  RevokeSigningProfile: onProfile('RevokeSigningProfile'),
  StartSigningJob: onProfile('StartSigningJob'),
  DescribeSigningJob: onJob('DescribeSigningJob'),
  RevokeSignature: onJob('RevokeSignature'),
  ListTagsForResource: onTagged('ListTagsForResource'),
  TagResource: onTagged('TagResource'),
  UntagResource: onTagged('UntagResource'),
  // A profile that is not there yet is no resource.
  PutSigningProfile: (input, { account }) => [
    { action: 'signer:PutSigningProfile', resource: '*', account, keys: tagKeys(input['tags']) },
  ],
  GetRevocationStatus: everything('signer:GetRevocationStatus'),
  GetSigningPlatform: everything('signer:GetSigningPlatform'),
  ListSigningJobs: everything('signer:ListSigningJobs'),
  ListSigningPlatforms: everything('signer:ListSigningPlatforms'),
  ListSigningProfiles: everything('signer:ListSigningProfiles'),
}
