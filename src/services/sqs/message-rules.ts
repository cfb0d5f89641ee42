/** Checks what is to be sent. Pure. Texts as clients report them, unless a comment says that they are recorded. */
import { hash } from 'node:crypto'

import type {
  MessageAttributeValue,
  MessageSystemAttributeValue,
  SendMessageBatchRequestEntry,
} from '@aws-sdk/client-sqs'

import type { SqsQueue } from '#contracts/sqs.ts'

import type { MessageAttribute, MessageAttributes } from './queue/message.ts'
import { isFifo, numberOf } from './queue-settings.ts'
import { invalidContents, invalidParameter, invalidValue, missing } from './sqs-errors.ts'

/** What both ways of sending share. */
export type Sent = Omit<SendMessageBatchRequestEntry, 'Id'>

export interface CheckedMessage {
  readonly body: string
  readonly attributes: MessageAttributes
  readonly systemAttributes: MessageAttributes
  readonly delayMs: number
  readonly group: string | undefined
  readonly deduplicationId: string | undefined
}

/** Recorded. */
export const NEEDS_DEDUPLICATION =
  'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly'
const WRONG_KIND = 'The request include parameter that is not valid for this queue type.'
const MAX_DELAY_SECONDS = 900
const MAX_ATTRIBUTES = 10
const MAX_NAME = 256

/** What XML 1.0 can carry. Lone surrogates are found by `isWellFormed`. */
// oxlint-disable-next-line no-control-regex -- these are the characters that SQS refuses
const REFUSED = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/
const ID = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/
const ATTRIBUTE_NAME = /^(?!(?:aws|amazon)\.)(?!\.)(?!.*\.\.)[\w.-]+(?<!\.)$/i
const TYPE = /^(String|Number|Binary)(?:\..{1,250})?$/
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

export function checkMessage(queue: SqsQueue, sent: Sent): CheckedMessage {
  const { MessageBody: body = '', MessageGroupId: group, MessageDeduplicationId, DelaySeconds } = sent
  if (body === '') throw missing('MessageBody')
  if (REFUSED.test(body) || !body.isWellFormed()) throw invalidContents()
  const attributes = attributesOf(sent.MessageAttributes ?? {}, 'user')
  const systemAttributes = systemAttributesOf(sent.MessageSystemAttributes ?? {})
  const max = numberOf(queue, 'MaximumMessageSize')
  if (sizeOf(body, attributes) > max) {
    // Recorded.
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${max} bytes.`,
    )
  }
  checkId(group, 'MessageGroupId')
  checkId(MessageDeduplicationId, 'MessageDeduplicationId')
  if (DelaySeconds !== undefined && !(DelaySeconds >= 0 && DelaySeconds <= MAX_DELAY_SECONDS)) {
    throw invalidValue(DelaySeconds, 'DelaySeconds', `DelaySeconds must be >= 0 and <= ${MAX_DELAY_SECONDS}.`)
  }
  const checked = { body, attributes, systemAttributes, group }
  if (!isFifo(queue)) {
    if (MessageDeduplicationId !== undefined) {
      throw invalidValue(MessageDeduplicationId, 'MessageDeduplicationId', WRONG_KIND)
    }
    const delayMs = (DelaySeconds ?? numberOf(queue, 'DelaySeconds')) * 1000
    return { ...checked, delayMs, deduplicationId: undefined }
  }
  // Recorded.
  if (DelaySeconds !== undefined && DelaySeconds > 0)
    throw invalidValue(DelaySeconds, 'DelaySeconds', WRONG_KIND)
  if (group === undefined) throw missing('MessageGroupId')
  return {
    ...checked,
    delayMs: numberOf(queue, 'DelaySeconds') * 1000,
    deduplicationId: MessageDeduplicationId ?? contentId(queue, body),
  }
}

export const isContentBased = ({ attributes }: SqsQueue) => attributes['ContentBasedDeduplication'] === 'true'

function contentId(queue: SqsQueue, body: string): string {
  if (!isContentBased(queue)) throw invalidParameter(NEEDS_DEDUPLICATION)
  return hash('sha256', body)
}

function checkId(id: string | undefined, parameter: string): void {
  if (id === undefined || ID.test(id)) return
  throw invalidValue(
    id,
    parameter,
    `${parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
  )
}

/** As SQS counts: the body, and each attribute with its name and its type. */
export function sizeOf(body: string, attributes: MessageAttributes): number {
  let bytes = Buffer.byteLength(body)
  for (const [name, { type, text, base64 }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(type) + Buffer.byteLength(text ?? '')
    if (base64 !== undefined) bytes += Buffer.byteLength(base64, 'base64')
  }
  return bytes
}

function attributesOf(
  given: Readonly<Record<string, MessageAttributeValue>>,
  kind: 'user' | 'system',
): MessageAttributes {
  const names = Object.keys(given)
  if (names.length > MAX_ATTRIBUTES) {
    throw invalidParameter(
      `Number of message attributes [${names.length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`,
    )
  }
  const out: Record<string, MessageAttribute> = {}
  for (const [name, value] of Object.entries(given)) {
    if (kind === 'user' && (name.length > MAX_NAME || !ATTRIBUTE_NAME.test(name))) {
      throw invalidParameter(
        `The message attribute name '${name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters.`,
      )
    }
    Object.defineProperty(out, name, {
      value: attributeOf(name, value, kind),
      enumerable: true,
    })
  }
  return out
}

function attributeOf(
  name: string,
  value: MessageAttributeValue | MessageSystemAttributeValue,
  kind: string,
): MessageAttribute {
  const { DataType: type = '', StringValue: text, BinaryValue: binary } = value
  const prefix = TYPE.exec(type)?.[1]
  if (prefix === undefined) {
    throw invalidParameter(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    )
  }
  const isThere = prefix === 'Binary' ? (binary?.byteLength ?? 0) > 0 : (text ?? '') !== ''
  if (!isThere) {
    // Recorded.
    throw invalidParameter(
      `Message (${kind}) attribute '${name}' must contain a non-empty value of type '${prefix}'.`,
    )
  }
  if (prefix === 'Binary') return { type, base64: Buffer.from(binary ?? []).toString('base64') }
  const value_ = text ?? ''
  if (REFUSED.test(value_) || !value_.isWellFormed()) throw invalidContents()
  if (prefix === 'Number' && !NUMBER.test(value_)) {
    throw invalidParameter(`Can't cast the value of message (${kind}) attribute '${name}' to a number.`)
  }
  return { type, text: value_ }
}

function systemAttributesOf(given: Readonly<Record<string, MessageSystemAttributeValue>>): MessageAttributes {
  for (const name of Object.keys(given)) {
    // Text unverified.
    if (name !== 'AWSTraceHeader')
      throw invalidParameter(`Message system attribute name '${name}' is invalid.`)
  }
  return attributesOf(given, 'system')
}
