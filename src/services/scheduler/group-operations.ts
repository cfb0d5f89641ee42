/** Schedule groups and their tags. */
import type {
  CreateScheduleGroupCommandInput,
  CreateScheduleGroupCommandOutput,
  DeleteScheduleGroupCommandInput,
  GetScheduleGroupCommandInput,
  GetScheduleGroupCommandOutput,
  ListScheduleGroupsCommandInput,
  ListScheduleGroupsCommandOutput,
  ListTagsForResourceCommandInput,
  ListTagsForResourceCommandOutput,
  Tag,
  TagResourceCommandInput,
  UntagResourceCommandInput,
} from '@aws-sdk/client-scheduler'

import {
  DEFAULT_GROUP,
  groupArn,
  groupKey,
  groupPrefix,
  scheduleFiredKey,
  schedulePrefix,
  type ScheduleGroup,
} from '#contracts/scheduler.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { commit, docOf, pageOf, put, remove, requireGroup } from './documents.ts'
import { groupExists, noSuchGroup, overQuota, validation } from './scheduler-errors.ts'

/** Of an account and region. */
const MAX_GROUPS = 500
const MAX_TAGS = 50
const READ = 200
const ARN = /^arn:aws[a-z-]*:scheduler:([a-z0-9-]+):(\d{12}):schedule-group\/(.+)$/

const tagsOf = (tags: readonly Tag[] | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]))

const view = (group: ScheduleGroup) => ({
  Arn: groupArn(group),
  Name: group.name,
  State: group.state,
  CreationDate: new Date(group.createdAt),
  LastModificationDate: new Date(group.modifiedAt),
})

export function createGroupOperations(deps: {
  readonly meta: Meta
  readonly clock: Clock
}): OperationHandlers {
  const { meta, clock } = deps

  const create: OperationHandler<CreateScheduleGroupCommandInput, CreateScheduleGroupCommandOutput> = async (
    { Name = '', Tags },
    { account, region },
  ) => {
    const where = { account, region }
    if (Name === DEFAULT_GROUP) throw groupExists(Name)
    const rows = await meta.list(groupPrefix(where), '', MAX_GROUPS)
    if (rows.length >= MAX_GROUPS) throw overQuota('schedule groups')
    const now = clock.now()
    const group: ScheduleGroup = {
      ...where,
      name: Name,
      state: 'ACTIVE',
      createdAt: now,
      modifiedAt: now,
      tags: tagsOf(Tags),
    }
    if ((await meta.txn([put(groupKey(where, Name), group, 0)])) === 'conflict') throw groupExists(Name)
    return { ScheduleGroupArn: groupArn(group) } as CreateScheduleGroupCommandOutput
  }

  const get: OperationHandler<GetScheduleGroupCommandInput, GetScheduleGroupCommandOutput> = async (
    { Name = '' },
    context,
  ) => view((await requireGroup(meta, clock, context, Name)).doc) as unknown as GetScheduleGroupCommandOutput

  const list: OperationHandler<ListScheduleGroupsCommandInput, ListScheduleGroupsCommandOutput> = async (
    input,
    context,
  ) => {
    await requireGroup(meta, clock, context, DEFAULT_GROUP)
    const { items, next } = await pageOf(meta, groupPrefix(context), input, (row) => {
      const group = docOf<ScheduleGroup>(row)
      return group.name.startsWith(input.NamePrefix ?? '') ? view(group) : undefined
    })
    return { ScheduleGroups: [...items], ...next } as unknown as ListScheduleGroupsCommandOutput
  }

  /** All its schedules go with it; meanwhile it takes no new ones. */
  const del: OperationHandler<DeleteScheduleGroupCommandInput, object> = async ({ Name = '' }, context) => {
    // Text unverified.
    if (Name === DEFAULT_GROUP) throw validation('Cannot delete the default schedule group.')
    await commit(meta, async () => {
      const { doc, rev } = await requireGroup(meta, clock, context, Name)
      const deleting: ScheduleGroup = { ...doc, state: 'DELETING', modifiedAt: clock.now() }
      return { writes: [put(groupKey(context, Name), deleting, rev)], result: undefined }
    })
    for (;;) {
      const rows = await meta.list(schedulePrefix(context, Name), '', READ)
      if (rows.length === 0) break
      await meta.txn(rows.flatMap(({ key }) => [remove(key), remove(scheduleFiredKey(key))]))
    }
    await meta.txn([remove(groupKey(context, Name))])
    return {}
  }

  const find = async (arn: string | undefined) => {
    const [, region = '', account = '', name = ''] = ARN.exec(arn ?? '') ?? []
    if (name === '') throw noSuchGroup(arn ?? '')
    return await requireGroup(meta, clock, { account, region }, name)
  }
  const change = (
    arn: string | undefined,
    update: (tags: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ) =>
    commit(meta, async () => {
      const { doc, rev } = await find(arn)
      return { writes: [put(groupKey(doc, doc.name), { ...doc, tags: update(doc.tags) }, rev)], result: {} }
    })
  const tag: OperationHandler<TagResourceCommandInput, object> = ({ ResourceArn, Tags }) =>
    change(ResourceArn, (before) => {
      const tags = { ...before, ...tagsOf(Tags) }
      if (Object.keys(tags).length > MAX_TAGS) throw overQuota('tags')
      return tags
    })
  const untag: OperationHandler<UntagResourceCommandInput, object> = ({ ResourceArn, TagKeys = [] }) =>
    change(ResourceArn, (before) =>
      Object.fromEntries(Object.entries(before).filter(([key]) => !TagKeys.includes(key))),
    )
  const listTags: OperationHandler<
    ListTagsForResourceCommandInput,
    ListTagsForResourceCommandOutput
  > = async ({ ResourceArn }) => {
    const { doc } = await find(ResourceArn)
    return {
      Tags: Object.entries(doc.tags).map(([Key, Value]) => ({ Key, Value })),
    } as unknown as ListTagsForResourceCommandOutput
  }

  return {
    CreateScheduleGroup: create,
    GetScheduleGroup: get,
    ListScheduleGroups: list,
    DeleteScheduleGroup: del,
    TagResource: tag,
    UntagResource: untag,
    ListTagsForResource: listTags,
  }
}
