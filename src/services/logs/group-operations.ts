/** Log groups, their retention and their tags. */
import type {
  CreateLogGroupRequest,
  DeleteLogGroupRequest,
  DeleteRetentionPolicyRequest,
  DescribeLogGroupsRequest,
  DescribeLogGroupsResponse,
  ListLogGroupsRequest,
  ListLogGroupsResponse,
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  ListTagsLogGroupRequest,
  ListTagsLogGroupResponse,
  LogGroup,
  PutRetentionPolicyRequest,
  TagLogGroupRequest,
  TagResourceRequest,
  UntagLogGroupRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-cloudwatch-logs'

import type { Scope } from '#contracts/arn.ts'
import type { Clock } from '#kernel/clock.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { compileRegex } from './filter/linear-regex.ts'
import {
  groupExists,
  groupProtected,
  invalidRequest,
  noSuchGroup,
  noSuchResource,
  tooManyTags,
} from './log-errors.ts'
import { groupArn, groupNamed, identifiedGroup, parseGroupArn } from './log-names.ts'
import { listToken, parseListToken } from './page-token.ts'
import type { GroupChange, GroupKey, GroupRecord, LogStorage } from './storage/operations.ts'

const MAX_TAGS = 50
const DEFAULT_ITEMS = 50
/** API reference of PutRetentionPolicy. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]

export function createGroupOperations(deps: {
  readonly storage: LogStorage
  readonly clock: Clock
}): OperationHandlers {
  const { storage, clock } = deps

  const change = async (key: GroupKey, update: GroupChange, missing = noSuchGroup) => {
    const result = await storage.call('updateGroup', { key, change: update })
    if (result === 'missing') throw missing()
    if (result === 'too-many-tags') throw tooManyTags()
    return {}
  }
  const tagsOf = async (key: GroupKey, missing = noSuchGroup) => {
    const group = await storage.call('getGroup', key)
    if (!group) throw missing()
    return { tags: { ...group.tags } }
  }

  const createLogGroup: OperationHandler<CreateLogGroupRequest, object> = async (input, context) => {
    const name = String(input.logGroupName)
    // Text unverified; the rule is in the API reference.
    if (name.startsWith('aws/')) throw invalidRequest("Log groups starting with 'aws/' are reserved for AWS.")
    const created = await storage.call('createGroup', {
      ...groupNamed(context, name),
      createdAt: clock.now(),
      logClass: input.logGroupClass ?? 'STANDARD',
      kmsKeyId: input.kmsKeyId,
      tags: input.tags ?? {},
      deletionProtected: input.deletionProtectionEnabled ?? false,
    })
    if (!created) throw groupExists()
    return {}
  }

  const deleteLogGroup: OperationHandler<DeleteLogGroupRequest, object> = async (input, context) => {
    const result = await storage.call('deleteGroup', groupNamed(context, input.logGroupName))
    if (result === 'missing') throw noSuchGroup()
    if (result === 'protected') throw groupProtected()
    return {}
  }

  const describeLogGroups: OperationHandler<DescribeLogGroupsRequest, DescribeLogGroupsResponse> = async (
    input,
    context,
  ) => {
    const { logGroupNamePrefix: prefix = '', logGroupNamePattern: contains = '', logGroupClass } = input
    if (input.logGroupNamePrefix !== undefined && input.logGroupNamePattern !== undefined) {
      throw invalidRequest(
        'LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.',
      )
    }
    if (input.logGroupIdentifiers) {
      const found = await Promise.all(
        input.logGroupIdentifiers.map((logGroupIdentifier) =>
          storage.call('getGroup', identifiedGroup({ logGroupIdentifier }, context)),
        ),
      )
      return {
        logGroups: found.filter((group) => group !== undefined).map((group) => viewOf(group, context)),
      }
    }
    const limit = input.limit ?? DEFAULT_ITEMS
    const groups = await storage.call('listGroups', {
      account: context.account,
      region: context.region,
      prefix,
      contains,
      logClass: logGroupClass,
      after: parseListToken('groups', input.nextToken) ?? '',
      // One more tells whether there is another page.
      limit: limit + 1,
    })
    const page = groups.slice(0, limit)
    return {
      logGroups: page.map((group) =>
        input.logGroupNamePattern === undefined ? viewOf(group, context) : shortViewOf(group, context),
      ),
      ...(groups.length > limit && { nextToken: listToken('groups', page.at(-1)?.name ?? '') }),
    }
  }

  const listLogGroups: OperationHandler<ListLogGroupsRequest, ListLogGroupsResponse> = async (
    input,
    context,
  ) => {
    const matches =
      input.logGroupNamePattern === undefined ? () => true : compileRegex(input.logGroupNamePattern)
    const limit = input.limit ?? DEFAULT_ITEMS
    const found: GroupRecord[] = []
    for (let after = parseListToken('group-summaries', input.nextToken) ?? ''; ;) {
      const groups = await storage.call('listGroups', {
        account: context.account,
        region: context.region,
        prefix: '',
        contains: '',
        logClass: input.logGroupClass,
        after,
        limit: 500,
      })
      found.push(...groups.filter(({ name }) => matches(name)))
      after = groups.at(-1)?.name ?? ''
      if (groups.length < 500 || found.length > limit) break
    }
    const page = found.slice(0, limit)
    return {
      logGroups: page.map(({ name, logClass }) => ({
        logGroupName: name,
        logGroupArn: groupArn(groupNamed(context, name)),
        logGroupClass: logClass,
      })),
      ...(found.length > limit && { nextToken: listToken('group-summaries', page.at(-1)?.name ?? '') }),
    }
  }

  const putRetentionPolicy: OperationHandler<PutRetentionPolicyRequest, object> = async (input, context) => {
    const days = Number(input.retentionInDays)
    if (!RETENTION_DAYS.includes(days)) {
      // Text unverified; the list of values is in the API reference.
      throw invalidRequest(
        `1 validation error detected: Value '${days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${RETENTION_DAYS.join(', ')}]`,
      )
    }
    return change(groupNamed(context, input.logGroupName), { retentionDays: days })
  }

  const deleteRetentionPolicy: OperationHandler<DeleteRetentionPolicyRequest, object> = (input, context) =>
    change(groupNamed(context, input.logGroupName), { retentionDays: undefined })

  const tagResource: OperationHandler<TagResourceRequest, object> = async (input, context) =>
    change(
      ownArn(input.resourceArn, context),
      { addTags: input.tags ?? {}, maxTags: MAX_TAGS },
      noSuchResource,
    )
  const untagResource: OperationHandler<UntagResourceRequest, object> = async (input, context) =>
    change(ownArn(input.resourceArn, context), { removeTags: input.tagKeys ?? [] }, noSuchResource)
  const listTagsForResource: OperationHandler<
    ListTagsForResourceRequest,
    ListTagsForResourceResponse
  > = async (input, context) => tagsOf(ownArn(input.resourceArn, context), noSuchResource)

  const tagLogGroup: OperationHandler<TagLogGroupRequest, object> = (input, context) =>
    change(groupNamed(context, input.logGroupName), { addTags: input.tags ?? {}, maxTags: MAX_TAGS })
  const untagLogGroup: OperationHandler<UntagLogGroupRequest, object> = (input, context) =>
    change(groupNamed(context, input.logGroupName), { removeTags: input.tags ?? [] })
  const listTagsLogGroup: OperationHandler<ListTagsLogGroupRequest, ListTagsLogGroupResponse> = (
    input,
    context,
  ) => tagsOf(groupNamed(context, input.logGroupName))

  return {
    CreateLogGroup: createLogGroup,
    DeleteLogGroup: deleteLogGroup,
    DescribeLogGroups: describeLogGroups,
    ListLogGroups: listLogGroups,
    PutRetentionPolicy: putRetentionPolicy,
    DeleteRetentionPolicy: deleteRetentionPolicy,
    TagResource: tagResource,
    UntagResource: untagResource,
    ListTagsForResource: listTagsForResource,
    TagLogGroup: tagLogGroup,
    UntagLogGroup: untagLogGroup,
    ListTagsLogGroup: listTagsLogGroup,
  }
}

/** Only log groups can be tagged here. */
function ownArn(arn: string | undefined, scope: Scope): GroupKey {
  const key = parseGroupArn(String(arn))
  if (!key || key.account !== scope.account || key.region !== scope.region) throw noSuchResource()
  return key
}

/** What AWS shows of a group that was searched by a pattern (recorded). */
function shortViewOf(group: GroupRecord, scope: Scope): LogGroup {
  const arn = groupArn(groupNamed(scope, group.name))
  return {
    logGroupName: group.name,
    creationTime: group.createdAt,
    metricFilterCount: 0,
    arn: `${arn}:*`,
    logGroupClass: group.logClass,
    logGroupArn: arn,
  }
}

const viewOf = (group: GroupRecord, scope: Scope): LogGroup => ({
  ...shortViewOf(group, scope),
  storedBytes: group.storedBytes,
  deletionProtectionEnabled: group.deletionProtected,
  ...(group.retentionDays !== undefined && { retentionInDays: group.retentionDays }),
  ...(group.kmsKeyId !== undefined && { kmsKeyId: group.kmsKeyId }),
})
