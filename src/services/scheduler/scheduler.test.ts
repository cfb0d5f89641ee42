import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import type { ServiceCall } from '#contracts/service-calls.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import { eventsModel } from '#wire/models/events.ts'
import { lambdaModel } from '#wire/models/lambda.ts'
import { logsModel } from '#wire/models/logs.ts'

import { createSchedulerService } from './create-scheduler-service.ts'
import { windowDelayMs } from './schedule-engine.ts'

const START = Date.UTC(2026, 2, 28, 12)
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const context = { account: '111122223333', region: 'eu-central-1' } as never
type Run = (input: object, given: never) => Promise<Record<string, unknown>>
const ROLE = 'arn:aws:iam::111122223333:role/r'
const FUNCTION = 'arn:aws:lambda:eu-central-1:111122223333:function:f'
const QUEUE = 'arn:aws:sqs:eu-central-1:111122223333:q'

/** One store, and services on it that take calls down; `answer` may throw. */
function setUp(t: TestContext, answer: (call: ServiceCall, number: number) => object = () => ({})) {
  const clock = createVirtualClock(START)
  const store = createMemoryStore({ clock })
  t.after(() => store.close())
  const made: { readonly at: number; readonly call: ServiceCall }[] = []
  const models = [lambdaModel, eventsModel, logsModel]
  const open = async () => {
    const service = createSchedulerService({
      store,
      calls: {
        async call(call) {
          made.push({ at: (clock.now() - START) / 60_000, call })
          return answer(call, made.length)
        },
      },
      modelOf: (name) => models.find((model) => model.name === name),
      clock,
      random: seededRandom(1),
      logger,
    })
    await service.start()
    const handlers = service.handlers as unknown as Readonly<Record<string, Run>>
    const run = (operation: string, input: object) =>
      handlers[operation]?.(input, context) ?? assert.fail(operation)
    const create = (Name: string, more: object) =>
      run('CreateSchedule', {
        Name,
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: FUNCTION, RoleArn: ROLE, Input: '{}' },
        ...more,
      })
    return { service, run, create }
  }
  return { clock, store, made, open, times: () => made.map(({ at }) => at) }
}

test('scheduler: a rate fires at once and then regularly, as the role, with context attributes', async (t) => {
  const { clock, made, open, times } = setUp(t)
  const { create } = await open()
  const Input =
    '{"at":"<aws.scheduler.scheduled-time>","of":"<aws.scheduler.schedule-arn>","n":"<aws.scheduler.attempt-number>","x":"<aws.scheduler.other>"}'
  await create('r', {
    ScheduleExpression: 'rate(5 minutes)',
    Target: { Arn: FUNCTION, RoleArn: ROLE, Input },
  })
  await clock.advance(11 * 60_000)
  assert.deepEqual(times(), [0, 5, 10])
  const { call } = made[1] ?? assert.fail()
  const { signal: _, as, input, ...rest } = call
  assert.deepEqual(rest, {
    service: 'lambda',
    operation: 'Invoke',
    region: 'eu-central-1',
    account: '111122223333',
  })
  const arn = 'arn:aws:scheduler:eu-central-1:111122223333:schedule/default/r'
  assert.ok('roleArn' in as)
  assert.deepEqual([as.roleArn, as.servicePrincipal, as.sourceArn], [ROLE, 'scheduler.amazonaws.com', arn])
  const { Payload, ...members } = input as { Payload: Uint8Array }
  assert.deepEqual(members, { FunctionName: FUNCTION, InvocationType: 'Event' })
  assert.deepEqual(JSON.parse(Buffer.from(Payload).toString()), {
    at: '2026-03-28T12:05:00Z',
    of: arn,
    n: '1',
    x: '<aws.scheduler.other>',
  })
})

