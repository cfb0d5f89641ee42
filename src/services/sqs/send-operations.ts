/** Sending: answered when the message is durable. */
import type {
  SendMessageBatchRequest,
  SendMessageBatchRequestEntry,
  SendMessageRequest,
} from '@aws-sdk/client-sqs'

import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { OperationHandler, OperationHandlers, Principal, RequestContext } from '#wire/service.ts'

import { checkBatch, runBatch } from './batch.ts'
import { attributesDigest, bodyDigest } from './message-digest.ts'
import {
  checkMessage,
  isContentBased,
  NEEDS_DEDUPLICATION,
  sizeOf,
  type CheckedMessage,
  type Sent,
} from './message-rules.ts'
import { encodeContent, type MessageHead } from './queue/message.ts'
import { isFifo, MAX_MESSAGE_BYTES } from './queue-settings.ts'
import type { OpenedQueue, ResolveQueue } from './resolve-queue.ts'
import { sequenceNumber } from './sequence-number.ts'
import { batchTooLong, invalidParameter } from './sqs-errors.ts'

export function createSendOperations(deps: {
  readonly resolve: ResolveQueue
  readonly clock: Clock
  readonly random: Random
  /** What messages say of who sent them. */
  readonly senderId: (principal: Principal) => string
}): OperationHandlers {
  const { resolve, clock, random, senderId } = deps

  const send = async ({ doc, queue }: OpenedQueue, message: CheckedMessage, context: RequestContext) => {
    const { body, attributes, systemAttributes, group, deduplicationId, delayMs } = message
    const traceHeader = systemAttributes['AWSTraceHeader']?.text ?? context.traceId
    const head: MessageHead = {
      messageId: random.uuid(),
      senderId: senderId(context.principal),
      sentAt: clock.now(),
      ...(group !== undefined && { group }),
      ...(deduplicationId !== undefined && { deduplicationId }),
      ...(traceHeader !== undefined && { traceHeader }),
    }
    const { messageId, id } = await queue.send(head, encodeContent({ body, attributes }), delayMs)
    const ofAttributes = attributesDigest(attributes)
    const ofSystem = attributesDigest(systemAttributes)
    return {
      MessageId: messageId,
      MD5OfMessageBody: bodyDigest(body),
      ...(ofAttributes !== undefined && { MD5OfMessageAttributes: ofAttributes }),
      ...(ofSystem !== undefined && { MD5OfMessageSystemAttributes: ofSystem }),
      ...(isFifo(doc) && { SequenceNumber: sequenceNumber(id) }),
    }
  }

  const sendMessage: OperationHandler<SendMessageRequest, object> = async (input, context) => {
    const opened = await resolve.open(input.QueueUrl, context)
    return await send(opened, checkMessage(opened.doc, input), context)
  }

  const sendBatch: OperationHandler<SendMessageBatchRequest, object> = async (input, context) => {
    const { QueueUrl, Entries = [] } = input
    const opened = await resolve.open(QueueUrl, context)
    checkBatch(Entries, 'SendMessageBatchRequestEntry')
    if (isFifo(opened.doc)) checkFifoEntries(Entries, isContentBased(opened.doc))
    const bytes = Entries.reduce((sum, entry) => sum + roughSize(entry), 0)
    if (bytes > MAX_MESSAGE_BYTES) throw batchTooLong(MAX_MESSAGE_BYTES, bytes)
    return await runBatch(
      Entries,
      async (entry) => await send(opened, checkMessage(opened.doc, entry), context),
    )
  }

  return { SendMessage: sendMessage, SendMessageBatch: sendBatch }
}

/** Of a batch, these fail the whole request (recorded). */
function checkFifoEntries(entries: readonly SendMessageBatchRequestEntry[], contentBased: boolean): void {
  for (const { MessageDeduplicationId, MessageGroupId } of entries) {
    if (!contentBased && !MessageDeduplicationId) throw invalidParameter(NEEDS_DEDUPLICATION)
    if (!MessageGroupId) throw invalidParameter('The request must contain the parameter MessageGroupId.')
  }
}

function roughSize({ MessageBody = '', MessageAttributes = {} }: Sent): number {
  const attributes = Object.entries(MessageAttributes).map(
    ([name, { DataType: type = '', StringValue: text = '', BinaryValue }]) =>
      [
        name,
        { type, text, ...(BinaryValue && { base64: Buffer.from(BinaryValue).toString('base64') }) },
      ] as const,
  )
  return sizeOf(MessageBody, Object.fromEntries(attributes))
}
