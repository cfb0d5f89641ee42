import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'

import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import type { ServiceCall } from '#contracts/service-calls.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { createDeliveries } from './create-deliveries.ts'
import type { AsyncOutcome, OutcomeTargets } from './port.ts'
import type { RecordObject } from './target-call.ts'

const QUEUE = 'arn:aws:sqs:eu-west-1:111122223333:q'
const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:t'
const BUS = 'arn:aws:events:eu-west-1:111122223333:event-bus/b'
const FUNCTION = 'arn:aws:lambda:us-east-1:111122223333:function:g:live'
const TRACE = `Root=1-68e5e4a1-${'ab'.repeat(12)};Lineage=1:a87bd80c:0`
const ROLE = 'arn:aws:iam::111122223333:role/r'

const failure: AsyncOutcome = {
  event: {
    target: { account: '111122223333', region: 'eu-west-1', name: 'f' },
    qualifier: undefined,
    requestId: 'r-1',
    payload: Buffer.from('{"a":1}'),
    traceId: TRACE,
    acceptedAt: 0,
    functionErrors: 1,
    attempts: 1,
  },
  condition: 'RetriesExhausted',
  answer: { statusCode: 200, functionError: 'Unhandled', payload: Buffer.from('{"errorMessage":"no"}') },
}
const success: AsyncOutcome = {
  ...failure,
  condition: 'Success',
  answer: { statusCode: 200, executedVersion: '1', payload: Buffer.from('"yes"') },
}

function world(
  _test: TestContext,
  answer: (call: ServiceCall, n: number) => Promise<object> | object = () => ({}),
) {
  const clock = createVirtualClock()
  const calls: ServiceCall[] = []
  const objects: RecordObject[] = []
  const counted: string[] = []
  const stop = new AbortController()
  const quiet = () => {}
  const deliveries = createDeliveries({
    calls: {
      async call(call) {
        calls.push(call)
        return await answer(call, calls.length)
      },
    },
    putRecord: async (object) => void objects.push(object),
    clock,
    random: seededRandom(1),
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    metrics: { count: (name) => void counted.push(name), gauge: quiet, observe: quiet },
  })
  const deliver = async (outcome: AsyncOutcome, targets: OutcomeTargets, advanceMs = 60_000) => {
    let ended: unknown = 'not yet'
    deliveries.deliver(outcome, { roleArn: ROLE, ...targets }, stop.signal).then(
      () => (ended = 'done'),
      (error: unknown) => (ended = error),
    )
    await clock.advance(advanceMs)
    return ended
  }
  return { clock, calls, objects, counted, stop, deliver }
}

it('calls as the role of the function, with the trace of the event', async (t) => {
  const { calls, deliver } = world(t)
  assert.equal(await deliver(failure, { deadLetterArn: QUEUE }), 'done')
  const [{ input, signal, ...call }] = calls as [ServiceCall]
  assert.ok(signal)
  assert.deepEqual(call, {
    service: 'sqs',
    operation: 'SendMessage',
    region: 'eu-west-1',
    account: '111122223333',
    as: {
      roleArn: ROLE,
      sessionName: 'f',
      servicePrincipal: 'lambda.amazonaws.com',
      sourceArn: 'arn:aws:lambda:eu-west-1:111122223333:function:f',
    },
    traceId: TRACE,
  })
  assert.deepEqual(input, {
    QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q',
    MessageBody: '{"a":1}',
    MessageAttributes: {
      RequestID: { DataType: 'String', StringValue: 'r-1' },
      ErrorCode: { DataType: 'Number', StringValue: '200' },
      ErrorMessage: { DataType: 'String', StringValue: 'no' },
    },
    MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: TRACE } },
  })
})

it('a failure goes to the dead-letter queue and to the destination, a success to its own only', async (t) => {
  const { calls, deliver } = world(t)
  const targets = { deadLetterArn: TOPIC, onFailureArn: FUNCTION, onSuccessArn: BUS }
  await deliver(failure, targets)
  assert.deepEqual(
    calls.map(({ service, operation, region }) => [service, operation, region]),
    [
      ['lambda', 'Invoke', 'us-east-1'],
      ['sns', 'Publish', 'eu-west-1'],
    ],
  )
  calls.length = 0
  await deliver(success, targets)
  const [{ service, input }] = calls as [ServiceCall]
  assert.equal(service, 'events')
  const [entry] = (input as { Entries: readonly [Record<string, unknown>] }).Entries
  assert.deepEqual(
    [entry['Source'], entry['DetailType'], entry['EventBusName'], entry['Resources'], entry['TraceHeader']],
    [
      'lambda',
      'Lambda Function Invocation Result - Success',
      BUS,
      [BUS, 'arn:aws:lambda:eu-west-1:111122223333:function:f:$LATEST'],
      TRACE,
    ],
  )
  assert.equal(calls.length, 1)
})

