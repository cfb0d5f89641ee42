import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import type { ServiceCall } from '#contracts/service-calls.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { createEventsService } from './create-events-service.ts'

type Run = (input: object, given: never) => Promise<Record<string, unknown>>

const START = Date.UTC(2026, 2, 28, 12)
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const context = { account: '111122223333', region: 'eu-central-1' } as never
const arn = (service: string, resource: string) => `arn:aws:${service}:eu-central-1:111122223333:${resource}`
const FUNCTION = arn('lambda', 'function:f')
const QUEUE = arn('sqs', 'dead')

/** One store, and services on it that take calls down; `answer` may throw. */
function setUp(t: TestContext, answer: (call: ServiceCall) => object = () => ({})) {
  const clock = createVirtualClock(START)
  const store = createMemoryStore({ clock })
  t.after(() => store.close())
  const made: { readonly at: number; readonly call: ServiceCall }[] = []
  const open = async () => {
    const service = createEventsService({
      store,
      calls: {
        async call(call) {
          made.push({ at: (clock.now() - START) / 60_000, call })
          return answer(call)
        },
      },
      clock,
      random: seededRandom(1),
      logger,
    })
    await service.start()
    const handlers = service.handlers as unknown as Readonly<Record<string, Run>>
    const run = (operation: string, input: object) =>
      handlers[operation]?.(input, context) ?? assert.fail(operation)
    const rule = async (Name: string, more: object, target: object = {}) => {
      await run('PutRule', { Name, ...more })
      await run('PutTargets', { Rule: Name, Targets: [{ Id: '1', Arn: FUNCTION, ...target }] })
    }
    const put = (Source: string, n = 1) =>
      run('PutEvents', { Entries: [{ Source, DetailType: 't', Detail: JSON.stringify({ n }) }] })
    return { service, run, rule, put }
  }
  return { clock, store, made, open, times: () => made.map(({ at }) => at) }
}

test('events: a rule calls its target as EventBridge, for the rule', async (t) => {
  const { clock, made, open } = setUp(t)
  const { rule, put } = await open()
  await rule('r', { EventPattern: '{"source":["a"]}' }, { InputPath: '$.detail' })
  await put('a', 5)
  await put('b')
  await clock.advance(10)
  assert.equal(made.length, 1)
  const { signal: _, ...call } = made[0]?.call ?? assert.fail()
  assert.deepEqual(call, {
    service: 'lambda',
    operation: 'Invoke',
    region: 'eu-central-1',
    account: '111122223333',
    as: {
      servicePrincipal: 'events.amazonaws.com',
      sourceArn: arn('events', 'rule/r'),
      sourceAccount: '111122223333',
    },
    input: { FunctionName: FUNCTION, InvocationType: 'Event', Payload: Buffer.from('{"n":5}') },
  })
})

test('events: retries by the policy of the target, then the dead-letter queue', async (t) => {
  const { clock, made, open } = setUp(t, ({ service }) => {
    if (service === 'sqs') return {}
    throw new LambdaError('TooManyRequestsException', 'Rate Exceeded.', { status: 429 })
  })
  const { rule, put } = await open()
  const more = { DeadLetterConfig: { Arn: QUEUE } }
  await rule(
    'few',
    { EventPattern: '{"source":["few"]}' },
    { ...more, RetryPolicy: { MaximumRetryAttempts: 3 } },
  )
  await rule(
    'short',
    { EventPattern: '{"source":["short"]}' },
    { ...more, RetryPolicy: { MaximumEventAgeInSeconds: 60 } },
  )
  const attributes = () => {
    const call = made.pop()?.call
    assert.equal(call?.operation, 'SendMessage')
    const { MessageAttributes, MessageBody } = (call ?? assert.fail()).input as {
      MessageAttributes: Record<string, { StringValue: string }>
      MessageBody: string
    }
    assert.match(MessageBody, /^\{"version":"0"/)
    return Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
    )
  }
  await put('few')
  await clock.advance(60_000)
  assert.deepEqual(attributes(), {
    RULE_ARN: arn('events', 'rule/few'),
    TARGET_ARN: FUNCTION,
    ERROR_CODE: 'THROTTLING',
    ERROR_MESSAGE: 'Rate Exceeded.',
    EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
    RETRY_ATTEMPTS: '3',
  })
  assert.equal(made.length, 4)
  await put('short')
  await clock.advance(59_000)
  assert.ok(made.every(({ call }) => call.operation === 'Invoke'))
  await clock.advance(2_000)
  assert.equal(attributes()['EXHAUSTED_RETRY_CONDITION'], 'MaximumEventAgeInSeconds')
  const count = made.length
  await clock.advance(600_000)
  assert.equal(made.length, count)
})

