/** Tags of rules and buses. */
import type {
  ListTagsForResourceCommandInput,
  ListTagsForResourceCommandOutput,
  Tag,
  TagResourceCommandInput,
  UntagResourceCommandInput,
} from '@aws-sdk/client-eventbridge'

import { busKey, DEFAULT_BUS, ruleKey } from '#contracts/events.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { commit, put, requireBus, requireRule } from './documents.ts'
import { limitExceeded, validation } from './events-errors.ts'

const MAX_TAGS = 50
const ARN = /^arn:aws[\w-]*:events:([a-z0-9-]+):(\d{12}):(rule|event-bus)\/(.+)$/

export const tagsOf = (tags: readonly Tag[] | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]))

export function createTagOperations(deps: { readonly meta: Meta; readonly clock: Clock }): OperationHandlers {
  const { meta, clock } = deps

  const find = async (arn: string | undefined) => {
    const [, region = '', account = '', kind, path = ''] = ARN.exec(arn ?? '') ?? []
    // Text unverified.
    if (kind === undefined)
      throw validation(`Parameter ${arn} is not valid. Reason: Provided Arn is not in correct format.`)
    const where = { account, region }
    if (kind === 'event-bus') {
      const bus = await requireBus(meta, clock, { ...where, name: path })
      return { ...bus, key: busKey(where, path) }
    }
    const slash = path.lastIndexOf('/')
    const bus = slash === -1 ? DEFAULT_BUS : path.slice(0, slash)
    const name = path.slice(slash + 1)
    return { ...(await requireRule(meta, where, bus, name)), key: ruleKey(where, bus, name) }
  }
  const change = (
    arn: string | undefined,
    update: (tags: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ) =>
    commit(meta, async () => {
      const { doc, rev, key } = await find(arn)
      return { writes: [put(key, { ...doc, tags: update(doc.tags) }, rev)], result: {} }
    })

  const tag: OperationHandler<TagResourceCommandInput, object> = ({ ResourceARN, Tags }) =>
    change(ResourceARN, (before) => {
      const tags = { ...before, ...tagsOf(Tags) }
      // Text unverified.
      if (Object.keys(tags).length > MAX_TAGS)
        throw limitExceeded('The requested resource exceeds the maximum number allowed.')
      return tags
    })
  const untag: OperationHandler<UntagResourceCommandInput, object> = ({ ResourceARN, TagKeys = [] }) =>
    change(ResourceARN, (before) =>
      Object.fromEntries(Object.entries(before).filter(([key]) => !TagKeys.includes(key))),
    )
  const list: OperationHandler<ListTagsForResourceCommandInput, ListTagsForResourceCommandOutput> = async ({
    ResourceARN,
  }) => {
    const { doc } = await find(ResourceARN)
    return {
      Tags: Object.entries(doc.tags).map(([Key, Value]) => ({ Key, Value })),
    } as ListTagsForResourceCommandOutput
  }
  return { TagResource: tag, UntagResource: untag, ListTagsForResource: list }
}
