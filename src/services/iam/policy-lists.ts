/** Lists of managed policies and of what they are attached to. */
import type { ListEntitiesForPolicyRequest, ListPoliciesRequest } from '@aws-sdk/client-iam'

import { iamPolicyPrefix, policyArn, type ManagedPolicy, type PolicyAttachment } from '#contracts/iam.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { attachmentsOf, findPolicy, isPolicyArn } from './attachments.ts'
import { AWS_POLICIES } from './aws-policies.ts'
import { docOf } from './documents.ts'
import { invalid, noSuchPolicy } from './iam-errors.ts'
import { allRows, pageOf } from './paging.ts'

export function createPolicyLists({ meta }: { readonly meta: Meta }): OperationHandlers {
  const usesOf = (account: string, policy: ManagedPolicy) => attachmentsOf(meta, account, policyArn(policy))

  const listPolicies: OperationHandler<ListPoliciesRequest, object> = async (input, { account }) => {
    const { Scope = 'All', PathPrefix = '/', OnlyAttached = false, PolicyUsageFilter } = input
    const rows = Scope === 'AWS' ? [] : await allRows(meta, iamPolicyPrefix(account))
    const own = rows.map((row) => docOf<ManagedPolicy>(row))
    const aws = Scope === 'Local' ? [] : [...AWS_POLICIES.values()]
    let policies = [...own, ...aws].filter(({ path }) => path.startsWith(PathPrefix))
    if (OnlyAttached || PolicyUsageFilter) {
      const used = await Promise.all(
        policies.map(async (policy) => {
          const uses = await usesOf(account, policy)
          return uses.some(({ usage }) => matches(usage, PolicyUsageFilter))
        }),
      )
      policies = policies.filter((_policy, index) => used[index])
    }
    const { items, more } = pageOf(policies, policyArn, input)
    const views = await Promise.all(
      items.map(async (policy) => policyView(policy, await usesOf(account, policy))),
    )
    return { Policies: views, ...more }
  }

  const listEntitiesForPolicy: OperationHandler<ListEntitiesForPolicyRequest, object> = async (
    input,
    { account },
  ) => {
    const { PolicyArn = '', EntityFilter, PathPrefix = '/', PolicyUsageFilter } = input
    if (!isPolicyArn(PolicyArn)) throw invalid(`ARN ${PolicyArn} is not valid.`)
    if (!(await findPolicy(meta, account, PolicyArn))) throw noSuchPolicy(PolicyArn)
    const uses = await attachmentsOf(meta, account, PolicyArn)
    const wanted = uses.filter(
      ({ kind, path, usage }) =>
        path.startsWith(PathPrefix) &&
        matches(usage, PolicyUsageFilter) &&
        (EntityFilter === undefined || EntityFilter.toLowerCase() === kind),
    )
    const { items, more } = pageOf(wanted, ({ kind, name, usage }) => `${kind}/${name}/${usage}`, input)
    const of = (kind: PolicyAttachment['kind']) => items.filter((item) => item.kind === kind)
    return {
      PolicyGroups: [],
      PolicyUsers: of('user').map(({ name, id }) => ({ UserName: name, UserId: id })),
      PolicyRoles: of('role').map(({ name, id }) => ({ RoleName: name, RoleId: id })),
      ...more,
    }
  }

  return { ListPolicies: listPolicies, ListEntitiesForPolicy: listEntitiesForPolicy }
}

const matches = (usage: PolicyAttachment['usage'], filter: string | undefined) =>
  filter === undefined || filter === (usage === 'boundary' ? 'PermissionsBoundary' : 'PermissionsPolicy')

/** Without description and tags, which only some answers have. */
export const policyView = (policy: ManagedPolicy, uses: readonly PolicyAttachment[]) => ({
  PolicyName: policy.name,
  PolicyId: policy.id,
  Arn: policyArn(policy),
  Path: policy.path,
  DefaultVersionId: policy.defaultVersion,
  AttachmentCount: uses.filter(({ usage }) => usage === 'permissions').length,
  PermissionsBoundaryUsageCount: uses.filter(({ usage }) => usage === 'boundary').length,
  IsAttachable: true,
  CreateDate: new Date(policy.createdAt),
  UpdateDate: new Date(policy.updatedAt),
})