test('events: a retry survives a restart and goes on with its count', async (t) => {
  let isBusy = true
  const { clock, made, open } = setUp(t, () => {
    if (isBusy) throw new LambdaError('ServiceException', 'busy', { status: 500 })
    return {}
  })
  const first = await open()
  await first.rule('r', { EventPattern: '{"source":["a"]}' })
  await first.put('a')
  await clock.advance(4_000)
  const before = made.length
  assert.ok(before >= 2)
  await first.service.stop()
  isBusy = false
  const second = await open()
  await clock.advance(60_000)
  assert.deepEqual([made.length, second.service.pending], [before + 1, 0])
})

test('events: schedules of rules, over a restart, disabled and enabled', async (t) => {
  const { clock, made, open, times } = setUp(t)
  const first = await open()
  await first.rule('rate', { ScheduleExpression: 'rate(5 minutes)' })
  await first.rule('cron', { ScheduleExpression: 'cron(7 * * * ? *)' })
  await clock.advance(11 * 60_000)
  assert.deepEqual(times(), [5, 7, 10])
  const event = JSON.parse(
    Buffer.from(((made[1] ?? assert.fail()).call.input as { Payload: Uint8Array }).Payload).toString(),
  ) as Record<string, unknown>
  assert.deepEqual(
    { ...event, id: '' },
    {
      version: '0',
      id: '',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: '111122223333',
      time: '2026-03-28T12:07:00Z',
      region: 'eu-central-1',
      resources: [arn('events', 'rule/cron')],
      detail: {},
    },
  )
  await first.service.stop()
  // 12:15 to 12:30 are missed: the last of them is made up for.
  await clock.advance(21 * 60_000)
  const second = await open()
  await clock.advance(1_000)
  assert.equal(made.length, 4)
  await second.run('DisableRule', { Name: 'rate' })
  await clock.advance(20 * 60_000)
  assert.equal(made.length, 4)
  await second.run('EnableRule', { Name: 'rate' })
  await clock.advance(5 * 60_000)
  assert.equal(made.length, 5)
  await second.run('RemoveTargets', { Rule: 'rate', Ids: ['1'] })
  await clock.advance(9 * 60_000)
  assert.deepEqual(made.length, 5)
})

test('events: buses in a circle come to an end', async (t) => {
  const { clock, made, open } = setUp(t)
  const { run, put } = await open()
  for (const name of ['x', 'y']) await run('CreateEventBus', { Name: name })
  const circle = async (bus: string, next: string) => {
    await run('PutRule', { Name: 'on', EventBusName: bus, EventPattern: '{"source":["a"]}' })
    const Targets = [{ Id: '1', Arn: arn('events', `event-bus/${next}`) }]
    await run('PutTargets', { Rule: 'on', EventBusName: bus, Targets })
  }
  await circle('default', 'x')
  await circle('x', 'y')
  await circle('y', 'x')
  await run('PutRule', { Name: 'seen', EventBusName: 'y', EventPattern: '{"source":["a"]}' })
  await run('PutTargets', { Rule: 'seen', EventBusName: 'y', Targets: [{ Id: '1', Arn: FUNCTION }] })
  await put('a')
  await clock.advance(60_000)
  assert.equal(made.length, 8)
})

test('events: three hundred rules on a bus, not one more', async (t) => {
  const { open } = setUp(t)
  const { run } = await open()
  for (let n = 0; n < 300; n++) await run('PutRule', { Name: `r${n}`, EventPattern: '{"source":["a"]}' })
  await assert.rejects(run('PutRule', { Name: 'more', EventPattern: '{"source":["a"]}' }), {
    code: 'LimitExceededException',
  })
  await run('PutRule', { Name: 'r7', EventPattern: '{"source":["b"]}' })
})

test('events: what an archive has kept long enough goes', async (t) => {
  const { clock, store, open } = setUp(t)
  const { run, put, service } = await open()
  const bus = arn('events', 'event-bus/default')
  await run('CreateArchive', { ArchiveName: 'a', EventSourceArn: bus, RetentionDays: 1 })
  await put('a')
  const old = { Source: 'a', DetailType: 't', Detail: '{}', Time: new Date(START - 86_400_000) }
  await run('PutEvents', { Entries: [old] })
  await clock.advance(10)
  const count = async () => (await store.meta.list('events-archived/', '', 10)).length
  assert.equal(await count(), 2)
  await clock.advance(3_600_000)
  assert.equal(await count(), 1)
  await service.stop()
})
