/** Managed policies and their versions. */
import type {
  CreatePolicyRequest,
  CreatePolicyVersionRequest,
  DeletePolicyRequest,
  DeletePolicyVersionRequest,
  GetPolicyRequest,
  GetPolicyVersionRequest,
  ListPolicyTagsRequest,
  ListPolicyVersionsRequest,
  SetDefaultPolicyVersionRequest,
  TagPolicyRequest,
  UntagPolicyRequest,
} from '@aws-sdk/client-iam'

import { iamPolicyKey, policyArn, type ManagedPolicy, type PolicyVersion } from '#contracts/iam.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Meta, MetaWrite } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { attachmentsOf, findPolicy, isPolicyArn } from './attachments.ts'
import { commit, countWrite, put, read, remove, type Stored } from './documents.ts'
import {
  accessDenied,
  alreadyExists,
  checkName,
  deleteConflict,
  invalid,
  limitExceeded,
  noSuchPolicy,
  noSuchVersion,
  overQuota,
} from './iam-errors.ts'
import { uniqueId } from './identifiers.ts'
import { pageOf } from './paging.ts'
import { checkIdentityPolicy, encodeDocument, policySize } from './policy-document.ts'
import { policyView } from './policy-lists.ts'
import { tagList, tagsOf, tagView, withoutTags, withTags } from './tags.ts'

const MAX_SIZE = 6144
const MAX_VERSIONS = 5

