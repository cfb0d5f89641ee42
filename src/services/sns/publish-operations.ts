/** Publish and PublishBatch. */
import type { PublishBatchInput, PublishInput } from '@aws-sdk/client-sns'

import type { SnsTopic } from '#contracts/sns.ts'
import type { OperationHandler, OperationHandlers, RequestContext } from '#wire/service.ts'

import type { Catalogue } from './catalogue.ts'
import type { Publisher } from './publisher.ts'
import { maxMessageBytes, readMessage } from './read-message.ts'
import {
  batchTooLong,
  emptyBatch,
  idsNotDistinct,
  invalidEntryId,
  invalidParameter,
  missing,
  noSuchTopic,
  tooManyEntries,
} from './sns-errors.ts'
import { readTopicArn } from './topic-arns.ts'

const MAX_ENTRIES = 10
const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/
const PLATFORM_ENDPOINT = /^arn:[^:]+:sns:[^:]*:[^:]*:endpoint\//
const PHONE = /^\+[1-9]\d{6,14}$/

export function createPublishOperations(deps: {
  readonly catalogue: Catalogue
  readonly publisher: Publisher
}): OperationHandlers {
  const { catalogue, publisher } = deps

  const topicOf = (arn: string | undefined, context: RequestContext, operation: string): SnsTopic => {
    const topic = catalogue.topic(readTopicArn(arn, context, operation))
    if (!topic) throw noSuchTopic()
    return topic
  }

  const publish: OperationHandler<PublishInput, object> = async (input, context) => {
    const topic = topicOf(targetOf(input), context, 'Publish')
    const message = readMessage(input, topic)
    if (message.sizeBytes > maxMessageBytes(topic)) throw invalidParameter('Message too long')
    const { messageId, sequenceNumber } = await publisher.publish(topic, message, context.traceId)
    return { MessageId: messageId, ...(sequenceNumber !== undefined && { SequenceNumber: sequenceNumber }) }
  }

  const publishBatch: OperationHandler<PublishBatchInput, object> = async (input, context) => {
    const entries = input.PublishBatchRequestEntries ?? []
    const topic = topicOf(input.TopicArn, context, 'PublishBatch')
    checkIds(entries.map(({ Id = '' }) => Id))
    // One entry that is wrong fails them all (recorded from AWS).
    const messages = entries.map((entry) => ({ id: entry.Id, message: readMessage(entry, topic) }))
    const sizeBytes = messages.reduce((sum, { message }) => sum + message.sizeBytes, 0)
    if (sizeBytes > maxMessageBytes(topic)) throw batchTooLong()
    const published = await Promise.all(
      messages.map(async ({ id, message }) => {
        const { messageId, sequenceNumber } = await publisher.publish(topic, message, context.traceId)
        return {
          Id: id,
          MessageId: messageId,
          ...(sequenceNumber !== undefined && { SequenceNumber: sequenceNumber }),
        }
      }),
    )
    return { Successful: published, Failed: [] }
  }

  return { Publish: publish, PublishBatch: publishBatch }
}

function checkIds(ids: readonly string[]): void {
  if (ids.length === 0) throw emptyBatch()
  if (ids.length > MAX_ENTRIES) throw tooManyEntries()
  if (!ids.every((id) => ENTRY_ID.test(id))) throw invalidEntryId()
  if (new Set(ids).size < ids.length) throw idsNotDistinct()
}

/** Throws InvalidParameter for phones and mobile devices, which nothing is sent to from here. */
function targetOf({ TopicArn, TargetArn, PhoneNumber }: PublishInput): string {
  if (PhoneNumber !== undefined) {
    if (!PHONE.test(PhoneNumber) || TopicArn !== undefined || TargetArn !== undefined) {
      throw invalidParameter(`PhoneNumber Reason: ${PhoneNumber} is not valid to publish to`)
    }
    throw invalidParameter('PhoneNumber Reason: There is no way to send SMS from here')
  }
  const target = TopicArn ?? TargetArn
  if (target === undefined) throw missing('TopicArn or TargetArn')
  if (PLATFORM_ENDPOINT.test(target))
    throw invalidParameter('TargetArn Reason: No endpoint found for the target arn specified')
  return target
}
