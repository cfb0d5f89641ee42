/** Receiving, and what is done with a receipt handle. */
import type {
  ChangeMessageVisibilityBatchRequest,
  ChangeMessageVisibilityRequest,
  DeleteMessageBatchRequest,
  DeleteMessageRequest,
  ReceiveMessageRequest,
} from '@aws-sdk/client-sqs'

import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { checkBatch, runBatch } from './batch.ts'
import { attributesDigest, bodyDigest } from './message-digest.ts'
import { decodeContent, type MessageAttributes } from './queue/message.ts'
import type { ReceivedMessage } from './queue/message-queue.ts'
import { isFifo, numberOf } from './queue-settings.ts'
import type { ResolveQueue } from './resolve-queue.ts'
import { sequenceNumber } from './sequence-number.ts'
import { invalidValue, unknownAttribute } from './sqs-errors.ts'

const MAX_MESSAGES = 10
const MAX_WAIT_SECONDS = 20
const MAX_VISIBILITY_SECONDS = 43_200

const SYSTEM_NAMES = new Set([
  'All',
  'SenderId',
  'SentTimestamp',
  'ApproximateReceiveCount',
  'ApproximateFirstReceiveTimestamp',
  'SequenceNumber',
  'MessageDeduplicationId',
  'MessageGroupId',
  'AWSTraceHeader',
  'DeadLetterQueueSourceArn',
])

export function createReceiveOperations({ resolve }: { readonly resolve: ResolveQueue }): OperationHandlers {
  const receive: OperationHandler<ReceiveMessageRequest, object> = async (input, context) => {
    const { doc, queue } = await resolve.open(input.QueueUrl, context)
    const max = input.MaxNumberOfMessages ?? 1
    if (!(max >= 1 && max <= MAX_MESSAGES)) {
      throw invalidValue(max, 'MaxNumberOfMessages', `Must be between 1 and ${MAX_MESSAGES}, if provided.`)
    }
    const waitSeconds = input.WaitTimeSeconds ?? numberOf(doc, 'ReceiveMessageWaitTimeSeconds')
    if (!(waitSeconds >= 0 && waitSeconds <= MAX_WAIT_SECONDS)) {
      throw invalidValue(
        waitSeconds,
        'WaitTimeSeconds',
        `Must be >= 0 and <= ${MAX_WAIT_SECONDS}, if provided.`,
      )
    }
    const visibilitySeconds = input.VisibilityTimeout ?? numberOf(doc, 'VisibilityTimeout')
    checkVisibility(visibilitySeconds)
    const names = new Set<string>([
      ...(input.AttributeNames ?? []),
      ...(input.MessageSystemAttributeNames ?? []),
    ])
    for (const name of names) if (!SYSTEM_NAMES.has(name)) throw unknownAttribute(name)
    const messages = await queue.receive({
      max,
      visibilityMs: visibilitySeconds * 1000,
      waitMs: waitSeconds * 1000,
      attemptId: isFifo(doc) ? input.ReceiveRequestAttemptId : undefined,
      signal: context.signal,
    })
    if (messages.length === 0) return {}
    const wanted = input.MessageAttributeNames ?? []
    return { Messages: messages.map((message) => viewOf(message, names, wanted, isFifo(doc))) }
  }

  const remove: OperationHandler<DeleteMessageRequest, object> = async (input, context) => {
    const { queue } = await resolve.open(input.QueueUrl, context)
    await queue.remove(input.ReceiptHandle ?? '')
    return {}
  }
  const removeBatch: OperationHandler<DeleteMessageBatchRequest, object> = async (input, context) => {
    const { queue } = await resolve.open(input.QueueUrl, context)
    const { Entries = [] } = input
    checkBatch(Entries, 'DeleteMessageBatchRequestEntry')
    return await runBatch(Entries, async ({ ReceiptHandle = '' }) => {
      await queue.remove(ReceiptHandle)
      return {}
    })
  }

  const changeVisibility: OperationHandler<ChangeMessageVisibilityRequest, object> = async (
    input,
    context,
  ) => {
    const { QueueUrl, ReceiptHandle = '', VisibilityTimeout = 0 } = input
    const { queue } = await resolve.open(QueueUrl, context)
    checkVisibility(VisibilityTimeout)
    await queue.changeVisibility(ReceiptHandle, VisibilityTimeout * 1000)
    return {}
  }
  const changeBatch: OperationHandler<ChangeMessageVisibilityBatchRequest, object> = async (
    input,
    context,
  ) => {
    const { queue } = await resolve.open(input.QueueUrl, context)
    const { Entries = [] } = input
    checkBatch(Entries, 'ChangeMessageVisibilityBatchRequestEntry')
    return await runBatch(Entries, async ({ ReceiptHandle = '', VisibilityTimeout = 0 }) => {
      checkVisibility(VisibilityTimeout)
      await queue.changeVisibility(ReceiptHandle, VisibilityTimeout * 1000)
      return {}
    })
  }

  return {
    ReceiveMessage: receive,
    DeleteMessage: remove,
    DeleteMessageBatch: removeBatch,
    ChangeMessageVisibility: changeVisibility,
    ChangeMessageVisibilityBatch: changeBatch,
  }
}