test('scheduler: zones, start, end, state and update', async (t) => {
  const { clock, open, times } = setUp(t)
  const { create, run } = await open()
  const minute = (n: number) => new Date(START + n * 60_000)
  // Noon in UTC is nine in the evening in Tokyo.
  await create('zone', {
    ScheduleExpression: 'cron(30 21 * * ? *)',
    ScheduleExpressionTimezone: 'Asia/Tokyo',
  })
  await create('bounded', { ScheduleExpression: 'rate(1 minutes)', StartDate: minute(3), EndDate: minute(6) })
  await create('off', { ScheduleExpression: 'rate(1 minutes)', State: 'DISABLED' })
  await clock.advance(35 * 60_000)
  assert.deepEqual(times(), [3, 4, 5, 30])
  await run('UpdateSchedule', {
    Name: 'off',
    ScheduleExpression: 'at(2026-03-28T12:40:00)',
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: { Arn: FUNCTION, RoleArn: ROLE },
  })
  await clock.advance(3_600_000)
  assert.deepEqual(times().slice(4), [40])
})

test('scheduler: what was missed while it was down fires once, and nothing fires twice', async (t) => {
  const { clock, made, open } = setUp(t)
  const first = await open()
  await first.create('r', { ScheduleExpression: 'rate(10 minutes)' })
  await first.create('once', { ScheduleExpression: 'at(2026-03-28T12:30:00)' })
  await clock.advance(25 * 60_000)
  assert.equal(made.length, 3)
  await first.service.stop()
  await clock.advance(60 * 60_000)
  const second = await open()
  await clock.advance(1_000)
  // Of 12:30 to 13:20 the last, and the one-time schedule.
  assert.equal(made.length, 5)
  await second.service.stop()
  const third = await open()
  await clock.advance(1_000)
  assert.equal(made.length, 5)
  await third.service.stop()
})

test('scheduler: a schedule goes after its last time when it is to', async (t) => {
  const { clock, open, times, store } = setUp(t)
  const { create, run } = await open()
  await create('gone', { ScheduleExpression: 'at(2026-03-28T12:01:00)', ActionAfterCompletion: 'DELETE' })
  await create('stays', { ScheduleExpression: 'at(2026-03-28T12:01:00)' })
  await create('ends', {
    ScheduleExpression: 'rate(1 minutes)',
    EndDate: new Date(START + 150_000),
    ActionAfterCompletion: 'DELETE',
  })
  await clock.advance(5 * 60_000)
  assert.deepEqual(times(), [0, 1, 1, 1, 2])
  const { Schedules } = await run('ListSchedules', {})
  assert.deepEqual(
    (Schedules as { Name: string }[]).map(({ Name }) => Name),
    ['stays'],
  )
  assert.deepEqual((await store.meta.list('scheduler-fired/', '', 10)).length, 1)
})

test('scheduler: a window delays every time by something of its own', async (t) => {
  const { clock, open, times } = setUp(t)
  const { create } = await open()
  await create('w', {
    ScheduleExpression: 'rate(1 hours)',
    FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 30 },
  })
  await clock.advance(2.6 * 3_600_000)
  const delays = times().map((at) => at % 60)
  assert.ok(
    delays.length >= 2 && delays.every((delay) => delay < 30) && new Set(delays).size === delays.length,
  )
  assert.equal(windowDelayMs('k', START, 15), windowDelayMs('k', START, 15))
})