it('a bucket gets records of failures as objects', async (t) => {
  const { objects, counted, deliver } = world(t)
  await deliver(failure, { onFailureArn: 'arn:aws:s3:::records' })
  assert.equal(objects[0]?.bucket, 'records')
  assert.match(
    objects[0]?.key ?? '',
    /^aws\/lambda\/async\/f\/2026\/01\/01\/2026-01-01T00\.00\.00-[0-9a-f-]{36}$/,
  )
  await deliver(success, { onSuccessArn: 'arn:aws:s3:::records' })
  assert.deepEqual([objects.length, counted], [1, ['lambent_destination_delivery_failures_total']])
})

it('what passes is tried again, four times in all', async (t) => {
  const { calls, counted, deliver } = world(t, (_call, n) => {
    if (n < 4) throw n === 2 ? new LambdaError('Throttling', '', { status: 429 }) : serviceFailure('down')
    return {}
  })
  assert.equal(await deliver(failure, { onFailureArn: QUEUE }), 'done')
  assert.deepEqual([calls.length, counted], [4, []])
})

it('what stays broken is counted and given up', async (t) => {
  const { calls, counted, deliver } = world(t, () => Promise.reject(serviceFailure('down')))
  assert.equal(await deliver(failure, { onFailureArn: QUEUE, deadLetterArn: QUEUE }), 'done')
  assert.equal(calls.length, 8)
  assert.deepEqual(counted.toSorted(), [
    'lambent_dead_letter_errors_total',
    'lambent_destination_delivery_failures_total',
  ])
})

it('a refusal is not tried again', async (t) => {
  const { calls, counted, deliver } = world(t, () => {
    throw new LambdaError('AccessDenied', 'no', { status: 403 })
  })
  await deliver(failure, { deadLetterArn: QUEUE }, 0)
  assert.deepEqual([calls.length, counted], [1, ['lambent_dead_letter_errors_total']])
})

it('an entry that a bus did not take is a failure', async (t) => {
  const { calls, counted, deliver } = world(t, () => ({
    FailedEntryCount: 1,
    Entries: [{ ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'no' }],
  }))
  await deliver(failure, { onFailureArn: BUS })
  assert.deepEqual([calls.length, counted], [1, ['lambent_destination_delivery_failures_total']])
})

it('a target that never answers is given up in time', async (t) => {
  const { counted, deliver } = world(t, () => new Promise(() => {}))
  assert.equal(await deliver(failure, { onFailureArn: QUEUE }, 45_000), 'not yet')
  assert.equal(await deliver(success, {}, 5_000), 'done')
  assert.deepEqual(counted, ['lambent_destination_delivery_failures_total'])
})

it('is not sure of anything when it is stopped', async (t) => {
  const { clock, stop, counted, deliver } = world(t, () => Promise.reject(serviceFailure('down')))
  let ended: unknown
  const running = deliver(failure, { onFailureArn: QUEUE }, 500).then((so) => (ended = so))
  await running
  assert.equal(ended, 'not yet')
  stop.abort(new Error('stopped'))
  await clock.advance(0)
  assert.deepEqual(counted, [])
})

it('a record too large for a topic goes without its payloads when it is about a failure', async (t) => {
  const { calls, deliver } = world(t)
  const event = { ...failure.event, payload: Buffer.from(JSON.stringify('x'.repeat(300_000))) }
  await deliver({ ...failure, event }, { onFailureArn: TOPIC })
  await deliver({ ...success, event }, { onSuccessArn: TOPIC })
  const messages = calls.map(({ input }) => (input as { Message: string }).Message)
  assert.deepEqual(Object.keys(JSON.parse(messages[0] ?? '') as object), [
    'version',
    'timestamp',
    'requestContext',
    'responseContext',
  ])
  assert.ok((messages[1] ?? '').length > 300_000, 'the topic itself refuses it')
})
