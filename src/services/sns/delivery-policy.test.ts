import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  effectiveSubscriptionPolicy,
  effectiveTopicPolicy,
  httpDelivery,
  MANAGED_RETRIES,
  retryDelayMs,
  retryPolicyProblem,
  storedSubscriptionPolicy,
  storedTopicPolicy,
  type RetryPolicy,
} from './delivery-policy.ts'

const delays = (policy: RetryPolicy, count: number) =>
  Array.from({ length: count }, (_, index) => retryDelayMs(policy, index + 1))

test('sns retries: queues and functions have four phases, over 23 days', () => {
  const first = delays(MANAGED_RETRIES, 16)
  assert.deepEqual(first.slice(0, 5), [0, 0, 0, 1000, 1000])
  assert.equal(first[5], 1000)
  assert.equal(first[14], 20_000)
  assert.ok(
    first.slice(5, 15).every((delay, index, all) => index === 0 || (delay ?? 0) > (all[index - 1] ?? 0)),
  )
  assert.equal(first[15], 20_000)
  assert.equal(retryDelayMs(MANAGED_RETRIES, 100_015), 20_000)
  assert.equal(retryDelayMs(MANAGED_RETRIES, 100_016), undefined)
  let totalMs = 0
  for (let failures = 1; failures <= 100_015; failures++)
    totalMs += retryDelayMs(MANAGED_RETRIES, failures) ?? 0
  assert.equal(Math.floor(totalMs / 86_400_000), 23)
})

test('sns retries: HTTP has three by default, and what its policies say', () => {
  const { retries, contentType } = httpDelivery({ attributes: {} }, { attributes: {} })
  assert.deepEqual(delays(retries, 4), [20_000, 20_000, 20_000, undefined])
  assert.equal(contentType, 'text/plain; charset=UTF-8')
  const policy = {
    healthyRetryPolicy: {
      minDelayTarget: 1,
      maxDelayTarget: 60,
      numRetries: 8,
      numNoDelayRetries: 1,
      numMinDelayRetries: 2,
      numMaxDelayRetries: 1,
      backoffFunction: 'linear',
    },
  }
  const own = { attributes: { DeliveryPolicy: JSON.stringify(policy) } }
  assert.deepEqual(delays(httpDelivery({ attributes: {} }, own).retries, 9), [
    0,
    1000,
    1000,
    1000,
    20_667,
    40_333,
    60_000,
    60_000,
    undefined,
  ])
  const overriding = { attributes: { DeliveryPolicy: '{"http":{"disableSubscriptionOverrides":true}}' } }
  assert.equal(delays(httpDelivery(overriding, own).retries, 1)[0], 20_000)
})

const DEFAULT = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  backoffFunction: 'linear',
}

test('sns retries: policies are shown as AWS shows them', () => {
  // Recorded from AWS.
  assert.deepEqual(JSON.parse(effectiveTopicPolicy({ attributes: {} })), {
    http: {
      defaultHealthyRetryPolicy: DEFAULT,
      disableSubscriptionOverrides: false,
      defaultRequestPolicy: { headerContentType: 'text/plain; charset=UTF-8' },
    },
  })
  const set = '{"http":{"defaultRequestPolicy":{"headerContentType":"application/json"}}}'
  assert.deepEqual(JSON.parse(storedTopicPolicy(set)), {
    http: {
      disableSubscriptionOverrides: false,
      defaultRequestPolicy: { headerContentType: 'application/json' },
    },
  })
  const own = storedSubscriptionPolicy('{"requestPolicy":{"headerContentType":"text/csv"}}')
  const rest = { sicklyRetryPolicy: null, throttlePolicy: null, guaranteed: false }
  const requestPolicy = { headerContentType: 'text/csv' }
  assert.deepEqual(JSON.parse(own), { healthyRetryPolicy: null, ...rest, requestPolicy })
  const effective = effectiveSubscriptionPolicy({ attributes: {} }, { attributes: { DeliveryPolicy: own } })
  assert.deepEqual(JSON.parse(effective), { healthyRetryPolicy: DEFAULT, ...rest, requestPolicy })
})

test('sns retries: refuses policies that make no sense or take too long', () => {
  assert.equal(retryPolicyProblem({ numRetries: 5, minDelayTarget: 1, maxDelayTarget: 5 }), undefined)
  assert.match(retryPolicyProblem({ numRetries: 101 }) ?? '', /numRetries must be between 0 and 100/)
  assert.match(retryPolicyProblem({ minDelayTarget: 30 }) ?? '', /less than or equal/)
  assert.match(retryPolicyProblem({ numMaxDelayRetries: 4 }) ?? '', /at least the sum/)
  assert.match(retryPolicyProblem({ backoffFunction: 'none' }) ?? '', /backoffFunction/)
  assert.match(retryPolicyProblem({ numRetries: 100, minDelayTarget: 60, maxDelayTarget: 60 }) ?? '', /3600/)
  assert.match(retryPolicyProblem({ other: 1 }) ?? '', /Unexpected JSON member/)
})