export function createPolicyOperations(deps: {
  readonly meta: Meta
  readonly clock: Clock
  readonly random: Random
}): OperationHandlers {
  const { meta, clock, random } = deps

  const find = async (account: string, arn = '', missing = noSuchPolicy): Promise<Stored<ManagedPolicy>> => {
    if (!isPolicyArn(arn)) throw invalid(`ARN ${arn} is not valid.`)
    const policy = await findPolicy(meta, account, arn)
    if (!policy) throw missing(arn)
    return policy
  }

  /** Changes a policy of the account; those of AWS can't be changed (text unverified). */
  const change = <Result>(
    account: string,
    arn: string | undefined,
    missing: (arn: string) => Error,
    decide: (policy: ManagedPolicy) => Promise<{
      readonly after: ManagedPolicy | null
      readonly result: Result
      readonly writes?: readonly MetaWrite[]
    }>,
  ) =>
    commit(meta, async () => {
      const { doc, rev } = await find(account, arn, missing as typeof noSuchPolicy)
      if (rev === 0) throw accessDenied(`Policy ${arn ?? ''} is owned by AWS and can not be changed.`)
      const { after, result, writes = [] } = await decide(doc)
      const key = iamPolicyKey(account, doc.name)
      return { writes: [after ? put(key, after, rev) : remove(key, rev), ...writes], result }
    })

  const checkDocument = (document: string) => {
    checkIdentityPolicy(document)
    if (policySize(document) > MAX_SIZE) throw overQuota('PolicySize', MAX_SIZE)
  }

  const createPolicy: OperationHandler<CreatePolicyRequest, object> = async (input, { account }) => {
    const { PolicyName = '', PolicyDocument = '' } = input
    checkName('policyName', PolicyName)
    const tags = tagsOf(input.Tags, 'sensitive')
    checkDocument(PolicyDocument)
    const now = clock.now()
    const policy: ManagedPolicy = {
      account,
      name: PolicyName,
      id: uniqueId(random, 'ANPA'),
      path: input.Path ?? '/',
      createdAt: now,
      updatedAt: now,
      tags,
      defaultVersion: 'v1',
      nextVersion: 2,
      versions: [{ id: 'v1', createdAt: now, document: PolicyDocument }],
      ...(input.Description !== undefined && { description: input.Description }),
    }
    return commit(meta, async () => {
      const key = iamPolicyKey(account, PolicyName)
      if (await read(meta, key)) {
        throw alreadyExists(`A policy called ${PolicyName} already exists. Duplicate names are not allowed.`)
      }
      const writes = [put(key, policy, 0), await countWrite(meta, account, 'policies', 1)]
      const view = { ...policyView(policy, []), ...(tags.length > 0 && { Tags: tagView(tags) }) }
      return { writes, result: { Policy: view } }
    })
  }

  const getPolicy: OperationHandler<GetPolicyRequest, object> = async ({ PolicyArn }, { account }) => {
    const { doc } = await find(account, PolicyArn)
    const view = policyView(doc, await attachmentsOf(meta, account, PolicyArn ?? ''))
    const description = doc.description ? { Description: doc.description } : {}
    // Tags are there even when there are none (recorded).
    return { Policy: { ...view, ...description, Tags: tagList(doc.tags) } }
  }

  const deletePolicy: OperationHandler<DeletePolicyRequest, object> = ({ PolicyArn }, { account }) =>
    change(account, PolicyArn, noSuchPolicy, async (policy) => {
      if ((await attachmentsOf(meta, account, policyArn(policy))).length > 0) {
        throw deleteConflict('Cannot delete a policy attached to entities.')
      }
      if (policy.versions.length > 1) {
        throw deleteConflict(
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        )
      }
      return { after: null, result: {}, writes: [await countWrite(meta, account, 'policies', -1)] }
    })

  const createPolicyVersion: OperationHandler<CreatePolicyVersionRequest, object> = async (
    input,
    { account },
  ) => {
    const { PolicyDocument = '', SetAsDefault = false } = input
    checkDocument(PolicyDocument)
    return change(account, input.PolicyArn, noSuchPolicy, async (policy) => {
      if (policy.versions.length >= MAX_VERSIONS) {
        throw limitExceeded(
          `A managed policy can have up to ${MAX_VERSIONS} versions. Before you create a new version, you must delete an existing version.`,
        )
      }
      const now = clock.now()
      const version = { id: `v${policy.nextVersion}`, createdAt: now, document: PolicyDocument }
      const after: ManagedPolicy = {
        ...policy,
        nextVersion: policy.nextVersion + 1,
        versions: [...policy.versions, version],
        updatedAt: now,
        ...(SetAsDefault && { defaultVersion: version.id }),
      }
      return { after, result: { PolicyVersion: versionView(after, version) } }
    })
  }

  const versionOf = (policy: ManagedPolicy, arn: string, id: string): PolicyVersion => {
    const version = policy.versions.find((each) => each.id === id)
    if (!version) throw noSuchVersion(arn, id)
    return version
  }

  const getPolicyVersion: OperationHandler<GetPolicyVersionRequest, object> = async (input, { account }) => {
    const { PolicyArn = '', VersionId = '' } = input
    const { doc } = await find(account, PolicyArn, () => noSuchVersion(PolicyArn, VersionId))
    const version = versionOf(doc, PolicyArn, VersionId)
    const Document = encodeDocument(version.document)
    return { PolicyVersion: { Document, ...versionView(doc, version) } }
  }

  const listPolicyVersions: OperationHandler<ListPolicyVersionsRequest, object> = async (
    input,
    { account },
  ) => {
    const { doc } = await find(account, input.PolicyArn)
    const { items, more } = pageOf(doc.versions.toReversed(), ({ id }) => id, input)
    return { Versions: items.map((version) => versionView(doc, version)), ...more }
  }

  const setDefaultPolicyVersion: OperationHandler<SetDefaultPolicyVersionRequest, object> = (
    { PolicyArn = '', VersionId = '' },
    { account },
  ) =>
    change(
      account,
      PolicyArn,
      () => noSuchVersion(PolicyArn, VersionId),
      async (policy) => {
        versionOf(policy, PolicyArn, VersionId)
        return { after: { ...policy, defaultVersion: VersionId, updatedAt: clock.now() }, result: {} }
      },
    )

  const deletePolicyVersion: OperationHandler<DeletePolicyVersionRequest, object> = (
    { PolicyArn = '', VersionId = '' },
    { account },
  ) =>
    change(
      account,
      PolicyArn,
      () => noSuchVersion(PolicyArn, VersionId),
      async (policy) => {
        versionOf(policy, PolicyArn, VersionId)
        if (policy.defaultVersion === VersionId) {
          throw deleteConflict('Cannot delete the default version of a policy.')
        }
        const versions = policy.versions.filter(({ id }) => id !== VersionId)
        return { after: { ...policy, versions, updatedAt: clock.now() }, result: {} }
      },
    )

  const tagPolicy: OperationHandler<TagPolicyRequest, object> = ({ PolicyArn, Tags }, { account }) =>
    change(account, PolicyArn, noSuchPolicy, async (policy) => ({
      after: { ...policy, tags: withTags(policy.tags, tagsOf(Tags, 'sensitive'), 'sensitive') },
      result: {},
    }))
  const untagPolicy: OperationHandler<UntagPolicyRequest, object> = ({ PolicyArn, TagKeys }, { account }) =>
    change(account, PolicyArn, noSuchPolicy, async (policy) => ({
      after: { ...policy, tags: withoutTags(policy.tags, TagKeys, 'sensitive') },
      result: {},
    }))
  const listPolicyTags: OperationHandler<ListPolicyTagsRequest, object> = async (input, { account }) => {
    const { doc } = await find(account, input.PolicyArn)
    const { items, more } = pageOf(tagList(doc.tags), ({ Key }) => Key, input)
    return { Tags: items, ...more }
  }

  return {
    CreatePolicy: createPolicy,
    GetPolicy: getPolicy,
    DeletePolicy: deletePolicy,
    CreatePolicyVersion: createPolicyVersion,
    GetPolicyVersion: getPolicyVersion,
    ListPolicyVersions: listPolicyVersions,
    SetDefaultPolicyVersion: setDefaultPolicyVersion,
    DeletePolicyVersion: deletePolicyVersion,
    TagPolicy: tagPolicy,
    UntagPolicy: untagPolicy,
    ListPolicyTags: listPolicyTags,
  }
}

const versionView = ({ defaultVersion }: ManagedPolicy, { id, createdAt }: PolicyVersion) => ({
  VersionId: id,
  IsDefaultVersion: id === defaultVersion,
  CreateDate: new Date(createdAt),
})