test('scheduler: retries, then the dead-letter queue with what became of it', async (t) => {
  const { clock, made, open } = setUp(t, ({ service }) => {
    if (service === 'sqs') return {}
    throw new LambdaError('ServiceException', 'busy', { status: 500 })
  })
  const { create } = await open()
  await create('d', {
    ScheduleExpression: 'at(2026-03-28T12:01:00)',
    Target: {
      Arn: FUNCTION,
      RoleArn: ROLE,
      Input: 'hello <aws.scheduler.attempt-number>',
      RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 600 },
      DeadLetterConfig: { Arn: QUEUE },
    },
  })
  await clock.advance(10 * 60_000)
  const sent = made.map(({ call }) => call)
  assert.deepEqual(
    sent.map(({ operation }) => operation),
    ['Invoke', 'Invoke', 'Invoke', 'SendMessage'],
  )
  const { QueueUrl, MessageBody, MessageAttributes } = (sent[3] ?? assert.fail()).input as {
    QueueUrl: string
    MessageBody: string
    MessageAttributes: Record<string, { StringValue: string }>
  }
  assert.equal(QueueUrl, 'https://sqs.eu-central-1.amazonaws.com/111122223333/q')
  assert.equal((JSON.parse(MessageBody) as { Payload: string }).Payload, 'hello 3')
  const { EXECUTION_ID, ...values } = Object.fromEntries(
    Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
  )
  assert.ok(EXECUTION_ID)
  assert.deepEqual(values, {
    ERROR_CODE: 'ServiceException',
    ERROR_MESSAGE: 'busy',
    EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
    IS_PAYLOAD_TRUNCATED: 'false',
    RETRY_ATTEMPTS: '2',
    SCHEDULED_TIME: '2026-03-28T12:01:00Z',
    SCHEDULE_ARN: 'arn:aws:scheduler:eu-central-1:111122223333:schedule/default/d',
    TARGET_ARN: FUNCTION,
  })
})

test('scheduler: templated and universal targets', async (t) => {
  const { clock, made, open } = setUp(t)
  const { create } = await open()
  const target = (Arn: string, more: object = {}) => ({
    ScheduleExpression: 'at(2026-03-28T12:01:00)',
    Target: { Arn, RoleArn: ROLE, ...more },
  })
  const BUS = 'arn:aws:events:eu-central-1:111122223333:event-bus/b'
  const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:t'
  await create('1', target(`${QUEUE}.fifo`, { Input: 'text', SqsParameters: { MessageGroupId: 'g' } }))
  await create('2', target(TOPIC, { Input: 'news' }))
  await create(
    '3',
    target(BUS, { Input: '{"a":1}', EventBridgeParameters: { DetailType: 'T', Source: 's' } }),
  )
  await create(
    '4',
    target('arn:aws:scheduler:::aws-sdk:lambda:invoke', {
      Input: '{"FunctionName":"f","Payload":"{\\"k\\":1}"}',
    }),
  )
  await create(
    '5',
    target('arn:aws:scheduler:::aws-sdk:cloudwatchlogs:putRetentionPolicy', {
      Input: '{"LogGroupName":"g","RetentionInDays":7}',
    }),
  )
  await create(
    '6',
    target('arn:aws:scheduler:::aws-sdk:eventbridge:putEvents', {
      Input: '{"Entries":[{"Source":"s","Time":"2026-01-01T00:00:00Z"}]}',
    }),
  )
  await create('7', target(QUEUE))
  await clock.advance(61_000)
  const found = new Map(
    made.map(({ call }) => [`${call.service} ${call.operation} ${JSON.stringify(call.input).length}`, call]),
  )
  const calls = [...found.values()].toSorted((a, b) =>
    JSON.stringify(a.input) < JSON.stringify(b.input) ? -1 : 1,
  )
  const inputs = (service: string, operation: string) =>
    calls.filter((call) => call.service === service && call.operation === operation).map(({ input }) => input)
  const url = 'https://sqs.eu-central-1.amazonaws.com/111122223333/q'
  const [fifo, plain] = inputs('sqs', 'SendMessage').toSorted((a) => ('MessageGroupId' in a ? -1 : 1)) as {
    MessageBody: string
  }[]
  assert.deepEqual(fifo, { QueueUrl: `${url}.fifo`, MessageBody: 'text', MessageGroupId: 'g' })
  const notice = JSON.parse(plain?.MessageBody ?? '') as Record<string, unknown>
  assert.deepEqual(
    [notice['source'], notice['detail-type'], notice['detail'], notice['resources']],
    [
      'aws.scheduler',
      'Scheduled Event',
      '{}',
      ['arn:aws:scheduler:eu-central-1:111122223333:schedule/default/7'],
    ],
  )
  assert.deepEqual(inputs('sns', 'Publish'), [{ TopicArn: TOPIC, Message: 'news' }])
  assert.deepEqual(inputs('lambda', 'Invoke'), [{ FunctionName: 'f', Payload: Buffer.from('{"k":1}') }])
  assert.deepEqual(inputs('logs', 'PutRetentionPolicy'), [{ logGroupName: 'g', retentionInDays: 7 }])
  const entries = inputs('events', 'PutEvents').map((input) => (input as { Entries: object[] }).Entries[0])
  assert.deepEqual(
    entries.find((entry) => entry && 'EventBusName' in entry),
    { EventBusName: BUS, DetailType: 'T', Source: 's', Detail: '{"a":1}' },
  )
  assert.deepEqual(
    entries.find((entry) => entry && !('EventBusName' in entry)),
    { Source: 's', Time: new Date(Date.UTC(2026, 0, 1)) },
  )
})

