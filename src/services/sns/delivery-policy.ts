/**
 * How deliveries are tried again. Source: SNS's guide, "Message delivery retries"; forms and defaults of the policies
 * recorded from AWS. Pure.
 */
import type { SnsSubscription, SnsTopic } from '#contracts/sns.ts'

export type BackoffFunction = 'linear' | 'arithmetic' | 'geometric' | 'exponential'

export interface RetryPolicy {
  /** Seconds. */
  readonly minDelayTarget: number
  readonly maxDelayTarget: number
  /** All four phases together. */
  readonly numRetries: number
  readonly numMaxDelayRetries: number
  readonly numNoDelayRetries: number
  readonly numMinDelayRetries: number
  readonly backoffFunction: BackoffFunction
}

const DEFAULT_RETRIES: RetryPolicy = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  backoffFunction: 'linear',
}
const DEFAULT_CONTENT_TYPE = 'text/plain; charset=UTF-8'

/** Queues and functions: 100,015 retries over 23 days. */
export const MANAGED_RETRIES: RetryPolicy = {
  minDelayTarget: 1,
  maxDelayTarget: 20,
  numRetries: 100_015,
  numMaxDelayRetries: 100_000,
  numNoDelayRetries: 3,
  numMinDelayRetries: 2,
  backoffFunction: 'exponential',
}

/**
 * Milliseconds to wait before the next attempt when `failures` attempts have failed; undefined when that was the last.
 * The phases follow each other: at once, with the least delay, with growing delays, with the greatest.
 */
export function retryDelayMs(policy: RetryPolicy, failures: number): number | undefined {
  const { numRetries, numNoDelayRetries, numMinDelayRetries, numMaxDelayRetries } = policy
  if (failures > numRetries) return undefined
  if (failures <= numNoDelayRetries) return 0
  if (failures <= numNoDelayRetries + numMinDelayRetries) return policy.minDelayTarget * 1000
  const growing = numRetries - numNoDelayRetries - numMinDelayRetries - numMaxDelayRetries
  const step = failures - numNoDelayRetries - numMinDelayRetries
  if (step > growing) return policy.maxDelayTarget * 1000
  return Math.round(grown(policy, step, growing) * 1000)
}

/** Step 1 has the least delay, the last step the greatest. The curves between are unverified. */
function grown(
  { minDelayTarget: least, maxDelayTarget: most, backoffFunction }: RetryPolicy,
  step: number,
  steps: number,
) {
  const share = steps > 1 ? (step - 1) / (steps - 1) : 1
  switch (backoffFunction) {
    case 'linear':
      return least + (most - least) * share
    case 'arithmetic':
      return least + (most - least) * ((share * (share + 1)) / 2)
    case 'geometric':
      return least + (most - least) * share ** 2
    case 'exponential':
      return least === 0 ? most * share ** 2 : least * (most / least) ** share
  }
}

interface TopicPolicy {
  readonly http?: {
    readonly defaultHealthyRetryPolicy?: Partial<RetryPolicy>
    readonly disableSubscriptionOverrides?: boolean
    readonly defaultThrottlePolicy?: { readonly maxReceivesPerSecond?: number }
    readonly defaultRequestPolicy?: { readonly headerContentType?: string }
  }
}

interface SubscriptionPolicy {
  readonly healthyRetryPolicy?: Partial<RetryPolicy> | null
  readonly sicklyRetryPolicy?: object | null
  readonly throttlePolicy?: { readonly maxReceivesPerSecond?: number } | null
  readonly requestPolicy?: { readonly headerContentType?: string } | null
  readonly guaranteed?: boolean
}

const read = <Policy>(text: string | undefined): Policy =>
  (text === undefined || text === '' ? {} : JSON.parse(text)) as Policy

/** Value of the topic's attribute EffectiveDeliveryPolicy. */
export function effectiveTopicPolicy({ attributes }: Pick<SnsTopic, 'attributes'>): string {
  const { http = {} } = read<TopicPolicy>(attributes['DeliveryPolicy'])
  return JSON.stringify({
    http: {
      defaultHealthyRetryPolicy: { ...DEFAULT_RETRIES, ...http.defaultHealthyRetryPolicy },
      disableSubscriptionOverrides: http.disableSubscriptionOverrides ?? false,
      ...(http.defaultThrottlePolicy && { defaultThrottlePolicy: http.defaultThrottlePolicy }),
      defaultRequestPolicy: {
        headerContentType: http.defaultRequestPolicy?.headerContentType ?? DEFAULT_CONTENT_TYPE,
      },
    },
  })
}

/** Value of a topic's attribute DeliveryPolicy as AWS returns it, with what it adds. */
export function storedTopicPolicy(text: string): string {
  const { http = {} } = read<TopicPolicy>(text)
  const { disableSubscriptionOverrides = false, defaultHealthyRetryPolicy, ...rest } = http
  return JSON.stringify({
    http: {
      ...(defaultHealthyRetryPolicy && { defaultHealthyRetryPolicy }),
      disableSubscriptionOverrides,
      ...rest,
    },
  })
}

