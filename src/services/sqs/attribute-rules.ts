/** Checks attributes that are to be set, and says what the queue has afterwards. Pure but for looking up other queues. */
import type { Scope } from '#contracts/arn.ts'
import { compilePolicyText } from '#contracts/policy-evaluation/compile-policy.ts'
import { parseSqsArn, sqsArn, type SqsQueue } from '#contracts/sqs.ts'

import type { QueueIndex } from './queue-index.ts'
import {
  isFifo,
  MAX_MESSAGE_BYTES,
  redriveAllowPolicyOf,
  type RedriveAllowPolicy,
  type RedrivePolicy,
} from './queue-settings.ts'
import { invalidAttributeName, invalidAttributeValue, invalidValue, unknownAttribute } from './sqs-errors.ts'

type Attributes = Readonly<Record<string, string>>

/** The queue that the attributes are for. */
interface Subject extends Scope {
  readonly name: string
}

const RANGES: Readonly<Record<string, readonly [min: number, max: number]>> = {
  DelaySeconds: [0, 900],
  KmsDataKeyReusePeriodSeconds: [60, 86_400],
  MaximumMessageSize: [1024, MAX_MESSAGE_BYTES],
  MessageRetentionPeriod: [60, 1_209_600],
  ReceiveMessageWaitTimeSeconds: [0, 20],
  VisibilityTimeout: [0, 43_200],
}
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  ContentBasedDeduplication: ['true', 'false'],
  DeduplicationScope: ['queue', 'messageGroup'],
  FifoThroughputLimit: ['perQueue', 'perMessageGroupId'],
  SqsManagedSseEnabled: ['true', 'false'],
}
const FIFO_ONLY = new Set([
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
  'FifoQueue',
])
const FREE = new Set(['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId', 'FifoQueue'])
/** An empty text takes them away. */
const REMOVABLE = new Set(['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId'])
const MAX_POLICY_BYTES = 20 * 1024
const MAX_SOURCES = 10

/** Throws SQS's errors. `before`: what the queue has; `given`: what is to be set. */
export function withAttributes(
  subject: Subject,
  before: Attributes,
  given: Attributes,
  index: Pick<QueueIndex, 'byArn'>,
): Attributes {
  for (const [name, value] of Object.entries(given)) checkOne(subject, name, value, index)
  const after: Record<string, string> = { ...before, ...given }
  for (const name of REMOVABLE) if (after[name] === '') delete after[name]
  const hasKey = after['KmsMasterKeyId'] !== undefined
  if (hasKey && given['SqsManagedSseEnabled'] === 'true') {
    throw invalidAttributeName(
      'You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.',
    )
  }
  // A key takes the place of the encryption that queues have by default.
  if (hasKey) delete after['SqsManagedSseEnabled']
  if (
    after['FifoThroughputLimit'] === 'perMessageGroupId' &&
    after['DeduplicationScope'] !== 'messageGroup'
  ) {
    // The rule from the API reference; text unverified.
    throw invalidAttributeValue(
      'FifoThroughputLimit',
      'The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.',
    )
  }
  return after
}

function checkOne(subject: Subject, name: string, value: string, index: Pick<QueueIndex, 'byArn'>): void {
  const range = RANGES[name]
  const choices = CHOICES[name]
  if (!range && !choices && !FREE.has(name)) throw unknownAttribute(name)
  if (FIFO_ONLY.has(name) && !isFifo(subject)) throw unknownAttribute(name)
  if (range) {
    const number = Number(value)
    if (!/^\d{1,10}$/.test(value) || number < range[0] || number > range[1]) throw invalidAttributeValue(name)
  }
  if (choices && !choices.includes(value)) throw invalidAttributeValue(name)
  if (value === '') return
  if (name === 'FifoQueue' && value !== 'true') {
    throw invalidAttributeValue(name, 'Modifying queue type is not supported.')
  }
  if (name === 'Policy') checkPolicy(value)
  if (name === 'RedrivePolicy') checkRedrivePolicy(subject, value, index)
  if (name === 'RedriveAllowPolicy') checkRedriveAllowPolicy(value)
}

function checkPolicy(text: string): void {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES || compilePolicyText(text).broken) {
    throw invalidAttributeValue('Policy')
  }
}

const objectOf = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const json: unknown = JSON.parse(text)
    return json !== null && typeof json === 'object' && !Array.isArray(json)
      ? (json as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

/** Texts as clients report them, unless a comment says otherwise. */
function checkRedrivePolicy(subject: Subject, text: string, index: Pick<QueueIndex, 'byArn'>): void {
  const refuse = (reason: string) => invalidValue(text, 'RedrivePolicy', reason)
  const policy = objectOf(text)
  if (!policy) throw refuse('Redrive policy is not a valid JSON map.')
  for (const name of ['deadLetterTargetArn', 'maxReceiveCount'] satisfies (keyof RedrivePolicy)[]) {
    if (policy[name] === undefined) {
      throw refuse(`Redrive policy does not contain mandatory attribute: ${name}.`)
    }
  }
  const { deadLetterTargetArn: arn, maxReceiveCount: count } = policy
  const named = typeof arn === 'string' ? parseSqsArn(arn) : undefined
  // Recorded.
  if (!named || typeof arn !== 'string') throw refuse('Invalid value for deadLetterTargetArn.')
  const times = typeof count === 'string' ? Number(count) : count
  if (typeof times !== 'number' || !Number.isInteger(times) || times < 1 || times > 1000) {
    throw refuse(
      `Invalid value for maxReceiveCount: ${String(count)}, valid values are from 1 to 1000 both inclusive.`,
    )
  }
  if (named.account !== subject.account || named.region !== subject.region) {
    throw refuse('Dead letter target owner should be same as the source.')
  }
  if (isFifo(named) !== isFifo(subject)) {
    throw refuse('Dead-letter queue must be same type of queue as the source.')
  }
  const target = index.byArn(arn)
  if (!target) throw refuse('Dead letter target does not exist.')
  if (!mayUse(target.doc, sqsArn(subject, subject.name))) {
    // Text unverified.
    throw refuse('The dead-letter queue does not allow this queue as its source.')
  }
}

function mayUse(target: SqsQueue, source: string): boolean {
  const policy = redriveAllowPolicyOf(target)
  if (!policy || policy.redrivePermission === 'allowAll') return true
  return policy.redrivePermission === 'byQueue' && (policy.sourceQueueArns?.includes(source) ?? false)
}

/** Text as clients report it, for all that can be wrong (unverified which). */
function checkRedriveAllowPolicy(text: string): void {
  const { redrivePermission: permission, sourceQueueArns: sources } = (objectOf(text) ??
    {}) as Partial<RedriveAllowPolicy>
  const isByQueue = permission === 'byQueue'
  const isGood =
    (permission === 'allowAll' || permission === 'denyAll' || isByQueue) &&
    (isByQueue
      ? Array.isArray(sources) &&
        sources.length >= 1 &&
        sources.length <= MAX_SOURCES &&
        sources.every((arn: unknown) => typeof arn === 'string' && parseSqsArn(arn) !== undefined)
      : sources === undefined)
  if (!isGood) {
    throw invalidValue(
      text,
      'RedriveAllowPolicy',
      "Amazon SQS can't create the redrive allow policy, as it’s in an unsupported format.",
    )
  }
}
