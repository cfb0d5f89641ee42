import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'

import { decideRetry, DEFAULT_RETRY_POLICY, failureOf } from './retry-policy.ts'

test('retry policy: what can pass is tried again, what is wrong for good is not', () => {
  const rows: readonly (readonly [code: string, status: number, expected: string, canRetry: boolean])[] = [
    ['TooManyRequestsException', 429, 'THROTTLING', true],
    ['ThrottlingException', 400, 'THROTTLING', true],
    ['ServiceException', 500, 'ERROR_FROM_TARGET', true],
    ['InternalFailure', 503, 'ERROR_FROM_TARGET', true],
    ['NotImplemented', 501, 'SDK_CLIENT_ERROR', false],
    ['AccessDeniedException', 403, 'NO_PERMISSIONS', false],
    ['AWS.SimpleQueueService.NonExistentQueue', 400, 'NO_RESOURCE', false],
    ['QueueDoesNotExist', 400, 'NO_RESOURCE', false],
    ['ResourceNotFoundException', 404, 'NO_RESOURCE', false],
    ['ResourceConflictException', 409, 'RESOURCE_MODIFICATION_COLLISION', true],
    ['InvalidParameterValue', 400, 'INVALID_PARAMETER', false],
  ]
  for (const [code, status, expected, canRetry] of rows) {
    const failure = failureOf(new LambdaError(code, 'text', { status }))
    assert.deepEqual([failure.code, failure.canRetry, failure.message], [expected, canRetry, 'text'], code)
  }
  assert.deepEqual(failureOf(new TypeError('bug')), {
    code: 'INTERNAL_ERROR',
    message: 'bug',
    canRetry: true,
  })
})

test('retry policy: pauses grow, attempts and age end it', () => {
  const failure = { code: 'THROTTLING', message: '', canRetry: true }
  const decide = (retries: number, now: number, policy = DEFAULT_RETRY_POLICY) =>
    decideRetry({ failure, retries, acceptedAt: 0, now, lot: 0.999_999, policy })
  assert.deepEqual(decide(185, 0), { exhausted: 'MaximumRetryAttempts' })
  assert.deepEqual(decide(0, 86_400_000), { exhausted: 'MaximumEventAgeInSeconds' })
  assert.deepEqual(decide(3, 86_399_999), { retryAt: 86_400_000 })
  assert.deepEqual(decide(0, 5, { maximumRetryAttempts: 0, maximumEventAgeSeconds: 60 }), {
    exhausted: 'MaximumRetryAttempts',
  })
  assert.deepEqual(
    decideRetry({
      failure: { ...failure, canRetry: false },
      retries: 0,
      acceptedAt: 0,
      now: 0,
      lot: 0,
      policy: DEFAULT_RETRY_POLICY,
    }),
    {
      exhausted: undefined,
    },
  )
  let now = 0
  let attempts = 0
  let before = 0
  for (;;) {
    const decision = decide(attempts, now)
    if (!('retryAt' in decision)) break
    assert.ok(
      decision.retryAt - now >= Math.min(before, 86_400_000 - now) - 1,
      'no pause is shorter than the one before',
    )
    before = decision.retryAt - now
    now = decision.retryAt
    attempts++
  }
  assert.ok(attempts > 140 && attempts <= 185, `${attempts} attempts in a day`)
})