/** Value of a subscription's attribute DeliveryPolicy as AWS returns it. */
export const storedSubscriptionPolicy = (text: string): string =>
  JSON.stringify(wholePolicy(read<SubscriptionPolicy>(text)))

function wholePolicy(given: SubscriptionPolicy) {
  return {
    healthyRetryPolicy: given.healthyRetryPolicy ? { ...DEFAULT_RETRIES, ...given.healthyRetryPolicy } : null,
    sicklyRetryPolicy: given.sicklyRetryPolicy ?? null,
    throttlePolicy: given.throttlePolicy ?? null,
    requestPolicy: given.requestPolicy ?? null,
    guaranteed: given.guaranteed ?? false,
  }
}

type Attributed = Pick<SnsSubscription, 'attributes'>

function effectivePolicy(topic: Pick<SnsTopic, 'attributes'>, subscription: Attributed) {
  const { http = {} } = read<TopicPolicy>(topic.attributes['DeliveryPolicy'])
  const own = http.disableSubscriptionOverrides
    ? {}
    : read<SubscriptionPolicy>(subscription.attributes['DeliveryPolicy'])
  const whole = wholePolicy(own)
  return {
    ...whole,
    throttlePolicy: whole.throttlePolicy ?? http.defaultThrottlePolicy ?? null,
    healthyRetryPolicy: whole.healthyRetryPolicy ?? { ...DEFAULT_RETRIES, ...http.defaultHealthyRetryPolicy },
    requestPolicy: {
      headerContentType:
        own.requestPolicy?.headerContentType ??
        http.defaultRequestPolicy?.headerContentType ??
        DEFAULT_CONTENT_TYPE,
    },
  }
}

/** Value of a subscription's attribute EffectiveDeliveryPolicy. */
export const effectiveSubscriptionPolicy = (
  topic: Pick<SnsTopic, 'attributes'>,
  subscription: Attributed,
): string => JSON.stringify(effectivePolicy(topic, subscription))

export interface HttpDelivery {
  readonly retries: RetryPolicy
  readonly contentType: string
  /** Undefined: as many as come. */
  readonly maxPerSecond: number | undefined
}

export function httpDelivery(topic: Pick<SnsTopic, 'attributes'>, subscription: Attributed): HttpDelivery {
  const { healthyRetryPolicy, requestPolicy, throttlePolicy } = effectivePolicy(topic, subscription)
  return {
    retries: healthyRetryPolicy,
    contentType: requestPolicy.headerContentType,
    maxPerSecond: throttlePolicy?.maxReceivesPerSecond,
  }
}

const LIMITS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  minDelayTarget: [1, 3600],
  maxDelayTarget: [1, 3600],
  numRetries: [0, 100],
  numNoDelayRetries: [0, 100],
  numMinDelayRetries: [0, 100],
  numMaxDelayRetries: [0, 100],
}
const FUNCTIONS: ReadonlySet<unknown> = new Set(['linear', 'arithmetic', 'geometric', 'exponential'])
/** No HTTP delivery is tried for longer (SNS's guide). */
const MAX_TOTAL_S = 3600

/** What is wrong with a retry policy, after its parameter's name; undefined: nothing. Texts unverified. */
export function retryPolicyProblem(given: unknown): string | undefined {
  if (given === undefined || given === null) return undefined
  if (typeof given !== 'object' || Array.isArray(given)) return 'healthyRetryPolicy must be an object'
  for (const [name, value] of Object.entries(given)) {
    if (name === 'backoffFunction') {
      if (!FUNCTIONS.has(value)) return `Unexpected value ${JSON.stringify(value)} for backoffFunction`
      continue
    }
    const limit = LIMITS[name]
    if (!limit) return `Unexpected JSON member: ${name}`
    if (typeof value !== 'number' || !Number.isInteger(value) || value < limit[0] || value > limit[1]) {
      return `${name} must be between ${limit[0]} and ${limit[1]}, inclusive`
    }
  }
  const policy = { ...DEFAULT_RETRIES, ...(given as Partial<RetryPolicy>) }
  if (policy.minDelayTarget > policy.maxDelayTarget)
    return 'minDelayTarget must be less than or equal to maxDelayTarget'
  const phases = policy.numNoDelayRetries + policy.numMinDelayRetries + policy.numMaxDelayRetries
  if (phases > policy.numRetries)
    return 'numRetries must be at least the sum of numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries'
  let totalMs = 0
  for (let failures = 1; failures <= policy.numRetries; failures++)
    totalMs += retryDelayMs(policy, failures) ?? 0
  return totalMs > MAX_TOTAL_S * 1000 ? 'total retry time must not exceed 3600 seconds' : undefined
}
