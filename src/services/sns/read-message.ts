/** What a publisher sends, checked and read; texts recorded from AWS unless a comment says otherwise. Pure. */
import { hash } from 'node:crypto'

import type { PublishBatchRequestEntry } from '@aws-sdk/client-sns'

import type { SnsTopic } from '#contracts/sns.ts'

import { readAttributes, sizeOfAttributes, type MessageAttributes } from './message-attributes.ts'
import { invalidParameter } from './sns-errors.ts'

export interface PublishedMessage {
  /** For a protocol, such as `sqs`: what the publisher meant for it, or for all. */
  readonly bodyFor: (protocol: string) => string
  readonly subject: string | undefined
  readonly attributes: MessageAttributes
  readonly groupId: string | undefined
  /** FIFO topics only. */
  readonly deduplicationId: string | undefined
  readonly sizeBytes: number
}

export const DEFAULT_MESSAGE_BYTES = 256 * 1024

export const maxMessageBytes = ({ attributes }: SnsTopic) =>
  Number(attributes['MaximumMessageSize'] ?? DEFAULT_MESSAGE_BYTES)

const MAX_SUBJECT = 100
// oxlint-disable-next-line no-control-regex -- that is what must not be there
const SUBJECT = /^[^\u0000-\u001f\u007f]+$/
/** Letters, digits and punctuation of ASCII (API reference). */
const FIFO_ID = /^[\u0021-\u007e]{1,128}$/

type Given = Omit<PublishBatchRequestEntry, 'Id'>

/** Throws InvalidParameter and ParameterValueInvalid. */
export function readMessage(given: Given, topic: SnsTopic): PublishedMessage {
  const { Message: message = '', Subject: subject } = given
  if (subject !== undefined && (subject.length > MAX_SUBJECT || !SUBJECT.test(subject)))
    throw invalidParameter('Subject')
  if (message === '') throw invalidParameter('Empty message')
  const attributes = readAttributes(given.MessageAttributes)
  const sizeBytes = Buffer.byteLength(message) + sizeOfAttributes(attributes)
  return {
    bodyFor: bodies(message, given.MessageStructure),
    subject,
    attributes,
    ...order(given, topic),
    sizeBytes,
  }
}

/** The text is unverified for values other than `json`. */
function bodies(message: string, structure: string | undefined): (protocol: string) => string {
  if (structure === undefined || structure === '') return () => message
  if (structure !== 'json') throw invalidParameter('Invalid value for MessageStructure')
  const byProtocol = parsed(message)
  const everybody = byProtocol['default']
  if (typeof everybody !== 'string')
    throw invalidParameter('Message Structure - No default entry in JSON message body')
  return (protocol) => {
    const own = Object.hasOwn(byProtocol, protocol) ? byProtocol[protocol] : undefined
    return typeof own === 'string' ? own : everybody
  }
}

function parsed(message: string): Readonly<Record<string, unknown>> {
  try {
    const json = JSON.parse(message) as unknown
    if (json !== null && typeof json === 'object' && !Array.isArray(json))
      return json as Readonly<Record<string, unknown>>
  } catch {
    // Told below, like JSON that is no object.
  }
  throw invalidParameter('Message Structure - JSON message body failed to parse')
}

function order(
  { MessageGroupId: groupId, MessageDeduplicationId: given, Message = '' }: Given,
  topic: SnsTopic,
) {
  // Texts of the two checks are unverified.
  if (groupId !== undefined && !FIFO_ID.test(groupId)) throw invalidParameter('MessageGroupId')
  if (!topic.isFifo) {
    if (given !== undefined) {
      throw invalidParameter(
        'MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type',
      )
    }
    return { groupId, deduplicationId: undefined }
  }
  if (groupId === undefined)
    throw invalidParameter('The MessageGroupId parameter is required for FIFO topics')
  if (given !== undefined) {
    if (!FIFO_ID.test(given)) throw invalidParameter('MessageDeduplicationId')
    return { groupId, deduplicationId: given }
  }
  if (topic.attributes['ContentBasedDeduplication'] !== 'true') {
    throw invalidParameter(
      'The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    )
  }
  return { groupId, deduplicationId: hash('sha256', Message) }
}
