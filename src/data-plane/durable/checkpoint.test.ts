import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { OperationUpdate } from '#contracts/durable.ts'
import { applyCheckpoint, type InvokeTarget } from '#data-plane/durable/apply-checkpoint.ts'
import { beginExecution } from '#data-plane/durable/begin-execution.ts'
import { assertCheckpoint } from '#data-plane/durable/checkpoint-rules.ts'
import { openDraft, type Execution } from '#data-plane/durable/execution.ts'
import { seededRandom } from '#kernel/random.ts'

import { aVersion } from '../../../test/support/function-version.ts'

const T = 1_800_000_000_000
const version = aVersion({ durable: { executionTimeoutSeconds: 100, retentionDays: 1 } })
const fresh = (): Execution =>
  beginExecution({ version, input: '{}', isSynchronous: false }, T, seededRandom(1))

const TARGETS = new Map<string, InvokeTarget>([
  ['plain', { kind: 'plain', version: '3' }],
  [
    'gone',
    {
      kind: 'refused',
      error: { ErrorMessage: 'Function not found', ErrorType: 'ResourceNotFoundException' },
    },
  ],
])
function after(execution: Execution, updates: readonly OperationUpdate[], now = T + 1000) {
  assertCheckpoint(execution, updates)
  const draft = openDraft(execution, now)
  applyCheckpoint(draft, updates, { targets: TARGETS, callbackId: (id) => `id-of-${id}` })
  return draft
}
const step = (Action: OperationUpdate['Action'], more: Partial<OperationUpdate> = {}): OperationUpdate => ({
  Id: 's',
  Type: 'STEP',
  Action,
  ...more,
})
const of = (
  Type: OperationUpdate['Type'],
  Id: string,
  more: Partial<OperationUpdate> = {},
): OperationUpdate => ({
  Id,
  Type,
  Action: 'START',
  ...more,
})
const retry = (more: Partial<OperationUpdate> = {}) =>
  step('RETRY', { StepOptions: { NextAttemptDelaySeconds: 5 }, ...more })

const APPLIED: readonly (readonly [string, readonly OperationUpdate[], object, readonly string[]])[] = [
  ['a step that starts', [step('START')], { status: 'STARTED', attempt: 0 }, ['StepStarted']],
  [
    'a step that starts and succeeds in one checkpoint',
    [step('START'), step('SUCCEED', { Payload: '1' })],
    { status: 'SUCCEEDED', attempt: 1, result: '1', endedAt: T + 1000 },
    ['StepStarted', 'StepSucceeded'],
  ],
  [
    'a step that fails without having started',
    [step('FAIL', { Error: { ErrorMessage: 'e' } })],
    { status: 'FAILED', attempt: 1, error: { ErrorMessage: 'e' } },
    ['StepFailed'],
  ],
  [
    'a step to be tried again after an error',
    [step('START'), retry({ Error: { ErrorMessage: 'e' } })],
    { status: 'PENDING', attempt: 1, nextAttemptAt: T + 6000, error: { ErrorMessage: 'e' } },
    ['StepStarted', 'StepFailed'],
  ],
  [
    'a step that polls: tried again with a payload',
    [retry({ Payload: '"state"' })],
    { status: 'PENDING', result: '"state"' },
    ['StepSucceeded'],
  ],
  [
    'a wait',
    [of('WAIT', 's', { WaitOptions: { WaitSeconds: 7 } })],
    { status: 'STARTED', scheduledEndAt: T + 8000 },
    ['WaitStarted'],
  ],
  [
    'a callback with a timeout and without heartbeats',
    [of('CALLBACK', 's', { CallbackOptions: { TimeoutSeconds: 9, HeartbeatTimeoutSeconds: 0 } })],
    { status: 'STARTED', callbackId: 'id-of-s', timeoutAt: T + 10_000 },
    ['CallbackStarted'],
  ],
  [
    'a context that ends and wants its children replayed',
    [
      of('CONTEXT', 's'),
      of('CONTEXT', 's', { Action: 'SUCCEED', Payload: '2', ContextOptions: { ReplayChildren: true } }),
    ],
    { status: 'SUCCEEDED', result: '2', replayChildren: true },
    ['ContextStarted', 'ContextSucceeded'],
  ],
]
for (const [name, updates, expected, events] of APPLIED) {
  test(`checkpoint: ${name}`, () => {
    const draft = after(fresh(), updates)
    const operation = draft.operations.get('s')
    assert.partialDeepStrictEqual(operation, expected)
    assert.deepEqual(
      draft.events.map(({ type }) => type),
      events,
    )
  })
}

test('checkpoint: a chained invoke is open until its target ends; one without a target fails at once', () => {
  const invoke = (Id: string) =>
    of('CHAINED_INVOKE', Id, { ChainedInvokeOptions: { FunctionName: Id }, Payload: '{}' })
  const draft = after(fresh(), [invoke('plain'), invoke('gone')])
  assert.equal(draft.operations.get('plain')?.status, 'STARTED')
  assert.equal(draft.operations.get('gone')?.status, 'FAILED')
  assert.equal(draft.operations.get('gone')?.input, undefined)
  assert.equal(draft.head.openInvokes, 1)
})

