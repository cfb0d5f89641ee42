import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseDurableExecutionArn, timeOrderedId } from '#contracts/durable.ts'
import { beginExecution } from '#data-plane/durable/begin-execution.ts'
import { createDueTimes } from '#data-plane/durable/due-times.ts'
import { arnOf, openDraft, type Draft, type StoredOperation } from '#data-plane/durable/execution.ts'
import { settleInvocation, type Ended } from '#data-plane/durable/invocation-outcome.ts'
import { answerCallback, endInvoke, heartbeat, nextDue, passTime } from '#data-plane/durable/progress.ts'
import { seededRandom } from '#kernel/random.ts'

import { aVersion } from '../../../test/support/function-version.ts'

const T = 1_800_000_000_000
const version = aVersion({ durable: { executionTimeoutSeconds: 100, retentionDays: 1 } })

function running(operation: Partial<StoredOperation> = {}, now = T): Draft {
  const begun = beginExecution({ version, input: '{}', isSynchronous: false }, T, seededRandom(1))
  Object.assign(begun.head, { wake: false, invocationId: 'i' })
  if (operation.type)
    begun.put({ index: 1, id: 'o', status: 'STARTED', startedAt: T, type: operation.type, ...operation })
  begun.head.seenSequence = begun.head.sequence
  return openDraft(begun, now)
}
const types = ({ events }: Draft) => events.map(({ type }) => type)

const DUE: readonly (readonly [string, Partial<StoredOperation>, number, string, string | undefined])[] = [
  ['a wait', { type: 'WAIT', scheduledEndAt: T + 5000 }, T + 5000, 'SUCCEEDED', 'WaitSucceeded'],
  [
    'the delay of a step',
    { type: 'STEP', status: 'PENDING', nextAttemptAt: T + 5000 },
    T + 5000,
    'READY',
    undefined,
  ],
  ['a callback', { type: 'CALLBACK', timeoutAt: T + 5000 }, T + 5000, 'TIMED_OUT', 'CallbackTimedOut'],
  [
    'a heartbeat',
    { type: 'CALLBACK', timeoutAt: T + 9000, heartbeatAt: T + 5000 },
    T + 5000,
    'TIMED_OUT',
    'CallbackTimedOut',
  ],
]
for (const [name, operation, at, status, event] of DUE) {
  test(`progress: ${name} ends when it is due, and not a millisecond before`, () => {
    assert.equal(nextDue(running(operation)), at)
    const early = running(operation, at - 1)
    passTime(early)
    assert.deepEqual([early.changed.size, early.head.wake], [0, false])
    const draft = running(operation, at)
    passTime(draft)
    assert.equal(draft.operations.get('o')?.status, status)
    assert.deepEqual(types(draft), event === undefined ? [] : [event])
    assert.equal(draft.head.wake, true)
    assert.equal(nextDue(draft), T + 100_000)
  })
}

test('progress: the execution timeout ends it, whatever else is due', () => {
  const draft = running({ type: 'WAIT', scheduledEndAt: T + 5000 }, T + 100_000)
  passTime(draft)
  assert.deepEqual([draft.head.status, types(draft)], ['TIMED_OUT', ['ExecutionTimedOut']])
  assert.equal(
    draft.operations.get(draft.head.id)?.error?.ErrorMessage,
    'Execution timed out after 100 seconds.',
  )
})

test('progress: a callback is answered once, by its own id; a heartbeat moves its deadline', () => {
  const callback = { operationId: 'o', callbackId: 'secret' }
  const operation = {
    type: 'CALLBACK',
    callbackId: 'secret',
    heartbeatSeconds: 3,
    heartbeatAt: T + 3000,
  } as const
  const draft = running(operation, T + 1000)
  heartbeat(draft, callback)
  assert.equal(nextDue(draft), T + 4000)
  assert.equal(draft.head.wake, false)
  const closed = { code: 'CallbackTimeoutException' }
  assert.throws(() => answerCallback(draft, { ...callback, callbackId: 'guess' }, { result: '1' }), closed)
  answerCallback(draft, callback, { result: '1' })
  assert.partialDeepStrictEqual(draft.operations.get('o'), { status: 'SUCCEEDED', result: '1' })
  assert.throws(() => answerCallback(draft, callback, { error: {} }), closed)
  assert.throws(() => heartbeat(draft, callback), closed)
})

test('progress: a chained invoke ends once', () => {
  const draft = running({ type: 'CHAINED_INVOKE' })
  draft.head.openInvokes = 1
  endInvoke(draft, 'o', { status: 'FAILED', error: { ErrorMessage: 'e' } })
  endInvoke(draft, 'o', { status: 'SUCCEEDED', result: '1' })
  assert.deepEqual([types(draft), draft.head.openInvokes], [['ChainedInvokeFailed'], 0])
})

