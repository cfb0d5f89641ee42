import assert from 'node:assert/strict'
import { it } from 'node:test'

import type { AsyncEvent } from '#contracts/event.ts'

import { backoffMs, decideAfter, decideBefore, type AttemptOutcome } from './retry-decision.ts'

const ACCEPTED_AT = 1_000_000
const settings = { maximumRetryAttempts: 2, maximumEventAgeSeconds: 21_600 }
const event = (functionErrors: number, attempts: number): AsyncEvent => ({
  target: { account: '111122223333', region: 'eu-west-1', name: 'f' },
  qualifier: undefined,
  requestId: 'r',
  payload: new Uint8Array(0),
  acceptedAt: ACCEPTED_AT,
  functionErrors,
  attempts,
})

interface Row {
  readonly name: string
  readonly outcome: AttemptOutcome
  /** Counters before the attempt: function errors, attempts. */
  readonly before: readonly [number, number]
  readonly retries?: number
  readonly maxAgeSeconds?: number
  /** Age of the event when the attempt ends. */
  readonly ageMs?: number
  /** `retry +delay`, or the decision with its reason. */
  readonly expected: string
}

const rows: readonly Row[] = [
  { name: 'success', outcome: 'succeeded', before: [0, 0], expected: 'complete' },
  {
    name: 'success after the age limit',
    outcome: 'succeeded',
    before: [0, 0],
    ageMs: 1e9,
    expected: 'complete',
  },
  { name: 'first function error', outcome: 'function-error', before: [0, 0], expected: 'retry +60000' },
  { name: 'second function error', outcome: 'function-error', before: [1, 1], expected: 'retry +120000' },
  {
    name: 'third function error',
    outcome: 'function-error',
    before: [2, 2],
    expected: 'exhaust RetriesExhausted',
  },
  {
    name: 'function error with no retries allowed',
    outcome: 'function-error',
    before: [0, 0],
    retries: 0,
    expected: 'exhaust RetriesExhausted',
  },
  {
    name: 'second function error with one retry allowed',
    outcome: 'function-error',
    before: [1, 1],
    retries: 1,
    expected: 'exhaust RetriesExhausted',
  },
  {
    name: 'function error after many throttles still waits one minute',
    outcome: 'function-error',
    before: [0, 9],
    expected: 'retry +60000',
  },
  { name: 'first throttle', outcome: 'throttled', before: [0, 0], expected: 'retry +1000' },
  { name: 'second throttle', outcome: 'throttled', before: [0, 1], expected: 'retry +2000' },
  {
    name: 'throttle after a function error starts over',
    outcome: 'throttled',
    before: [1, 1],
    expected: 'retry +1000',
  },
  { name: 'ninth throttle', outcome: 'throttled', before: [0, 8], expected: 'retry +256000' },
  { name: 'tenth throttle', outcome: 'throttled', before: [0, 9], expected: 'retry +300000' },
  { name: 'thousandth throttle', outcome: 'throttled', before: [0, 1999], expected: 'retry +300000' },
  {
    name: 'throttles use up no retry',
    outcome: 'throttled',
    before: [2, 50],
    retries: 0,
    expected: 'retry +300000',
  },
  { name: 'platform error', outcome: 'platform-error', before: [0, 0], expected: 'retry +1000' },
  {
    name: 'throttle whose wait would pass the age limit waits until the limit',
    outcome: 'throttled',
    before: [0, 20],
    maxAgeSeconds: 60,
    ageMs: 59_000,
    expected: 'retry +1000',
  },
  {
    name: 'throttle at the age limit',
    outcome: 'throttled',
    before: [0, 20],
    maxAgeSeconds: 60,
    ageMs: 60_000,
    expected: 'exhaust EventAgeExceeded',
  },
  {
    name: 'function error after the age limit',
    outcome: 'function-error',
    before: [0, 0],
    ageMs: 21_600_000,
    expected: 'exhaust EventAgeExceeded',
  },
  {
    name: 'function error whose retry would come too late',
    outcome: 'function-error',
    before: [0, 0],
    maxAgeSeconds: 60,
    ageMs: 100,
    expected: 'exhaust EventAgeExceeded',
  },
  { name: 'loop', outcome: 'recursive', before: [0, 0], expected: 'exhaust RecursiveInvocation' },
  { name: 'no such function', outcome: 'not-found', before: [0, 0], expected: 'drop' },
  {
    name: 'a request that can never succeed',
    outcome: 'refused',
    before: [0, 0],
    expected: 'exhaust RetriesExhausted',
  },
]

for (const row of rows) {
  it(`after ${row.name}: ${row.expected}`, () => {
    const [functionErrors, attempts] = row.before
    const now = ACCEPTED_AT + (row.ageMs ?? 0)
    const decision = decideAfter({
      event: event(functionErrors, attempts),
      outcome: row.outcome,
      settings: {
        maximumRetryAttempts: row.retries ?? settings.maximumRetryAttempts,
        maximumEventAgeSeconds: row.maxAgeSeconds ?? settings.maximumEventAgeSeconds,
      },
      now,
      lot: 0,
    })
    const detail =
      decision.do === 'retry'
        ? ` +${decision.visibleAt - now}`
        : decision.do === 'exhaust'
          ? ` ${decision.reason}`
          : ''
    assert.equal(decision.do + detail, row.expected)
    assert.equal(decision.event.attempts, attempts + 1)
    assert.equal(decision.event.functionErrors, functionErrors + (row.outcome === 'function-error' ? 1 : 0))
  })
}

it('the lot shortens a back-off by a fifth at most, and never a retry after a function error', () => {
  assert.equal(backoffMs(1, 0), 1000)
  assert.ok(backoffMs(1, 0.999) > 800)
  const given = {
    event: event(0, 0),
    outcome: 'function-error' as const,
    settings,
    now: ACCEPTED_AT,
    lot: 0.999,
  }
  const decision = decideAfter(given)
  assert.equal(decision.do === 'retry' && decision.visibleAt, ACCEPTED_AT + 60_000)
})

it('before an attempt: too old, or none allowed', () => {
  const before = (now: number, reservedConcurrency?: number) => {
    const decision = decideBefore({ event: event(0, 0), settings, reservedConcurrency, now })
    return decision?.do === 'exhaust' ? decision.reason : decision?.do
  }
  assert.equal(before(ACCEPTED_AT), undefined)
  assert.equal(before(ACCEPTED_AT, 1), undefined)
  assert.equal(before(ACCEPTED_AT, 0), 'ZeroReservedConcurrency')
  assert.equal(before(ACCEPTED_AT + 21_599_999), undefined)
  assert.equal(before(ACCEPTED_AT + 21_600_000), 'EventAgeExceeded')
  assert.equal(before(ACCEPTED_AT + 21_600_000, 0), 'EventAgeExceeded')
})
