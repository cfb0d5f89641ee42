/** Tags of topics. */
import type {
  ListTagsForResourceRequest,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-sns'

import type { SnsTag } from '#contracts/sns.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers, RequestContext } from '#wire/service.ts'

import { changeTopic, requireTopic } from './sns-documents.ts'
import { invalidParameter, noSuchResource, tooManyTags } from './sns-errors.ts'
import { readTopicArn } from './topic-arns.ts'

const MAX_TAGS = 50

/** Throws InvalidParameter when a key comes twice, and TagLimitExceeded. */
export function tagsOf(tags: readonly Tag[] | undefined): readonly SnsTag[] {
  const given = (tags ?? []).map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }))
  if (new Set(given.map(({ key }) => key)).size < given.length)
    throw invalidParameter('Duplicated keys are not allowed.')
  if (given.length > MAX_TAGS) throw tooManyTags()
  return given
}

/** Whether a topic that is made again is the same: what is asked for is there already (recorded from AWS). */
export const sameTags = (before: readonly SnsTag[], asked: readonly SnsTag[]) =>
  asked.every(({ key, value }) => before.some((tag) => tag.key === key && tag.value === value))

export function createTagOperations({ meta }: { readonly meta: Meta }): OperationHandlers {
  const named = (arn: string | undefined, context: RequestContext, operation: string) =>
    readTopicArn(arn, context, operation, 'ResourceArn')

  const tagResource: OperationHandler<TagResourceRequest, object> = async (input, context) => {
    const added = tagsOf(input.Tags)
    const name = named(input.ResourceArn, context, 'TagResource')
    await found(
      changeTopic(meta, name, ({ tags: before }) => {
        const tags = [...before.filter(({ key }) => !added.some((tag) => tag.key === key)), ...added]
        if (tags.length > MAX_TAGS) throw tooManyTags()
        return { tags }
      }),
    )
    return {}
  }
  const untagResource: OperationHandler<UntagResourceRequest, object> = async (input, context) => {
    const name = named(input.ResourceArn, context, 'UntagResource')
    await found(
      changeTopic(meta, name, ({ tags }) => ({
        tags: tags.filter(({ key }) => !input.TagKeys?.includes(key)),
      })),
    )
    return {}
  }
  const listTags: OperationHandler<ListTagsForResourceRequest, object> = async ({ ResourceArn }, context) => {
    const { doc } = await found(requireTopic(meta, named(ResourceArn, context, 'ListTagsForResource')))
    return { Tags: doc.tags.map(({ key, value }) => ({ Key: key, Value: value })) }
  }
  return { TagResource: tagResource, UntagResource: untagResource, ListTagsForResource: listTags }
}

/** The operations on tags have another name for what is not there. */
async function found<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result
  } catch (error) {
    if (error instanceof LambdaError && error.code === 'NotFound') throw noSuchResource()
    throw error
  }
}