test('checkpoint: an EXECUTION update ends the execution with its result', () => {
  const draft = after(fresh(), [
    step('SUCCEED', { Payload: '1' }),
    { Id: 'x', Type: 'EXECUTION', Action: 'SUCCEED', Payload: '"big"' },
  ])
  assert.equal(draft.head.status, 'SUCCEEDED')
  assert.equal(draft.operations.get(draft.head.id)?.result, '"big"')
  assert.deepEqual(draft.events.at(-1)?.type, 'ExecutionSucceeded')
})

test('checkpoint: nothing of the execution that it began with changes', () => {
  const execution = fresh()
  const before = structuredClone({ head: execution.head, operations: [...execution.operations] })
  after(execution, [step('START'), of('WAIT', 'w', { WaitOptions: { WaitSeconds: 1 } })])
  assert.deepEqual({ head: execution.head, operations: [...execution.operations] }, before)
})

const pending = () => after(fresh(), [retry()])
const done = () => after(fresh(), [step('SUCCEED')])
const context = () => after(fresh(), [of('CONTEXT', 'c', { Name: 'n', SubType: 'Map' })])
const waiting = () => after(fresh(), [of('WAIT', 'w', { WaitOptions: { WaitSeconds: 1 } })])
const target = (FunctionName: string) => of('CHAINED_INVOKE', 'i', { ChainedInvokeOptions: { FunctionName } })
const end = (Action: OperationUpdate['Action'], more: Partial<OperationUpdate> = {}): OperationUpdate => ({
  Id: 'e',
  Type: 'EXECUTION',
  Action,
  ...more,
})
const error = { ErrorMessage: 'e' }

const REFUSED: readonly (readonly [() => Execution, readonly OperationUpdate[], string])[] = [
  [fresh, [end('SUCCEED'), end('SUCCEED')], 'Cannot checkpoint multiple EXECUTION updates.'],
  [fresh, [end('SUCCEED'), step('START')], 'EXECUTION checkpoint must be the last update.'],
  [fresh, [step('START'), step('START')], 'Cannot checkpoint multiple operations with the same ID.'],
  [
    fresh,
    [of('CALLBACK', 's'), of('CALLBACK', 's')],
    'Cannot checkpoint multiple operations with the same ID.',
  ],
  [fresh, [step('START', { ParentId: 'nobody' })], 'Invalid parent operation id.'],
  [waiting, [step('START', { ParentId: 'w' })], 'Invalid parent operation id.'],
  [context, [of('STEP', 'c')], 'Inconsistent operation type.'],
  [context, [of('CONTEXT', 'c', { SubType: 'Other' })], 'Inconsistent operation subtype.'],
  [context, [of('CONTEXT', 'c', { Name: 'other' })], 'Inconsistent operation name.'],
  [context, [of('CONTEXT', 'x'), of('CONTEXT', 'c', { ParentId: 'x' })], 'Inconsistent parent operation id.'],
  [
    fresh,
    [step('FAIL', { Error: { ErrorMessage: 'x'.repeat(40_000) } })],
    'Error object size must be less than 32768 bytes.',
  ],
  [
    fresh,
    [{ ...target('plain'), Payload: 'x'.repeat(1_048_577) }],
    'CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes.',
  ],
  [
    fresh,
    [end('SUCCEED', { Payload: 'x'.repeat(1_048_577) })],
    'Execution output payload size must be less than or equal to 1048576 bytes.',
  ],
  [fresh, [step('CANCEL')], 'Invalid action for the given operation type.'],
  [fresh, [of('WAIT', 'w', { Action: 'SUCCEED' })], 'Invalid action for the given operation type.'],
  [pending, [step('START')], 'Invalid current STEP state to start.'],
  [pending, [step('SUCCEED')], 'Invalid current STEP state to close.'],
  [done, [retry()], 'Invalid current STEP state to re-attempt.'],
  [fresh, [step('RETRY')], 'Invalid StepOptions for the given action.'],
  [fresh, [retry({ Error: error, Payload: '1' })], 'Cannot provide both error and payload to RETRY a STEP.'],
  [fresh, [step('FAIL', { Payload: '1' })], 'Cannot provide a Payload for FAIL action.'],
  [fresh, [step('SUCCEED', { Error: error })], 'Cannot provide an Error for SUCCEED action.'],
  [context, [of('CONTEXT', 'c')], 'Cannot start a CONTEXT that already exist.'],
  [
    waiting,
    [of('WAIT', 'w', { WaitOptions: { WaitSeconds: 1 } })],
    'Cannot start a WAIT that already exist.',
  ],
  [
    fresh,
    [of('WAIT', 'w', { Action: 'CANCEL' })],
    'Cannot cancel a WAIT that does not exist or has already completed.',
  ],
  [fresh, [of('CHAINED_INVOKE', 'i')], 'Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.'],
  [fresh, [target('a b')], "Invalid function ARN 'a b'"],
  [
    fresh,
    [target('arn:aws:lambda:us-east-1:111111111111:function:f')],
    'Cannot start a CHAINED_INVOKE on a function in another account.',
  ],
  [
    fresh,
    [target('arn:aws:lambda:eu-west-1:000000000000:function:f')],
    'Cannot start a CHAINED_INVOKE on a function in another region.',
  ],
]
for (const [state, updates, message] of REFUSED) {
  const what = updates.map(({ Type, Action }) => `${Type} ${Action}`).join(', ')
  test(`checkpoint: ${what} is refused: ${message}`, () => {
    assert.throws(() => assertCheckpoint(state(), updates), {
      code: 'InvalidParameterValueException',
      message,
    })
  })
}
