/** EventBridge through the real SDK: what rules deliver and where, what survives a crash, archives and replays. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  CancelReplayCommand,
  CreateArchiveCommand,
  CreateEventBusCommand,
  DeleteArchiveCommand,
  DeleteEventBusCommand,
  DeleteRuleCommand,
  DescribeArchiveCommand,
  DescribeEventBusCommand,
  DescribeReplayCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ListArchivesCommand,
  ListEventBusesCommand,
  ListReplaysCommand,
  ListRuleNamesByTargetCommand,
  ListRulesCommand,
  ListTagsForResourceCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutPermissionCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemovePermissionCommand,
  RemoveTargetsCommand,
  StartReplayCommand,
  TagResourceCommand,
  TestEventPatternCommand,
  UntagResourceCommand,
  UpdateArchiveCommand,
  UpdateEventBusCommand,
  type Target,
} from '@aws-sdk/client-eventbridge'

import {
  createFunction,
  errorOf,
  eventually,
  lambdaClient,
  logMessages,
  logsClient,
} from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

const ACCOUNT = '000000000000'
const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${resource}`

describe('EventBridge', () => {
  let program: Program
  let dataDirectory: string
  let events: EventBridgeClient
  const cleanUps: (() => Promise<void>)[] = []
  const connect = () => {
    events = new EventBridgeClient({
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    })
  }
  before(async () => {
    dataDirectory = await temporaryDirectory({ after: (run) => void cleanUps.push(run) })
    program = await startProgram({ dataDirectory })
    connect()
  })
  after(async () => {
    await program.stop()
    for (const cleanUp of cleanUps) await cleanUp()
  })

  const makeGroup = async (name: string) => {
    await logsClient(program.endpoint).send(new CreateLogGroupCommand({ logGroupName: name }))
    return arn('logs', `log-group:${name}`)
  }
  const messagesIn = async (name: string) => {
    const { events: found } = await logsClient(program.endpoint).send(
      new FilterLogEventsCommand({ logGroupName: name }),
    )
    return (found ?? []).map(({ message }) => message ?? '')
  }
  const messages = (name: string, count: number) =>
    eventually(`${count} in ${name}`, async () => {
      const found = await messagesIn(name)
      return found.length >= count ? found : undefined
    })
  const makeRule = async (name: string, pattern: object, targets: readonly Target[], bus?: string) => {
    const { RuleArn } = await events.send(
      new PutRuleCommand({ Name: name, EventPattern: JSON.stringify(pattern), EventBusName: bus }),
    )
    const { FailedEntryCount } = await events.send(
      new PutTargetsCommand({ Rule: name, EventBusName: bus, Targets: [...targets] }),
    )
    assert.equal(FailedEntryCount, 0)
    return RuleArn ?? ''
  }
  const putEvent = async (source: string, detail: object, bus?: string) => {
    const entry = { Source: source, DetailType: 'Test', Detail: JSON.stringify(detail), EventBusName: bus }
    const { Entries, FailedEntryCount } = await events.send(new PutEventsCommand({ Entries: [entry] }))
    assert.equal(FailedEntryCount, 0)
    return Entries?.[0]?.EventId ?? ''
  }

  test('an event reaches a function, a log group and another bus, each as it wants it', async () => {
    const group = await makeGroup('/aws/events/fan-out')
    const lambda = lambdaClient(program.endpoint)
    await createFunction(lambda, {
      FunctionName: 'taker',
      files: {
        'index.js': `exports.handler = async (event) => console.log('TOOK ' + JSON.stringify(event))`,
      },
    })
    const { EventBusArn } = await events.send(new CreateEventBusCommand({ Name: 'other' }))
    await makeRule(
      'behind',
      { source: ['fan'] },
      [{ Id: 'logs', Arn: await makeGroup('/aws/events/other') }],
      'other',
    )
    const ruleArn = await makeRule('fan-out', { source: ['fan'], detail: { n: [{ numeric: ['>', 1] }] } }, [
      { Id: 'function', Arn: arn('lambda', 'function:taker') },
      { Id: 'logs', Arn: group },
      {
        Id: 'text',
        Arn: group,
        InputTransformer: {
          InputPathsMap: { n: '$.detail.n' },
          InputTemplate: '"<n> by <aws.events.rule-name>"',
        },
      },
      { Id: 'bus', Arn: EventBusArn },
    ])
    assert.equal(ruleArn, arn('events', 'rule/fan-out'))
    await putEvent('fan', { n: 1 })
    const id = await putEvent('fan', { n: 2 })
    const [all, text] = (await messages('/aws/events/fan-out', 2)).toSorted((a, b) => b.length - a.length)
    assert.equal(text, '"2 by fan-out"')
    const event = JSON.parse(all ?? '') as Record<string, unknown>
    assert.deepEqual(Object.keys(event), [
      'version',
      'id',
      'detail-type',
      'source',
      'account',
      'time',
      'region',
      'resources',
      'detail',
    ])
    assert.match(String(event['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.deepEqual(
      { ...event, time: '' },
      {
        version: '0',
        id,
        'detail-type': 'Test',
        source: 'fan',
        account: ACCOUNT,
        time: '',
        region: 'us-east-1',
        resources: [],
        detail: { n: 2 },
      },
    )
    assert.deepEqual(await messages('/aws/events/other', 1), [all])
    await eventually('the function has it', async () =>
      (await logMessages(logsClient(program.endpoint), 'taker')).find((line) => line.includes(`TOOK ${all}`)),
    )
    assert.equal((await messagesIn('/aws/events/fan-out')).length, 2)
  })

  test('entries are checked one by one, the request as a whole', async () => {
    const good = { Source: 's', DetailType: 't', Detail: '{}' }
    const { Entries, FailedEntryCount } = await events.send(
      new PutEventsCommand({
        Entries: [
          good,
          { ...good, Source: undefined },
          { ...good, DetailType: '' },
          { ...good, Detail: undefined },
          { ...good, Detail: '[]' },
          { ...good, Source: 'aws.ec2' },
          { ...good, EventBusName: 'nowhere' },
        ],
      }),
    )
    assert.equal(FailedEntryCount, 5)
    assert.deepEqual(
      Entries?.map(({ ErrorCode, ErrorMessage }) => ErrorMessage ?? ErrorCode),
      [
        undefined,
        'Parameter Source is not valid. Reason: Source is a required argument.',
        'Parameter DetailType is not valid. Reason: DetailType is a required argument.',
        'Parameter Detail is not valid. Reason: Detail is a required argument.',
        'Detail is malformed.',
        'Not authorized for the source.',
        undefined,
      ],
    )
    const tooLarge = await errorOf(
      events.send(
        new PutEventsCommand({ Entries: [{ ...good, Detail: JSON.stringify('x'.repeat(1024 * 1024)) }] }),
      ),
    )
    assert.deepEqual(
      [tooLarge.name, tooLarge.message],
      ['ValidationException', 'Total size of the entries in the request is over the limit.'],
    )
  })

  test('rules: made, described, listed page by page, disabled, deleted', async () => {
    const pattern = '{"source":["life"]}'
    for (const name of ['life-a', 'life-b', 'life-c']) {
      await events.send(new PutRuleCommand({ Name: name, EventPattern: pattern, Description: 'd' }))
    }
    const { $metadata: _, ...described } = await events.send(new DescribeRuleCommand({ Name: 'life-a' }))
    assert.deepEqual(described, {
      Name: 'life-a',
      Arn: arn('events', 'rule/life-a'),
      EventPattern: pattern,
      State: 'ENABLED',
      Description: 'd',
      EventBusName: 'default',
      CreatedBy: ACCOUNT,
    })
    const first = await events.send(new ListRulesCommand({ NamePrefix: 'life-', Limit: 2 }))
    assert.deepEqual(
      first.Rules?.map(({ Name }) => Name),
      ['life-a', 'life-b'],
    )
    const second = await events.send(
      new ListRulesCommand({ NamePrefix: 'life-', Limit: 2, NextToken: first.NextToken }),
    )
    assert.deepEqual([second.Rules?.map(({ Name }) => Name), second.NextToken], [['life-c'], undefined])

    const group = await makeGroup('/aws/events/life')
    await events.send(new PutTargetsCommand({ Rule: 'life-a', Targets: [{ Id: '1', Arn: group }] }))
    const { RuleNames } = await events.send(new ListRuleNamesByTargetCommand({ TargetArn: group }))
    assert.deepEqual(RuleNames, ['life-a'])
    const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: 'life-a' }))
    assert.deepEqual(Targets, [{ Id: '1', Arn: group }])
    await events.send(new DisableRuleCommand({ Name: 'life-a' }))
    await putEvent('life', { n: 1 })
    await events.send(new EnableRuleCommand({ Name: 'life-a' }))
    await putEvent('life', { n: 2 })
    assert.match((await messages('/aws/events/life', 1)).join(), /"n":2/)

    const inUse = await errorOf(events.send(new DeleteRuleCommand({ Name: 'life-a' })))
    assert.deepEqual(
      [inUse.name, inUse.message],
      ['ValidationException', "Rule can't be deleted since it has targets."],
    )
    await events.send(new RemoveTargetsCommand({ Rule: 'life-a', Ids: ['1'] }))
    await events.send(new DeleteRuleCommand({ Name: 'life-a' }))
    const gone = await errorOf(events.send(new DescribeRuleCommand({ Name: 'life-a' })))
    assert.deepEqual(
      [gone.name, gone.message],
      ['ResourceNotFoundException', 'Rule life-a does not exist on EventBus default.'],
    )
    const six = Array.from({ length: 6 }, (_, n) => ({ Id: `${n}`, Arn: group }))
    const tooMany = await errorOf(events.send(new PutTargetsCommand({ Rule: 'life-b', Targets: six })))
    assert.equal(tooMany.name, 'LimitExceededException')
    const wrong: readonly (readonly [object, string, string])[] = [
      [
        { EventPattern: '{"a": 1}' },
        'InvalidEventPatternException',
        'Event pattern is not valid. Reason: "a" must be an object or an array\n at [Source: (String)"{"a": 1}"; line: 1, column: 8]',
      ],
      [{}, 'ValidationException', 'Parameter(s) EventPattern or ScheduleExpression must be specified.'],
      [
        { ScheduleExpression: 'rate(1 minutes)' },
        'ValidationException',
        'Parameter ScheduleExpression is not valid.',
      ],
      [
        { ScheduleExpression: 'rate(1 minute)', EventBusName: 'other' },
        'ValidationException',
        'ScheduleExpression is supported only on the default event bus.',
      ],
      [
        { EventPattern: pattern, EventBusName: 'nowhere' },
        'ResourceNotFoundException',
        'Event bus nowhere does not exist.',
      ],
    ]
    for (const [input, name, message] of wrong) {
      const error = await errorOf(events.send(new PutRuleCommand({ Name: 'wrong', ...input })))
      assert.deepEqual([error.name, error.message], [name, message])
    }
  })

  test('buses: policy, tags, lists', async () => {
    const { EventBusArn = '' } = await events.send(
      new CreateEventBusCommand({ Name: 'shared', Description: 'd', Tags: [{ Key: 'k', Value: 'v' }] }),
    )
    const twice = await errorOf(events.send(new CreateEventBusCommand({ Name: 'shared' })))
    assert.deepEqual(
      [twice.name, twice.message],
      ['ResourceAlreadyExistsException', 'Event bus shared already exists.'],
    )
    await events.send(
      new PutPermissionCommand({
        EventBusName: 'shared',
        StatementId: 'one',
        Action: 'events:PutEvents',
        Principal: '111122223333',
      }),
    )
    await events.send(
      new PutPermissionCommand({
        EventBusName: 'shared',
        StatementId: 'all',
        Action: 'events:PutEvents',
        Principal: '*',
      }),
    )
    const { Policy = '' } = await events.send(new DescribeEventBusCommand({ Name: 'shared' }))
    assert.deepEqual(JSON.parse(Policy), {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'one',
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::111122223333:root' },
          Action: 'events:PutEvents',
          Resource: EventBusArn,
        },
        { Sid: 'all', Effect: 'Allow', Principal: '*', Action: 'events:PutEvents', Resource: EventBusArn },
      ],
    })
    const unknown = await errorOf(
      events.send(new RemovePermissionCommand({ EventBusName: 'shared', StatementId: 'x' })),
    )
    assert.deepEqual(
      [unknown.name, unknown.message],
      ['ResourceNotFoundException', 'Statement with the provided id does not exist.'],
    )
    await events.send(new RemovePermissionCommand({ EventBusName: 'shared', RemoveAllPermissions: true }))
    await events.send(new UpdateEventBusCommand({ Name: 'shared', Description: 'e' }))
    const described = await events.send(new DescribeEventBusCommand({ Name: EventBusArn }))
    assert.deepEqual([described.Policy, described.Description, described.Name], [undefined, 'e', 'shared'])
    await events.send(new TagResourceCommand({ ResourceARN: EventBusArn, Tags: [{ Key: 'x', Value: 'y' }] }))
    await events.send(new UntagResourceCommand({ ResourceARN: EventBusArn, TagKeys: ['k'] }))
    const { Tags } = await events.send(new ListTagsForResourceCommand({ ResourceARN: EventBusArn }))
    assert.deepEqual(Tags, [{ Key: 'x', Value: 'y' }])
    const { EventBuses } = await events.send(new ListEventBusesCommand({ NamePrefix: 'shar' }))
    assert.deepEqual(
      EventBuses?.map(({ Name }) => Name),
      ['shared'],
    )
    await events.send(new DeleteEventBusCommand({ Name: 'shared' }))
    const gone = await errorOf(events.send(new DescribeEventBusCommand({ Name: 'shared' })))
    assert.deepEqual(
      [gone.name, gone.message],
      ['ResourceNotFoundException', 'Event bus shared does not exist.'],
    )
    const never = await errorOf(events.send(new DeleteEventBusCommand({ Name: 'default' })))
    assert.equal(never.message, 'Cannot delete event bus default.')
  })

  test('TestEventPattern answers as a rule would', async () => {
    const event = {
      id: '1',
      account: ACCOUNT,
      source: 's',
      time: '2026-01-01T00:00:00Z',
      region: 'r',
      resources: [],
      'detail-type': 't',
    }
    const ask = (EventPattern: string, Event: string) =>
      events.send(new TestEventPatternCommand({ EventPattern, Event }))
    assert.equal((await ask('{"source":[{"prefix":"s"}]}', JSON.stringify(event))).Result, true)
    assert.equal((await ask('{"source":["x"]}', JSON.stringify(event))).Result, false)
    const error = await errorOf(ask('{"source":["x"]}', 'text'))
    assert.deepEqual([error.name, error.message], ['ValidationException', 'Parameter Event is not valid.'])
  })

  test('archive and replay', async () => {
    const { EventBusArn } = await events.send(new CreateEventBusCommand({ Name: 'kept' }))
    const created = await events.send(
      new CreateArchiveCommand({
        ArchiveName: 'keeper',
        EventSourceArn: EventBusArn,
        EventPattern: '{"detail":{"keep":[true]}}',
        RetentionDays: 7,
      }),
    )
    assert.deepEqual([created.ArchiveArn, created.State], [arn('events', 'archive/keeper'), 'ENABLED'])
    for (const n of [1, 2, 3]) await putEvent('kept', { n, keep: n !== 2 }, 'kept')
    await eventually('two are kept', async () =>
      (await events.send(new DescribeArchiveCommand({ ArchiveName: 'keeper' }))).EventCount === 2
        ? true
        : undefined,
    )
    const one = await makeRule(
      'once-more',
      { source: ['kept'] },
      [{ Id: '1', Arn: await makeGroup('/aws/events/again') }],
      'kept',
    )
    await makeRule(
      'not-again',
      { source: ['kept'] },
      [{ Id: '1', Arn: await makeGroup('/aws/events/not') }],
      'kept',
    )
    const hour = (hours: number) => new Date(Date.now() + hours * 3_600_000)
    const replay = {
      ReplayName: 'replay',
      EventSourceArn: created.ArchiveArn,
      Destination: { Arn: EventBusArn, FilterArns: [one] },
      EventStartTime: hour(-1),
      EventEndTime: hour(1),
    }
    assert.equal((await events.send(new StartReplayCommand(replay))).State, 'STARTING')
    const done = await eventually('it is completed', async () => {
      const now = await events.send(new DescribeReplayCommand({ ReplayName: 'replay' }))
      return now.State === 'COMPLETED' ? now : undefined
    })
    assert.deepEqual([done.Destination, done.EventSourceArn], [replay.Destination, created.ArchiveArn])
    assert.ok(done.EventLastReplayedTime && done.ReplayEndTime)
    const again = await messages('/aws/events/again', 2)
    assert.deepEqual(
      again.map((text) => (JSON.parse(text) as { detail: { n: number } }).detail.n).toSorted(),
      [1, 3],
    )
    assert.match(again[0] ?? '', /"region":"us-east-1","replay-name":"replay","resources":\[\]/)
    assert.deepEqual(await messagesIn('/aws/events/not'), [])
    const { Replays } = await events.send(new ListReplaysCommand({ NamePrefix: 'rep' }))
    assert.deepEqual(
      Replays?.map(({ State }) => State),
      ['COMPLETED'],
    )

    const wrong: readonly (readonly [object, string])[] = [
      [{}, 'Replay replay already exists.'],
      [
        { ReplayName: 'r2', EventEndTime: replay.EventStartTime },
        'Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.',
      ],
      [
        { ReplayName: 'r2', Destination: { Arn: arn('events', 'event-bus/default') } },
        'Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.',
      ],
      [
        { ReplayName: 'r2', EventSourceArn: arn('events', 'archive/none') },
        'Parameter EventSourceArn is not valid. Reason: Archive none does not exist.',
      ],
    ]
    for (const [change, message] of wrong) {
      const error = await errorOf(events.send(new StartReplayCommand({ ...replay, ...change })))
      assert.equal(error.message, message)
    }
    const ended = await errorOf(events.send(new CancelReplayCommand({ ReplayName: 'replay' })))
    assert.equal(ended.name, 'IllegalStatusException')
    await events.send(new UpdateArchiveCommand({ ArchiveName: 'keeper', RetentionDays: 1 }))
    const { Archives } = await events.send(new ListArchivesCommand({ EventSourceArn: EventBusArn }))
    assert.deepEqual(
      Archives?.map(({ RetentionDays, EventCount }) => [RetentionDays, EventCount]),
      [[1, 2]],
    )
    await events.send(new DeleteArchiveCommand({ ArchiveName: 'keeper' }))
    const gone = await errorOf(events.send(new DescribeArchiveCommand({ ArchiveName: 'keeper' })))
    assert.equal(gone.message, 'Archive keeper does not exist.')
  })

  test('what PutEvents has answered for is delivered after kill -9', async () => {
    const group = await makeGroup('/aws/events/crash')
    await makeRule('crash', { source: ['crash'] }, [{ Id: '1', Arn: group }])
    const put = async (batch: number) => {
      const Entries = Array.from({ length: 10 }, (_, n) => ({
        Source: 'crash',
        DetailType: 't',
        Detail: JSON.stringify({ n: batch * 10 + n }),
      }))
      const answer = await events.send(new PutEventsCommand({ Entries }))
      assert.equal(answer.FailedEntryCount, 0)
    }
    await Promise.all(Array.from({ length: 30 }, (_, batch) => put(batch)))
    await program.kill9()
    program = await startProgram({ dataDirectory })
    connect()
    await eventually('all of them are there', async () => {
      const seen = new Set<number>()
      const logs = logsClient(program.endpoint)
      for (let nextToken: string | undefined, first = true; first || nextToken; first = false) {
        const page = await logs.send(
          new FilterLogEventsCommand({ logGroupName: '/aws/events/crash', nextToken }),
        )
        for (const { message = '' } of page.events ?? [])
          seen.add((JSON.parse(message) as { detail: { n: number } }).detail.n)
        nextToken = page.nextToken
      }
      return seen.size === 300 ? true : undefined
    })
  })
})