function checkVisibility(seconds: number): void {
  if (seconds >= 0 && seconds <= MAX_VISIBILITY_SECONDS) return
  // Text unverified.
  throw invalidValue(
    seconds,
    'VisibilityTimeout',
    `Must be between 0 and ${MAX_VISIBILITY_SECONDS}, if provided.`,
  )
}

function viewOf(
  message: ReceivedMessage,
  names: ReadonlySet<string>,
  wanted: readonly string[],
  fifo: boolean,
): object {
  const { id, head, payload, handle, receives, firstReceivedAt = 0 } = message
  const { body, attributes } = decodeContent(payload)
  const system: Readonly<Record<string, string | undefined>> = {
    SenderId: head.senderId,
    ApproximateFirstReceiveTimestamp: String(firstReceivedAt),
    ApproximateReceiveCount: String(receives),
    SentTimestamp: String(head.sentAt),
    SequenceNumber: fifo ? sequenceNumber(id) : undefined,
    MessageDeduplicationId: head.deduplicationId,
    MessageGroupId: head.group,
    AWSTraceHeader: head.traceHeader,
    DeadLetterQueueSourceArn: head.deadLetterSource,
  }
  const shown = Object.entries(system).filter(
    ([name, value]) => value !== undefined && (names.has('All') || names.has(name)),
  )
  const chosen = chosenAttributes(attributes, wanted)
  const digest = attributesDigest(chosen)
  return {
    MessageId: head.messageId,
    ReceiptHandle: handle,
    MD5OfBody: bodyDigest(body),
    Body: body,
    ...(shown.length > 0 && { Attributes: Object.fromEntries(shown) }),
    ...(digest !== undefined && {
      MD5OfMessageAttributes: digest,
      MessageAttributes: Object.fromEntries(
        Object.entries(chosen).map(([name, { type, text, base64 }]) => [
          name,
          {
            ...(text !== undefined && { StringValue: text }),
            ...(base64 !== undefined && { BinaryValue: Buffer.from(base64, 'base64') }),
            DataType: type,
          },
        ]),
      ),
    }),
  }
}

/** By name, by prefix (`name.*`), or all of them (`All`, `.*`); names that can't be are ignored (recorded). */
function chosenAttributes(attributes: MessageAttributes, wanted: readonly string[]): MessageAttributes {
  if (wanted.length === 0) return {}
  if (wanted.includes('All') || wanted.includes('.*')) return attributes
  const exact = new Set(wanted)
  const prefixes = wanted.flatMap((name) => (name.endsWith('.*') ? [name.slice(0, -2)] : []))
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([name]) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix)),
    ),
  )
}
