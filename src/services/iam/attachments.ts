/** Which managed policies there are, and where they are attached. */
import {
  AWS_POLICY_PREFIX,
  iamAttachmentKey,
  iamAttachmentPrefix,
  iamPolicyKey,
  policyArn,
  type IamIdentity,
  type ManagedPolicy,
  type PolicyAttachment,
} from '#contracts/iam.ts'
import type { Meta, MetaWrite } from '#store/port.ts'

import { AWS_POLICIES } from './aws-policies.ts'
import { docOf, put, read, remove, type Stored } from './documents.ts'
import { allRows } from './paging.ts'

const ARN = /^arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy\/[\w+=,.@/-]+$/

export const isPolicyArn = (arn: string) => ARN.test(arn)

/** `arn:aws:iam::123456789012:policy/path/name` to `name`. */
export const policyNameOf = (arn: string) => arn.slice(arn.lastIndexOf('/') + 1)

export const isAwsPolicy = (arn: string) => arn.startsWith(`${AWS_POLICY_PREFIX}/`)

/** Undefined when there is none with exactly this ARN. AWS's own have revision 0 and are never written. */
export async function findPolicy(
  meta: Meta,
  account: string,
  arn: string,
): Promise<Stored<ManagedPolicy> | undefined> {
  if (isAwsPolicy(arn)) {
    const doc = AWS_POLICIES.get(arn)
    return doc && { doc, rev: 0 }
  }
  const found = await read<ManagedPolicy>(meta, iamPolicyKey(account, policyNameOf(arn)))
  return found && policyArn(found.doc) === arn ? found : undefined
}

/** A document of `policy` written as it is: whoever deletes the policy at the same time has to look again. */
function touch(policy: Stored<ManagedPolicy>): readonly MetaWrite[] {
  if (policy.rev === 0) return []
  return [put(iamPolicyKey(policy.doc.account, policy.doc.name), policy.doc, policy.rev)]
}

type Kind = PolicyAttachment['kind']
type Usage = PolicyAttachment['usage']

export function attachWrites(
  policy: Stored<ManagedPolicy>,
  arn: string,
  usage: Usage,
  kind: Kind,
  { account, name, id, path }: Pick<IamIdentity, 'account' | 'name' | 'id' | 'path'>,
): readonly MetaWrite[] {
  const attachment: PolicyAttachment = { usage, kind, name, id, path }
  return [...touch(policy), put(iamAttachmentKey(account, arn, attachment), attachment)]
}

export const detachWrite = (
  arn: string,
  usage: Usage,
  kind: Kind,
  { account, name }: Pick<IamIdentity, 'account' | 'name'>,
): MetaWrite => remove(iamAttachmentKey(account, arn, { usage, kind, name }))

/** All uses of a policy in an account; bounded by the quotas of users and roles. */
export async function attachmentsOf(
  meta: Meta,
  account: string,
  arn: string,
): Promise<readonly PolicyAttachment[]> {
  const rows = await allRows(meta, iamAttachmentPrefix(account, arn))
  return rows.map((row) => docOf<PolicyAttachment>(row))
}
