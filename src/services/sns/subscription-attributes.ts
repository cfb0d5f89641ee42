/** Attributes of subscriptions: what may be set, what is refused, what is shown. Texts recorded from AWS unless said. Pure. */
import {
  snsSubscriptionArn,
  snsTopicArn,
  type SnsProtocol,
  type SnsSubscription,
  type SnsTopic,
} from '#contracts/sns.ts'

import { filterScopeOf } from './catalogue.ts'
import {
  effectiveSubscriptionPolicy,
  retryPolicyProblem,
  storedSubscriptionPolicy,
} from './delivery-policy.ts'
import { parseFilterPolicy } from './filter/parse-filter-policy.ts'
import { parseObject } from './json-problem.ts'
import { invalidParameter } from './sns-errors.ts'
import type { Asked } from './topic-attributes.ts'

type Attributes = SnsSubscription['attributes']

interface Target {
  readonly topic: SnsTopic
  readonly protocol: SnsProtocol
  readonly endpoint: string
}

const NAMES = new Set([
  'DeliveryPolicy',
  'FilterPolicy',
  'FilterPolicyScope',
  'RawMessageDelivery',
  'RedrivePolicy',
  'ReplayPolicy',
  'SubscriptionRoleArn',
])
const QUEUE_ARN = /^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}(?:\.fifo)?$/
const RAW = new Set<SnsProtocol>(['sqs', 'http', 'https'])

const refusal = (asked: Asked, problem: string) =>
  invalidParameter(asked === 'create' ? `Attributes Reason: ${problem}` : problem)

/** All of `given` on top of `before`. Throws InvalidParameter. */
export function withAttributes(
  before: Attributes,
  given: Attributes,
  target: Target,
  asked: Asked,
): Attributes {
  let after: Record<string, string> = { ...before }
  for (const [name, value] of Object.entries(given)) {
    if (!NAMES.has(name)) throw refusal(asked, 'AttributeName')
    const { [name]: _, ...others } = after
    const set = normal(name, value, target, asked)
    after = set === undefined ? others : { ...others, [name]: set }
  }
  // Whichever of the two came last: together they must make sense.
  const filter = after['FilterPolicy']
  if (filter !== undefined && ('FilterPolicy' in given || 'FilterPolicyScope' in given)) {
    const result = parseFilterPolicy(filter, filterScopeOf(after))
    if ('problem' in result) throw refusal(asked, result.problem)
  }
  return after
}

/** The value as it is kept; undefined: the attribute goes back to its default. */
function normal(name: string, value: string, target: Target, asked: Asked): string | undefined {
  const refuse = (problem: string) => refusal(asked, `${name}: ${problem}`)
  switch (name) {
    case 'RawMessageDelivery':
      if (!/^(?:true|false)$/i.test(value)) throw refuse(`Invalid value [${value}]. Must be true or false.`)
      // Text unverified.
      if (value.toLowerCase() === 'true' && !RAW.has(target.protocol)) {
        throw refuse(`Delivery protocol [${target.protocol}] does not support raw message delivery.`)
      }
      return value.toLowerCase()
    case 'FilterPolicyScope':
      if (value !== 'MessageBody' && value !== 'MessageAttributes') {
        throw refuse(`Invalid value [${value}]. Please use either MessageBody or MessageAttributes`)
      }
      return value
    case 'FilterPolicy':
      return value === '' || /^\s*\{\s*\}\s*$/.test(value) ? undefined : value
    case 'RedrivePolicy':
      return value === '' || value === '{}' ? undefined : redrivePolicy(value, target, refuse)
    case 'DeliveryPolicy':
      return value === '' || value === '{}' ? undefined : deliveryPolicy(value, refuse)
    default:
      return value === '' ? undefined : value
  }
}

type Refuse = (problem: string) => Error

function redrivePolicy(text: string, { topic, endpoint }: Target, refuse: Refuse): string {
  const parsed = parseObject(text)
  if (!parsed.json) throw refuse(parsed.problem)
  const policy = parsed.json
  const arn = policy['deadLetterTargetArn']
  if (typeof arn !== 'string' || !QUEUE_ARN.test(arn)) throw refuse('deadLetterTargetArn is an invalid arn')
  if (topic.isFifo && endpoint.endsWith('.fifo') && !arn.endsWith('.fifo')) {
    throw refuse('must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.')
  }
  return text
}

function deliveryPolicy(text: string, refuse: Refuse): string {
  const parsed = parseObject(text)
  if (!parsed.json) throw refuse(parsed.problem)
  const policy = parsed.json
  const problem = retryPolicyProblem(policy['healthyRetryPolicy'])
  if (problem !== undefined) throw refuse(`healthyRetryPolicy: ${problem}`)
  const throttle = policy['throttlePolicy'] as { readonly maxReceivesPerSecond?: unknown } | null | undefined
  const most = throttle?.maxReceivesPerSecond
  // Text unverified.
  if (most !== undefined && !(typeof most === 'number' && most >= 1))
    throw refuse('throttlePolicy: maxReceivesPerSecond must be at least 1')
  return storedSubscriptionPolicy(text)
}

/** ARN of the queue for what can't be delivered. */
export function deadLetterQueueOf({ attributes }: SnsSubscription): string | undefined {
  const arn = parseObject(attributes['RedrivePolicy'] ?? '{}').json?.['deadLetterTargetArn']
  return typeof arn === 'string' ? arn : undefined
}

/** What GetSubscriptionAttributes shows. */
export function subscriptionAttributesView(
  subscription: SnsSubscription,
  topic: SnsTopic | undefined,
): Record<string, string> {
  const { FilterPolicyScope: _, ...attributes } = subscription.attributes
  const isHttp = subscription.protocol === 'http' || subscription.protocol === 'https'
  return {
    SubscriptionPrincipal: subscription.principal,
    Owner: subscription.owner,
    RawMessageDelivery: 'false',
    TopicArn: snsTopicArn(subscription, subscription.topic),
    Endpoint: subscription.endpoint,
    Protocol: subscription.protocol,
    PendingConfirmation: String(subscription.isPending),
    ConfirmationWasAuthenticated: String(subscription.isAuthenticated),
    SubscriptionArn: snsSubscriptionArn(subscription),
    ...(isHttp && topic && { EffectiveDeliveryPolicy: effectiveSubscriptionPolicy(topic, subscription) }),
    ...attributes,
    // The scope alone is not shown (recorded from AWS).
    ...(attributes['FilterPolicy'] !== undefined && {
      FilterPolicyScope: filterScopeOf(subscription.attributes),
    }),
  }
}
