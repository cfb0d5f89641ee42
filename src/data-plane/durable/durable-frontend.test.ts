import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { InvocationRequest } from '#contracts/invocation.ts'
import type { Begin } from '#data-plane/durable/begin-execution.ts'
import { createDurableFrontend } from '#data-plane/durable/durable-frontend.ts'
import type { ExecutionOutcome } from '#data-plane/durable/port.ts'

import { aVersion, ID } from '../../../test/support/function-version.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:hello:7/durable-execution/n/id'
const durable = (executionTimeoutSeconds: number) =>
  aVersion({ version: '7', durable: { executionTimeoutSeconds, retentionDays: 1 } })

function setup(version = durable(900), outcome: Partial<ExecutionOutcome> = {}) {
  const calls: string[] = []
  const begun: Begin[] = []
  const plain = { executedVersion: '$LATEST', payload: Buffer.from('1') }
  const frontend = createDurableFrontend({
    frontend: {
      invoke: async () => (calls.push('invoke'), plain),
      enqueue: async () => void calls.push('enqueue'),
      dryRun: async () => void calls.push('dryRun'),
      invokeStreaming: () => Promise.reject(new Error('streams')),
    },
    engine: {
      async begin(begin) {
        begun.push(begin)
        return { ref: { function: ID, id: 'id' }, arn: ARN }
      },
      outcome: async () => ({ arn: ARN, version: '7', status: 'SUCCEEDED', ...outcome }),
    },
    resolve: () => version,
  })
  return { frontend, calls, begun }
}
const request = (more: Partial<InvocationRequest> = {}): InvocationRequest => ({
  id: ID,
  qualifier: '7',
  requestId: 'r',
  payload: Buffer.from('{"a":1}'),
  logType: 'None',
  ...more,
})

test('an ordinary function is invoked as ever, and takes no name of an execution', async () => {
  const { frontend, calls, begun } = setup(aVersion())
  await frontend.invoke(request())
  await frontend.enqueue(request())
  assert.deepEqual([calls, begun], [['invoke', 'enqueue'], []])
  await assert.rejects(frontend.invoke(request({ durableExecutionName: 'n' })), {
    code: 'InvalidParameterValueException',
  })
})

test('a durable function is invoked by a qualified name only, also to try', async () => {
  const { frontend } = setup()
  const refused = { message: 'You cannot invoke a durable function using an unqualified ARN.' }
  const unqualified = request({ qualifier: undefined })
  await assert.rejects(frontend.invoke(unqualified), refused)
  await assert.rejects(frontend.enqueue(unqualified), refused)
  await assert.rejects(frontend.dryRun(unqualified), refused)
})

test('a caller can wait for an execution of at most 15 minutes; a longer one is started without waiting', async () => {
  const { frontend, begun } = setup(durable(901))
  await assert.rejects(frontend.invoke(request()), {
    message:
      'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
  })
  assert.deepEqual(await frontend.enqueue(request()), { durableExecutionArn: ARN })
  assert.deepEqual([begun.length, begun[0]?.input, begun[0]?.isSynchronous], [1, '{"a":1}', false])
})

test('the payload of an asynchronous start is as small as that of any event', async () => {
  const { frontend } = setup()
  await assert.rejects(frontend.enqueue(request({ payload: Buffer.alloc(1_048_577, 0x31) })), {
    code: 'RequestEntityTooLargeException',
    status: 413,
  })
})

const ANSWERS: readonly (readonly [Partial<ExecutionOutcome>, string, string | undefined])[] = [
  [{ result: '{"b":2}' }, '{"b":2}', undefined],
  [{}, 'null', undefined],
  [
    { status: 'FAILED', error: { ErrorMessage: 'm', ErrorType: 't', StackTrace: ['s'] } },
    '{"errorMessage":"m","errorType":"t","stackTrace":["s"]}',
    'Unhandled',
  ],
  [{ status: 'STOPPED', error: {} }, '{}', 'Unhandled'],
]
for (const [outcome, text, functionError] of ANSWERS) {
  test(`a caller of an execution that ended ${outcome.status ?? 'well'} is given ${text}`, async () => {
    const { frontend } = setup(durable(60), outcome)
    const result = await frontend.invoke(request())
    assert.deepEqual(
      [
        Buffer.from(result.payload).toString(),
        result.functionError,
        result.durableExecutionArn,
        result.executedVersion,
      ],
      [text, functionError, ARN, '7'],
    )
    const streamed = await frontend.invokeStreaming(request())
    const chunks: Uint8Array[] = []
    for await (const chunk of streamed.chunks) chunks.push(chunk)
    assert.equal(Buffer.concat(chunks).toString(), functionError === undefined ? text : '')
    assert.equal((await streamed.end).functionError, functionError)
  })
}
