/** EventBridge and its scheduler with queues and topics, through the SDK, boto3 and the AWS CLI; and over kill -9. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import {
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge'
import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  DeleteScheduleGroupCommand,
  GetScheduleCommand,
  GetScheduleGroupCommand,
  ListScheduleGroupsCommand,
  ListSchedulesCommand,
  ListTagsForResourceCommand,
  SchedulerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateScheduleCommand,
  type Target as ScheduleTarget,
} from '@aws-sdk/client-scheduler'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
  type Message,
} from '@aws-sdk/client-sqs'

import {
  createFunction,
  errorOf,
  eventually,
  lambdaClient,
  logMessages,
  logsClient,
} from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'

const run = promisify(execFile)
const ACCOUNT = '000000000000'
const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${resource}`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/scheduler`

function clientsOf(endpoint: string) {
  const common = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  }
  return {
    events: new EventBridgeClient(common),
    scheduler: new SchedulerClient(common),
    sns: new SNSClient(common),
    sqs: new SQSClient(common),
  }
}

describe('EventBridge and its scheduler: targets', () => {
  let program: Program
  let dataDirectory: string
  let clients: ReturnType<typeof clientsOf>
  const cleanUps: (() => Promise<void>)[] = []
  before(async () => {
    dataDirectory = await temporaryDirectory({ after: (clean) => void cleanUps.push(clean) })
    program = await startProgram({ dataDirectory })
    clients = clientsOf(program.endpoint)
  })
  after(async () => {
    await program.stop()
    for (const clean of cleanUps) await clean()
  })

  const makeQueue = async (QueueName: string, Attributes: Record<string, string> = {}) => {
    await clients.sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
    return arn('sqs', QueueName)
  }
  /** Takes them away. */
  const receive = async (name: string, count: number) => {
    const found: Message[] = []
    const QueueUrl = `${program.endpoint}/${ACCOUNT}/${name}`
    return await eventually(`${count} in ${name}`, async () => {
      const { Messages = [] } = await clients.sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          WaitTimeSeconds: 1,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['All'],
        }),
      )
      for (const message of Messages) {
        found.push(message)
        await clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }))
      }
      return found.length >= count ? found : undefined
    })
  }
  const makeRule = async (name: string, targets: readonly Target[]) => {
    const { RuleArn } = await clients.events.send(
      new PutRuleCommand({ Name: name, EventPattern: JSON.stringify({ source: [name] }) }),
    )
    await clients.events.send(new PutTargetsCommand({ Rule: name, Targets: [...targets] }))
    return RuleArn ?? ''
  }
  const putEvent = (source: string, detail: object) =>
    clients.events.send(
      new PutEventsCommand({
        Entries: [{ Source: source, DetailType: 'Test', Detail: JSON.stringify(detail) }],
      }),
    )
  const attributesOf = ({ MessageAttributes = {} }: Message) =>
    Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
    )
  /** `at(...)` this many seconds from now. */
  const inSeconds = (seconds: number) => {
    const time = new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)
    return { time, expression: `at(${time})` }
  }
  const schedule = (Name: string, expression: string, Target: ScheduleTarget, more: object = {}) =>
    clients.scheduler.send(
      new CreateScheduleCommand({
        Name,
        ScheduleExpression: expression,
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target,
        ...more,
      }),
    )

  test('a rule delivers to queues of both kinds and through a topic', async () => {
    const queue = await makeQueue('plain')
    const fifo = await makeQueue('ordered.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' })
    const { TopicArn } = await clients.sns.send(new CreateTopicCommand({ Name: 'news' }))
    await clients.sns.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: 'sqs',
        Endpoint: await makeQueue('behind'),
        Attributes: { RawMessageDelivery: 'true' },
      }),
    )
    await makeRule('many', [
      { Id: 'plain', Arn: queue },
      { Id: 'fifo', Arn: fifo, SqsParameters: { MessageGroupId: 'g' }, InputPath: '$.detail' },
      { Id: 'topic', Arn: TopicArn, Input: '{"fixed":true}' },
    ])
    await putEvent('many', { n: 1 })
    const [plain] = await receive('plain', 1)
    assert.deepEqual((JSON.parse(plain?.Body ?? '') as { detail: object }).detail, { n: 1 })
    const [ordered] = await receive('ordered.fifo', 1)
    assert.deepEqual([ordered?.Body, ordered?.Attributes?.MessageGroupId], ['{"n":1}', 'g'])
    assert.equal((await receive('behind', 1))[0]?.Body, '{"fixed":true}')
  })

  test('what can not be delivered goes to the dead-letter queue, with what became of it', async () => {
    const dead = await makeQueue('dead')
    const missing = arn('sqs', 'missing')
    const ruleArn = await makeRule('lost', [{ Id: '1', Arn: missing, DeadLetterConfig: { Arn: dead } }])
    await putEvent('lost', { n: 1 })
    const [message] = await receive('dead', 1)
    assert.match(message?.Body ?? '', /^\{"version":"0",.*"detail":\{"n":1\}\}$/)
    const { ERROR_MESSAGE, ...attributes } = attributesOf(message ?? {})
    assert.ok(ERROR_MESSAGE)
    assert.deepEqual(attributes, {
      RULE_ARN: ruleArn,
      TARGET_ARN: missing,
      ERROR_CODE: 'NO_RESOURCE',
      RETRY_ATTEMPTS: '0',
    })
  })

  test('schedules fire once: a queue, a function, a topic, a bus, an API; and fail into a queue', async () => {
    await makeQueue('due')
    const { TopicArn } = await clients.sns.send(new CreateTopicCommand({ Name: 'due' }))
    await clients.sns.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: 'sqs',
        Endpoint: arn('sqs', 'due'),
        Attributes: { RawMessageDelivery: 'true' },
      }),
    )
    await makeRule('from-schedule', [{ Id: '1', Arn: arn('sqs', 'due'), InputPath: '$.detail' }])
    await createFunction(lambdaClient(program.endpoint), {
      FunctionName: 'due',
      files: { 'index.js': `exports.handler = async (event) => console.log('DUE ' + JSON.stringify(event))` },
    })
    const { time, expression } = inSeconds(2)
    const target = (Arn: string | undefined, more: object): ScheduleTarget => ({
      Arn,
      RoleArn: ROLE,
      ...more,
    })
    const universal = { QueueUrl: `${program.endpoint}/${ACCOUNT}/due`, MessageBody: 'api' }
    const dead = await makeQueue('due-dead')
    await Promise.all([
      schedule(
        'queue',
        expression,
        target(arn('sqs', 'due'), { Input: 'at <aws.scheduler.scheduled-time>' }),
      ),
      schedule('function', expression, target(arn('lambda', 'function:due'), { Input: '{"n":1}' })),
      schedule('topic', expression, target(TopicArn, { Input: 'news' })),
      schedule(
        'bus',
        expression,
        target(arn('events', 'event-bus/default'), {
          Input: '{"bus":true}',
          EventBridgeParameters: { Source: 'from-schedule', DetailType: 't' },
        }),
      ),
      schedule(
        'api',
        expression,
        target('arn:aws:scheduler:::aws-sdk:sqs:sendMessage', { Input: JSON.stringify(universal) }),
      ),
      schedule('gone', expression, target(arn('sqs', 'due'), { Input: 'gone' }), {
        ActionAfterCompletion: 'DELETE',
      }),
      schedule(
        'fails',
        expression,
        target(arn('sqs', 'nowhere'), { Input: 'x', DeadLetterConfig: { Arn: dead } }),
      ),
    ])
    const bodies = (await receive('due', 5)).map(({ Body }) => Body)
    assert.deepEqual(bodies.toSorted(), ['api', `at ${time}Z`, 'gone', 'news', '{"bus":true}'].toSorted())
    await eventually('the function ran', async () =>
      (await logMessages(logsClient(program.endpoint), 'due')).find((line) => line.includes('DUE {"n":1}')),
    )
    const [lost] = await receive('due-dead', 1)
    const { ERROR_MESSAGE, EXECUTION_ID, ERROR_CODE, ...attributes } = attributesOf(lost ?? {})
    assert.ok(ERROR_MESSAGE && EXECUTION_ID)
    assert.match(ERROR_CODE ?? '', /NonExistentQueue|QueueDoesNotExist/)
    assert.deepEqual(attributes, {
      IS_PAYLOAD_TRUNCATED: 'false',
      RETRY_ATTEMPTS: '0',
      SCHEDULED_TIME: `${time}Z`,
      SCHEDULE_ARN: arn('scheduler', 'schedule/default/fails'),
      TARGET_ARN: arn('sqs', 'nowhere'),
    })
    const gone = await errorOf(clients.scheduler.send(new GetScheduleCommand({ Name: 'gone' })))
    assert.deepEqual(
      [gone.name, gone.message],
      ['ResourceNotFoundException', 'Schedule gone does not exist.'],
    )
  })

  test('schedules and groups: made, changed, listed, tagged, deleted', async () => {
    const { scheduler } = clients
    const { ScheduleGroupArn } = await scheduler.send(
      new CreateScheduleGroupCommand({ Name: 'g', Tags: [{ Key: 'k', Value: 'v' }] }),
    )
    assert.equal(ScheduleGroupArn, arn('scheduler', 'schedule-group/g'))
    const target = { Arn: arn('sqs', 'plain'), RoleArn: ROLE, Input: '{}' }
    for (const name of ['a', 'b', 'c'])
      await schedule(name, 'rate(1 days)', target, { GroupName: 'g', State: 'DISABLED' })
    const twice = await errorOf(schedule('a', 'rate(1 days)', target, { GroupName: 'g' }))
    assert.deepEqual([twice.name, twice.message], ['ConflictException', 'Schedule a already exists.'])
    await scheduler.send(
      new UpdateScheduleCommand({
        Name: 'a',
        GroupName: 'g',
        ScheduleExpression: 'cron(0 8 ? * MON-FRI *)',
        ScheduleExpressionTimezone: 'Europe/Berlin',
        FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
        EndDate: new Date(Date.UTC(2030, 0, 1)),
        Description: 'workdays',
        Target: target,
      }),
    )
    const {
      CreationDate,
      LastModificationDate,
      $metadata: _,
      ...got
    } = await scheduler.send(new GetScheduleCommand({ Name: 'a', GroupName: 'g' }))
    assert.ok(CreationDate && LastModificationDate && LastModificationDate > CreationDate)
    assert.deepEqual(got, {
      Arn: arn('scheduler', 'schedule/g/a'),
      GroupName: 'g',
      Name: 'a',
      State: 'ENABLED',
      ScheduleExpression: 'cron(0 8 ? * MON-FRI *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      EndDate: new Date(Date.UTC(2030, 0, 1)),
      Description: 'workdays',
      Target: { ...target, RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 } },
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
      ActionAfterCompletion: 'NONE',
    })
    const first = await scheduler.send(new ListSchedulesCommand({ GroupName: 'g', MaxResults: 2 }))
    const second = await scheduler.send(
      new ListSchedulesCommand({ GroupName: 'g', NextToken: first.NextToken }),
    )
    const names = [...(first.Schedules ?? []), ...(second.Schedules ?? [])].map(({ Name }) => Name)
    assert.deepEqual(names, ['a', 'b', 'c'])
    const disabled = await scheduler.send(new ListSchedulesCommand({ GroupName: 'g', State: 'DISABLED' }))
    assert.deepEqual(
      disabled.Schedules?.map(({ Name }) => Name),
      ['b', 'c'],
    )
    await scheduler.send(new DeleteScheduleCommand({ Name: 'b', GroupName: 'g' }))
    await scheduler.send(
      new TagResourceCommand({ ResourceArn: ScheduleGroupArn, Tags: [{ Key: 'x', Value: 'y' }] }),
    )
    await scheduler.send(new UntagResourceCommand({ ResourceArn: ScheduleGroupArn, TagKeys: ['k'] }))
    const { Tags } = await scheduler.send(new ListTagsForResourceCommand({ ResourceArn: ScheduleGroupArn }))
    assert.deepEqual(Tags, [{ Key: 'x', Value: 'y' }])
    const groups = await scheduler.send(new ListScheduleGroupsCommand({}))
    assert.deepEqual(
      groups.ScheduleGroups?.map(({ Name }) => Name),
      ['default', 'g'],
    )
    await scheduler.send(new DeleteScheduleGroupCommand({ Name: 'g' }))
    const gone = await errorOf(scheduler.send(new GetScheduleGroupCommand({ Name: 'g' })))
    assert.deepEqual(
      [gone.name, gone.message],
      ['ResourceNotFoundException', 'Schedule group g does not exist.'],
    )
    const wrong = await errorOf(schedule('x', 'rate(10 years)', target))
    assert.deepEqual(
      [wrong.name, wrong.message],
      ['ValidationException', 'Invalid Schedule Expression rate(10 years).'],
    )
  })

  const python = pythonClients()
  test('boto3', { skip: typeof python === 'string' && python }, async () => {
    if (typeof python === 'string') return
    const { stdout } = await run(python.python, [join(import.meta.dirname, 'eventbridge_main_job.py')], {
      env: clientEnvironment(program.endpoint),
    })
    assert.equal(stdout.trim(), 'ok')
  })
  test('the AWS CLI', { skip: typeof python === 'string' && python }, async () => {
    if (typeof python === 'string') return
    const aws = async (...args: string[]) => {
      const { stdout } = await run(python.aws, [...args, '--output', 'json'], {
        env: clientEnvironment(program.endpoint),
      })
      return (stdout === '' ? {} : JSON.parse(stdout)) as Record<string, unknown>
    }
    const [rule, put, groups] = await Promise.all([
      aws('events', 'put-rule', '--name', 'cli', '--schedule-expression', 'cron(0 20 * * ? *)'),
      aws('events', 'put-events', '--entries', '[{"Source":"cli","DetailType":"t","Detail":"{}"}]'),
      aws('scheduler', 'list-schedule-groups'),
    ])
    assert.deepEqual([rule['RuleArn'], put['FailedEntryCount']], [arn('events', 'rule/cli'), 0])
    assert.ok(Array.isArray(groups['ScheduleGroups']))
  })

  test('a schedule that is due while the program is down fires once when it is back', async () => {
    await makeQueue('crash')
    const target = { Arn: arn('sqs', 'crash'), RoleArn: ROLE }
    await schedule('crash', inSeconds(1).expression, { ...target, Input: 'once' })
    await schedule('later', inSeconds(3600).expression, { ...target, Input: 'later' })
    await program.kill9()
    await new Promise((resolve) => setTimeout(resolve, 1000))
    program = await startProgram({ dataDirectory })
    clients = clientsOf(program.endpoint)
    assert.deepEqual(
      (await receive('crash', 1)).map(({ Body }) => Body),
      ['once'],
    )
    const again = await clients.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: `${program.endpoint}/${ACCOUNT}/crash`, WaitTimeSeconds: 1 }),
    )
    assert.deepEqual(again.Messages ?? [], [])
    const { Schedules } = await clients.scheduler.send(new ListSchedulesCommand({ NamePrefix: 'later' }))
    assert.equal(Schedules?.length, 1)
  })
})
