/** Tags of queues. */
import type { ListQueueTagsRequest, TagQueueRequest, UntagQueueRequest } from '@aws-sdk/client-sqs'

import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import type { ChangeQueue } from './change-queue.ts'
import type { ResolveQueue } from './resolve-queue.ts'
import { invalidParameter, missing } from './sqs-errors.ts'

const MAX_TAGS = 50
const MAX_KEY = 128
const MAX_VALUE = 256

/** Texts as clients report them. */
export function checkTags(queueName: string, tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > MAX_TAGS) {
    throw invalidParameter(`Too many tags added for queue ${queueName}.`)
  }
  for (const [key, value] of Object.entries(tags)) {
    if (key.length < 1 || key.length > MAX_KEY) {
      throw invalidParameter(`Tag keys must be between 1 and ${MAX_KEY} characters in length.`)
    }
    if (value.length > MAX_VALUE) {
      throw invalidParameter(`Tag values must be between 0 and ${MAX_VALUE} characters in length.`)
    }
  }
}

export function createTagOperations(deps: {
  readonly resolve: ResolveQueue
  readonly change: ChangeQueue
}): OperationHandlers {
  const { resolve, change } = deps

  const tag: OperationHandler<TagQueueRequest, object> = async ({ QueueUrl, Tags = {} }, context) => {
    if (Object.keys(Tags).length === 0) throw missing('Tags')
    await change(resolve.own(QueueUrl, context), ({ name, tags }) => {
      const after = { ...tags, ...Tags }
      checkTags(name, after)
      return { tags: after }
    })
    return {}
  }
  const untag: OperationHandler<UntagQueueRequest, object> = async ({ QueueUrl, TagKeys = [] }, context) => {
    if (TagKeys.length === 0) {
      throw invalidParameter(`Tag keys must be between 1 and ${MAX_KEY} characters in length.`)
    }
    await change(resolve.own(QueueUrl, context), ({ tags }) => ({
      tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !TagKeys.includes(key))),
    }))
    return {}
  }
  const list: OperationHandler<ListQueueTagsRequest, object> = async ({ QueueUrl }, context) => {
    const { tags } = resolve.own(QueueUrl, context)
    return Object.keys(tags).length === 0 ? {} : { Tags: tags }
  }
  return { TagQueue: tag, UntagQueue: untag, ListQueueTags: list }
}