test('scheduler: refuses what is wrong', async (t) => {
  const { open } = setUp(t)
  const { create, run } = await open()
  await create('there', { ScheduleExpression: 'rate(1 days)', State: 'DISABLED', ClientToken: 'c' })
  await create('there', { ScheduleExpression: 'rate(1 days)', State: 'DISABLED', ClientToken: 'c' })
  const rate = { ScheduleExpression: 'rate(1 days)' }
  const rows: readonly (readonly [Promise<unknown>, string, string])[] = [
    [create('there', { ...rate, State: 'DISABLED' }), 'ConflictException', 'Schedule there already exists.'],
    [
      create('there', { ScheduleExpression: 'rate(2 days)', ClientToken: 'c' }),
      'ConflictException',
      'Schedule there already exists.',
    ],
    [
      create('x', { ScheduleExpression: 'rate(10 years)' }),
      'ValidationException',
      'Invalid Schedule Expression rate(10 years).',
    ],
    [
      create('x', { ...rate, GroupName: 'none' }),
      'ResourceNotFoundException',
      'Schedule group none does not exist.',
    ],
    [
      create('x', { ...rate, StartDate: new Date(START - 400_000) }),
      'ValidationException',
      'The StartDate you specify cannot be earlier than 5 minutes ago.',
    ],
    [
      create('x', {
        ...rate,
        Target: { Arn: 'arn:aws:scheduler:::aws-sdk:sqs:receiveMessage', RoleArn: ROLE },
      }),
      'ValidationException',
      'The action receiveMessage is not supported.',
    ],
    [run('GetSchedule', { Name: 'none' }), 'ResourceNotFoundException', 'Schedule none does not exist.'],
    [run('DeleteSchedule', { Name: 'none' }), 'ResourceNotFoundException', 'Schedule none does not exist.'],
  ]
  for (const [attempt, name, message] of rows) {
    await assert.rejects(
      attempt,
      (error: LambdaError) => error.code === name && error.message === message,
      message,
    )
  }
})

test('scheduler: a group takes its schedules along', async (t) => {
  const { clock, open, times } = setUp(t)
  const { create, run } = await open()
  await run('CreateScheduleGroup', { Name: 'g', Tags: [{ Key: 'k', Value: 'v' }] })
  await create('a', { ScheduleExpression: 'rate(1 minutes)', GroupName: 'g' })
  await clock.advance(1_000)
  await run('DeleteScheduleGroup', { Name: 'g' })
  await clock.advance(10 * 60_000)
  assert.deepEqual(times(), [0])
  await assert.rejects(run('GetScheduleGroup', { Name: 'g' }), { code: 'ResourceNotFoundException' })
})