const response = (output: unknown): Ended => ({
  kind: 'response',
  payload: Buffer.from(JSON.stringify(output)),
})
const WAIT = { type: 'WAIT', scheduledEndAt: T + 5000 } as const
const OUTCOMES: readonly (readonly [string, Partial<StoredOperation>, Ended, object])[] = [
  ['SUCCEEDED', {}, response({ Status: 'SUCCEEDED', Result: '1' }), { status: 'SUCCEEDED' }],
  ['FAILED', {}, response({ Status: 'FAILED', Error: { ErrorMessage: 'e' } }), { status: 'FAILED' }],
  [
    'PENDING with a wait',
    WAIT,
    response({ Status: 'PENDING' }),
    { status: 'RUNNING', wake: false, failures: 0 },
  ],
  [
    'PENDING with nothing to wait for',
    {},
    response({ Status: 'PENDING' }),
    { status: 'RUNNING', wake: true, failures: 1, notBefore: T + 1000 },
  ],
  ['no status', {}, response({ hello: 1 }), { status: 'FAILED' }],
  ['something that is no object', {}, response('hello'), { status: 'FAILED' }],
  ['SUCCEEDED with an error', {}, response({ Status: 'SUCCEEDED', Error: {} }), { status: 'FAILED' }],
  ['FAILED with a result', {}, response({ Status: 'FAILED', Result: '1' }), { status: 'FAILED' }],
  [
    'a result that is too large',
    {},
    response({ Status: 'SUCCEEDED', Result: 'x'.repeat(1_048_577) }),
    { status: 'FAILED' },
  ],
  [
    'a crash',
    WAIT,
    { kind: 'function-error', payload: Buffer.from('{"errorMessage":"m","errorType":"t"}') },
    { status: 'RUNNING', wake: true, failures: 1, notBefore: T + 1000 },
  ],
  [
    'a refusal',
    {},
    { kind: 'refused' },
    { status: 'RUNNING', wake: true, failures: 0, refusals: 1, notBefore: T + 1000 },
  ],
  [
    'a function that is gone',
    {},
    { kind: 'impossible', error: { ErrorMessage: 'gone' } },
    { status: 'FAILED' },
  ],
]
for (const [name, operation, ended, expected] of OUTCOMES) {
  test(`invocation outcome: ${name}`, () => {
    const draft = running(operation)
    settleInvocation(draft, { requestId: 'i', startedAt: T - 10 }, ended)
    assert.partialDeepStrictEqual(draft.head, { ...expected, invocationId: '' })
  })
}

test('invocation outcome: what changed meanwhile and was not seen wakes the function again', () => {
  const draft = running(WAIT, T + 5000)
  passTime(draft)
  settleInvocation(draft, { requestId: 'i', startedAt: T }, response({ Status: 'PENDING' }))
  assert.equal(draft.head.wake, true)
})

test('invocation outcome: what a checkpoint told of a branch that had suspended wakes the function again', () => {
  const answered = (parent: Partial<StoredOperation>, status: StoredOperation['status'] = 'TIMED_OUT') => {
    const begun = running()
    begun.head.begunSequence = begun.head.sequence
    begun.put({ index: 1, id: 'p', type: 'CONTEXT', status: 'STARTED', startedAt: T, ...parent })
    begun.put({ index: 2, id: 'o', type: 'CALLBACK', status, startedAt: T, parentId: 'p' })
    // Something else to wait for: PENDING is in order.
    begun.put({ index: 3, id: 'w', type: 'CALLBACK', status: 'STARTED', startedAt: T })
    begun.head.seenSequence = begun.head.sequence
    settleInvocation(begun, { requestId: 'i', startedAt: T }, response({ Status: 'PENDING' }))
    return begun.head.wake
  }
  assert.equal(answered({}), true)
  assert.equal(answered({ status: 'SUCCEEDED', endedAt: T }), false, 'it has been taken up')
  assert.equal(answered({}, 'STARTED'), false, 'nothing has come')
})

test('invocation outcome: after the eighth crash in a row the execution fails with its error', () => {
  const draft = running()
  draft.head.failures = 7
  settleInvocation(
    draft,
    { requestId: 'i', startedAt: T },
    {
      kind: 'function-error',
      payload: Buffer.from('{"errorMessage":"m","errorType":"t","stackTrace":["s"]}'),
    },
  )
  assert.deepEqual(draft.operations.get(draft.head.id)?.error, {
    ErrorMessage: 'm',
    ErrorType: 't',
    StackTrace: ['s'],
  })
})

test('invocation outcome: an execution that was stopped meanwhile stays stopped', () => {
  const draft = running()
  draft.head.status = 'STOPPED'
  settleInvocation(draft, { requestId: 'i', startedAt: T }, response({ Status: 'SUCCEEDED', Result: '1' }))
  assert.deepEqual([draft.head.status, types(draft)], ['STOPPED', ['InvocationCompleted']])
})

test('due times: come out in order, a later setting replaces the earlier one, what is deleted does not come', () => {
  const due = createDueTimes<string>()
  for (let n = 0; n < 500; n++) due.set(`${n % 100}`, ((n * 7919) % 1000) + (n < 400 ? 5000 : 0), `${n}`)
  due.delete('3')
  assert.equal(due.size, 99)
  const out: number[] = []
  assert.equal(due.take((due.peek() ?? 0) - 1), undefined)
  for (let value = due.take(10_000); value !== undefined; value = due.take(10_000))
    out.push((Number(value) * 7919) % 1000)
  assert.deepEqual(
    out,
    out.toSorted((a, b) => a - b),
  )
  assert.equal(out.length, 99)
})

test('an execution: its ARN leads back to it, its id sorts by time', () => {
  const { head } = running()
  assert.deepEqual(parseDurableExecutionArn(arnOf(head)), { function: head.function, id: head.id })
  assert.equal(parseDurableExecutionArn('arn:aws:lambda:us-east-1:000000000000:function:f:1'), undefined)
  assert.ok(timeOrderedId(T, 'f'.repeat(19)) < timeOrderedId(T + 1, '0'.repeat(19)))
})
