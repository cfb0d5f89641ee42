/** Attributes of topics: what may be set, what is refused, what is shown. Pure. */
import { snsTopicArn, type SnsTopic } from '#contracts/sns.ts'

import { effectiveTopicPolicy, retryPolicyProblem, storedTopicPolicy } from './delivery-policy.ts'
import { DEFAULT_MESSAGE_BYTES } from './read-message.ts'
import { invalidParameter } from './sns-errors.ts'

const FEEDBACK =
  /^(?:HTTP|Firehose|Lambda|Application|SQS)(?:SuccessFeedbackRoleArn|SuccessFeedbackSampleRate|FailureFeedbackRoleArn)$/
const FREE = new Set(['DisplayName', 'KmsMasterKeyId'])
const MIN_MESSAGE_BYTES = 1024
const MAX_MESSAGE_BYTES = 1024 * 1024

/** Who said it: creating a topic and setting an attribute word the same problem in different ways. */
export type Asked = 'create' | 'set'

const refusal = (asked: Asked, problem: string) =>
  invalidParameter(asked === 'create' ? `Attributes Reason: ${problem}` : problem)

const oneOf = (name: string, values: readonly string[]) => (value: string) =>
  values.includes(value)
    ? undefined
    : `${name}: Invalid value [${value}]. Must be ${values.length === 2 && values[0] === 'true' ? 'true or false.' : values.join(' or ')}`

/** Texts unverified, but for that of the policies. */
const CHECKS: Readonly<Record<string, (value: string) => string | undefined>> = {
  SignatureVersion: oneOf('SignatureVersion', ['1', '2']),
  TracingConfig: oneOf('TracingConfig', ['PassThrough', 'Active']),
  ContentBasedDeduplication: oneOf('ContentBasedDeduplication', ['true', 'false']),
  FifoThroughputScope: oneOf('FifoThroughputScope', ['Topic', 'MessageGroup']),
  MaximumMessageSize: (value) =>
    /^\d+$/.test(value) && Number(value) >= MIN_MESSAGE_BYTES && Number(value) <= MAX_MESSAGE_BYTES
      ? undefined
      : `MaximumMessageSize must be between ${MIN_MESSAGE_BYTES} and ${MAX_MESSAGE_BYTES}`,
  Policy: (value) => (isObject(parsed(value)) ? undefined : 'Policy Error: null'),
  ArchivePolicy: (value) => (isObject(parsed(value)) ? undefined : 'ArchivePolicy: failed to parse JSON'),
  DeliveryPolicy: deliveryPolicyProblem,
}
const OF_FIFO: ReadonlyMap<string, string> = new Map([
  ['ContentBasedDeduplication', 'Content-based deduplication can only be set for FIFO topics'],
  ['FifoThroughputScope', 'FifoThroughputScope can only be set for FIFO topics'],
  ['ArchivePolicy', 'ArchivePolicy can only be set for FIFO topics'],
])

const isObject = (value: unknown) => value !== null && typeof value === 'object' && !Array.isArray(value)
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function deliveryPolicyProblem(text: string): string | undefined {
  const policy = parsed(text)
  if (!isObject(policy)) return 'DeliveryPolicy: failed to parse JSON'
  const { http } = policy as { readonly http?: Readonly<Record<string, unknown>> }
  const problem = retryPolicyProblem(http?.['defaultHealthyRetryPolicy'])
  return problem === undefined ? undefined : `DeliveryPolicy: http.defaultHealthyRetryPolicy: ${problem}`
}

/** An empty value sets an attribute back. Throws InvalidParameter. */
export function withTopicAttribute(
  topic: Pick<SnsTopic, 'isFifo' | 'attributes'>,
  name: string,
  value: string,
  asked: Asked,
): SnsTopic['attributes'] {
  const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined
  if (!check && !FREE.has(name) && !FEEDBACK.test(name)) throw refusal(asked, 'AttributeName')
  const onlyFifo = topic.isFifo ? undefined : OF_FIFO.get(name)
  if (onlyFifo !== undefined) throw invalidParameter(onlyFifo)
  const { [name]: _, ...others } = topic.attributes
  if (value === '') return others
  const problem = check?.(value)
  if (problem !== undefined) throw refusal(asked, problem)
  return { ...others, [name]: name === 'DeliveryPolicy' ? storedTopicPolicy(value) : value }
}

/** The policy of a topic that was made without one (recorded from AWS). */
export const defaultTopicPolicy = (topic: SnsTopic) => ({
  Version: '2008-10-17',
  Id: '__default_policy_ID',
  Statement: [
    {
      Sid: '__default_statement_ID',
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: [
        'SNS:GetTopicAttributes',
        'SNS:SetTopicAttributes',
        'SNS:AddPermission',
        'SNS:RemovePermission',
        'SNS:DeleteTopic',
        'SNS:Subscribe',
        'SNS:ListSubscriptionsByTopic',
        'SNS:Publish',
      ],
      Resource: snsTopicArn(topic, topic.name),
      Condition: { StringEquals: { 'AWS:SourceOwner': topic.account } },
    },
  ],
})

/** What GetTopicAttributes shows (recorded from AWS). */
export function topicAttributesView(
  topic: SnsTopic,
  subscriptions: { readonly confirmed: number; readonly pending: number },
): Record<string, string> {
  return {
    Policy: JSON.stringify(defaultTopicPolicy(topic)),
    Owner: topic.account,
    SubscriptionsPending: String(subscriptions.pending),
    TopicArn: snsTopicArn(topic, topic.name),
    EffectiveDeliveryPolicy: effectiveTopicPolicy(topic),
    SubscriptionsConfirmed: String(subscriptions.confirmed),
    DisplayName: '',
    SubscriptionsDeleted: String(topic.deletedSubscriptions),
    ...(topic.isFifo && { FifoTopic: 'true', ContentBasedDeduplication: 'false' }),
    ...topic.attributes,
  }
}

export const isLargeMessageTopic = ({ attributes }: Pick<SnsTopic, 'attributes'>) =>
  Number(attributes['MaximumMessageSize'] ?? 0) > DEFAULT_MESSAGE_BYTES
