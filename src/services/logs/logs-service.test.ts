import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import type {
  DescribeLogGroupsResponse,
  DescribeLogStreamsResponse,
  FilterLogEventsResponse,
  GetLogEventsResponse,
  ListTagsForResourceResponse,
  PutLogEventsResponse,
} from '@aws-sdk/client-cloudwatch-logs'

import { LambdaError } from '#contracts/errors.ts'
import { systemClock } from '#kernel/clock.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createLogsService } from '#services/logs/create-logs-service.ts'
import type { RequestContext } from '#wire/service.ts'

const NOW = Date.UTC(2026, 10, 21, 2, 0, 0)
const DAY_MS = 86_400_000
const SCOPE = { account: '000000000000', region: 'us-east-1' }
const ARN = 'arn:aws:logs:us-east-1:000000000000:log-group:'
const context: RequestContext = {
  ...SCOPE,
  requestId: 'r',
  principal: { account: SCOPE.account, arn: 'arn:aws:iam::000000000000:root', accessKeyId: 'k' },
  endpoint: 'http://127.0.0.1:4566',
  signal: new AbortController().signal,
  traceId: undefined,
}

async function create() {
  const clock = createVirtualClock(NOW)
  const service = createLogsService({ storage: 'memory', clock })
  await service.start()
  const call = async <Output>(operation: string, input: object): Promise<Output> =>
    (await service.handlers[operation]?.(input as never, context)) as Output
  const group = async (name: string, ...streams: readonly string[]) => {
    await call('CreateLogGroup', { logGroupName: name })
    for (const stream of streams) await call('CreateLogStream', { logGroupName: name, logStreamName: stream })
  }
  const put = (logGroupName: string, logStreamName: string, events: readonly (readonly [number, string])[]) =>
    call<PutLogEventsResponse>('PutLogEvents', {
      logGroupName,
      logStreamName,
      logEvents: events.map(([at, message]) => ({ timestamp: NOW + at, message })),
    })
  const get = (input: object) =>
    call<GetLogEventsResponse>('GetLogEvents', { logGroupName: 'g', logStreamName: 's', ...input })
  const filter = (input: object) =>
    call<FilterLogEventsResponse>('FilterLogEvents', { logGroupName: 'g', ...input })
  return { clock, service, call, group, put, get, filter }
}

const fails = (code: string, message: string) => (reason: unknown) => {
  assert.ok(reason instanceof LambdaError, String(reason))
  assert.deepEqual([reason.code, reason.status, reason.message], [code, 400, message])
  return true
}
const noGroup = fails('ResourceNotFoundException', 'The specified log group does not exist.')
const noStream = fails('ResourceNotFoundException', 'The specified log stream does not exist.')
const invalid = (message: string) => fails('InvalidParameterException', message)
const texts = (page: {
  readonly events?: readonly { readonly message?: string | undefined }[] | undefined
}) => (page.events ?? []).map(({ message }) => message)

test('a group is created, described as AWS does, and deleted', async () => {
  const { call, group } = await create()
  await call('CreateLogGroup', { logGroupName: '/aws/lambda/f', tags: { env: 'test' } })
  await assert.rejects(
    group('/aws/lambda/f'),
    fails('ResourceAlreadyExistsException', 'The specified log group already exists'),
  )
  assert.deepEqual(await call('DescribeLogGroups', { logGroupNamePrefix: '/aws/' }), {
    logGroups: [
      {
        logGroupName: '/aws/lambda/f',
        creationTime: NOW,
        metricFilterCount: 0,
        arn: `${ARN}/aws/lambda/f:*`,
        logGroupArn: `${ARN}/aws/lambda/f`,
        logGroupClass: 'STANDARD',
        storedBytes: 0,
        deletionProtectionEnabled: false,
      },
    ],
  })
  await call('DeleteLogGroup', { logGroupName: '/aws/lambda/f' })
  assert.deepEqual(await call('DescribeLogGroups', {}), { logGroups: [] })
  await assert.rejects(call('DeleteLogGroup', { logGroupName: '/aws/lambda/f' }), noGroup)
})

test('groups are listed by name, by prefix or pattern, in pages', async () => {
  const { call, group } = await create()
  for (const name of ['b', 'a', 'Z', 'ab', 'c_b']) await group(name)
  const list = async (input: object) => {
    const page = await call<DescribeLogGroupsResponse>('DescribeLogGroups', input)
    return { names: page.logGroups?.map(({ logGroupName }) => logGroupName), token: page.nextToken }
  }
  assert.deepEqual((await list({})).names, ['Z', 'a', 'ab', 'b', 'c_b'])
  assert.deepEqual((await list({ logGroupNamePrefix: 'a' })).names, ['a', 'ab'])
  assert.deepEqual((await list({ logGroupNamePattern: 'b' })).names, ['ab', 'b', 'c_b'])
  const first = await list({ limit: 3 })
  assert.deepEqual(first.names, ['Z', 'a', 'ab'])
  assert.deepEqual(await list({ limit: 3, nextToken: first.token }), {
    names: ['b', 'c_b'],
    token: undefined,
  })
  await assert.rejects(list({ nextToken: 'nonsense' }), invalid('The specified nextToken is invalid.'))
  await assert.rejects(
    list({ logGroupNamePrefix: 'a', logGroupNamePattern: 'b' }),
    invalid('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.'),
  )
  const summaries = await call<{ logGroups: { logGroupName: string }[] }>('ListLogGroups', {
    logGroupNamePattern: '^c_b|^ab',
  })
  assert.deepEqual(
    summaries.logGroups.map(({ logGroupName }) => logGroupName),
    ['ab', 'c_b'],
  )
})

test('streams are described as AWS does, before and after their first event', async () => {
  const { call, group, put } = await create()
  await group('g', 'one')
  const describe = (input: object = {}) =>
    call<DescribeLogStreamsResponse>('DescribeLogStreams', { logGroupName: 'g', ...input })
  const bare = { logStreamName: 'one', creationTime: NOW, arn: `${ARN}g:log-stream:one`, storedBytes: 0 }
  assert.deepEqual(await describe(), { logStreams: [bare] })
  await put('g', 'one', [
    [-5, 'a'],
    [-1, 'b'],
  ])
  const { uploadSequenceToken, ...stream } = (await describe()).logStreams?.[0] ?? {}
  assert.match(String(uploadSequenceToken), /^\d{56}$/)
  assert.deepEqual(stream, {
    ...bare,
    firstEventTimestamp: NOW - 5,
    lastEventTimestamp: NOW - 1,
    lastIngestionTime: NOW,
  })
  await assert.rejects(
    call('CreateLogStream', { logGroupName: 'g', logStreamName: 'one' }),
    fails('ResourceAlreadyExistsException', 'The specified log stream already exists'),
  )
  await call('DeleteLogStream', { logGroupName: 'g', logStreamName: 'one' })
  assert.deepEqual(await describe({ logGroupName: undefined, logGroupIdentifier: `${ARN}g` }), {
    logStreams: [],
  })
  await assert.rejects(call('DeleteLogStream', { logGroupName: 'g', logStreamName: 'one' }), noStream)
  await assert.rejects(describe({ logGroupName: 'x' }), noGroup)
  await assert.rejects(
    describe({ logGroupIdentifier: 'g' }),
    fails('ValidationException', 'LogGroup name and LogGroup ARN are mutually exclusive parameters.'),
  )
})

test('streams are ordered by name or by their last event, in pages', async () => {
  const { call, group, put } = await create()
  await group('g', 'a', 'b', 'c', 'd')
  await put('g', 'c', [[-30, 'x']])
  await put('g', 'a', [[-20, 'x']])
  await put('g', 'd', [[-10, 'x']])
  const all = async (input: object) => {
    const names: (string | undefined)[] = []
    let nextToken: string | undefined
    do {
      const page = await call<DescribeLogStreamsResponse>('DescribeLogStreams', {
        logGroupName: 'g',
        limit: 1,
        nextToken,
        ...input,
      })
      names.push(...(page.logStreams ?? []).map(({ logStreamName }) => logStreamName))
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    return names.join('')
  }
  assert.equal(await all({}), 'abcd')
  assert.equal(await all({ descending: true }), 'dcba')
  assert.equal(await all({ orderBy: 'LastEventTime' }), 'bcad')
  assert.equal(await all({ orderBy: 'LastEventTime', descending: true }), 'dacb')
  assert.equal(await all({ logStreamNamePrefix: 'c' }), 'c')
  await assert.rejects(
    all({ orderBy: 'LastEventTime', logStreamNamePrefix: 'c' }),
    invalid('Cannot order by LastEventTime with a logStreamNamePrefix.'),
  )
})

test('a stream is read forward and backward, and the token stays the same at its end', async () => {
  const { group, put, get } = await create()
  await group('g', 's', 'other')
  await put(
    'g',
    's',
    Array.from({ length: 10 }, (_, index) => [index * 10 - 100, `e${index}`] as const),
  )
  await put('g', 'other', [[-95, 'not mine']])
  const tail = await get({ limit: 3 })
  assert.deepEqual(texts(tail), ['e7', 'e8', 'e9'])
  const before = await get({ limit: 3, nextToken: tail.nextBackwardToken })
  assert.deepEqual(texts(before), ['e4', 'e5', 'e6'])
  assert.deepEqual(texts(await get({ limit: 3, nextToken: before.nextForwardToken })), ['e7', 'e8', 'e9'])
  const head = await get({ limit: 4, startFromHead: true })
  assert.deepEqual(texts(head), ['e0', 'e1', 'e2', 'e3'])
  assert.deepEqual(head.events?.[0], { timestamp: NOW - 100, message: 'e0', ingestionTime: NOW })
  const rest = await get({ nextToken: head.nextForwardToken, startFromHead: true })
  assert.deepEqual(texts(rest), ['e4', 'e5', 'e6', 'e7', 'e8', 'e9'])
  const end = await get({ nextToken: rest.nextForwardToken, startFromHead: true })
  assert.deepEqual([texts(end), end.nextForwardToken], [[], rest.nextForwardToken])
  assert.deepEqual(texts(await get({ nextToken: end.nextBackwardToken, limit: 1 })), ['e9'])
  const beginning = await get({ nextToken: head.nextBackwardToken })
  assert.deepEqual([texts(beginning), beginning.nextBackwardToken], [[], head.nextBackwardToken])
  await put('g', 's', [[0, 'new']])
  assert.deepEqual(texts(await get({ nextToken: end.nextForwardToken, startFromHead: true })), ['new'])
})

test('the end of the range is outside for GetLogEvents and inside for FilterLogEvents', async () => {
  const { group, put, get, filter } = await create()
  await group('g', 's')
  await put('g', 's', [
    [-3, 'a'],
    [-2, 'b'],
    [-1, 'c'],
  ])
  const range = { startTime: NOW - 3, endTime: NOW - 2 }
  assert.deepEqual(texts(await get(range)), ['a'])
  assert.deepEqual(texts(await filter(range)), ['a', 'b'])
})

test('an empty stream gives tokens that lead to its first events', async () => {
  const { group, put, get } = await create()
  await group('g', 's')
  const empty = await get({})
  await put('g', 's', [[0, 'first']])
  assert.deepEqual(texts(await get({ nextToken: empty.nextForwardToken, startFromHead: true })), ['first'])
})

test('reading what is not there gets the errors of AWS', async () => {
  const { group, get, filter } = await create()
  await assert.rejects(get({}), noGroup)
  await assert.rejects(filter({}), noGroup)
  await group('g')
  await assert.rejects(get({}), noStream)
  await assert.rejects(filter({ logStreamNames: ['s'] }), noStream)
  const badToken = invalid('The specified nextToken is invalid.')
  for (const nextToken of ['invalid-token', 'f/1/s', `x/3${'0'.repeat(55)}/s`, `f/3${'9'.repeat(55)}/s`]) {
    await assert.rejects(get({ nextToken }), badToken)
    await assert.rejects(filter({ nextToken }), badToken)
  }
  await assert.rejects(
    filter({ filterPattern: '{ $.a' }),
    invalid("If a filter pattern starts with '{' it must end with '}'"),
  )
})

test('a group is searched over all streams in the order of time', async () => {
  const { group, put, filter } = await create()
  await group('g', 'web-1', 'web-2', 'job')
  await put('g', 'web-1', [
    [-40, 'INFO 1'],
    [-20, 'ERROR 3'],
  ])
  await put('g', 'web-2', [
    [-30, 'ERROR 2'],
    [-20, 'ERROR 4'],
  ])
  await put('g', 'job', [[-10, 'ERROR 5']])
  assert.deepEqual(texts(await filter({})), ['INFO 1', 'ERROR 2', 'ERROR 3', 'ERROR 4', 'ERROR 5'])
  assert.deepEqual(texts(await filter({ filterPattern: 'ERROR' })), [
    'ERROR 2',
    'ERROR 3',
    'ERROR 4',
    'ERROR 5',
  ])
  assert.deepEqual(texts(await filter({ logStreamNamePrefix: 'web', filterPattern: '-INFO' })), [
    'ERROR 2',
    'ERROR 3',
    'ERROR 4',
  ])
  assert.deepEqual(texts(await filter({ logStreamNames: ['job', 'web-2'] })), [
    'ERROR 2',
    'ERROR 4',
    'ERROR 5',
  ])
  assert.deepEqual(texts(await filter({ startFromHead: false, startTime: NOW - 25 })), [
    'ERROR 5',
    'ERROR 4',
    'ERROR 3',
  ])
  const { events } = await filter({ limit: 1 })
  const { eventId, ...event } = events?.[0] ?? {}
  assert.match(String(eventId), /^3\d{55}$/)
  assert.deepEqual(event, {
    logStreamName: 'web-1',
    timestamp: NOW - 40,
    message: 'INFO 1',
    ingestionTime: NOW,
  })
})

test('a search is paged: by count, by size, and both ways', async () => {
  const { group, put, filter } = await create()
  await group('g', 's')
  await put(
    'g',
    's',
    Array.from({ length: 25 }, (_, index) => [index - 100, `e${index}`] as const),
  )
  const all = async (input: object) => {
    const found: (string | undefined)[] = []
    let pages = 0
    let nextToken: string | undefined
    do {
      const page = await filter({ ...input, nextToken })
      found.push(...texts(page))
      nextToken = page.nextToken
      pages++
    } while (nextToken !== undefined)
    return { found, pages }
  }
  const expected = Array.from({ length: 25 }, (_, index) => `e${index}`)
  assert.deepEqual(await all({ limit: 10 }), { found: expected, pages: 3 })
  assert.deepEqual(
    (await all({ limit: 10, startFromHead: false, startTime: NOW - 1000 })).found,
    expected.toReversed(),
  )
  for (let index = 0; index < 5; index++) await put('g', 's', [[index, `${index}${'x'.repeat(400_000)}`]])
  assert.deepEqual((await all({ filterPattern: 'xxx' })).pages, 3)
})

test('following a group as the CLI does shows each event once', async () => {
  const { group, put, filter, service, clock } = await create()
  await group('g', 's')
  await put('g', 's', [
    [-2, 'a'],
    [-1, 'b'],
  ])
  const seen = new Map<string, string>()
  let startTime = NOW - 600_000
  const poll = async () => {
    for (const event of (await filter({ interleaved: true, startTime })).events ?? []) {
      assert.ok(!seen.has(String(event.eventId)) || event.timestamp === startTime)
      seen.set(String(event.eventId), String(event.message))
      startTime = Number(event.timestamp)
    }
  }
  await poll()
  await put('g', 's', [[-1, 'c']])
  await poll()
  service.sink.append({ ...SCOPE, group: 'g', stream: 'new', events: [{ timestamp: NOW, message: 'd' }] })
  await clock.advance(200)
  await poll()
  assert.deepEqual([...seen.values()], ['a', 'b', 'c', 'd'])
})

test('a batch that breaks the rules is refused with the texts of AWS, or partly', async () => {
  const { group, put, get } = await create()
  await group('g', 's')
  await assert.rejects(put('x', 's', [[0, 'a']]), noGroup)
  await assert.rejects(put('g', 'x', [[0, 'a']]), noStream)
  await assert.rejects(
    put('g', 's', [
      [0, 'a'],
      [-1, 'b'],
    ]),
    invalid('Log events in a single PutLogEvents request must be in chronological order.'),
  )
  await assert.rejects(
    put('g', 's', [
      [-2 * DAY_MS, 'a'],
      [0, 'b'],
    ]),
    invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.'),
  )
  await assert.rejects(
    put('g', 's', [[0, 'x'.repeat(1_048_576)]]),
    invalid('Log event too large: 1048602 bytes exceeds limit of 1048576'),
  )
  const half = 'x'.repeat(600_000)
  await assert.rejects(
    put('g', 's', [
      [0, half],
      [0, half],
    ]),
    { code: 'InvalidParameterException' },
  )
  assert.deepEqual(texts(await get({})), [])
  const answer = await put('g', 's', [
    [-15 * DAY_MS, 'too old'],
    [-1000, 'fine'],
    [3 * 3_600_000, 'too new'],
  ])
  assert.deepEqual(answer.rejectedLogEventsInfo, { tooOldLogEventEndIndex: 1, tooNewLogEventStartIndex: 2 })
  assert.match(String(answer.nextSequenceToken), /^\d{56}$/)
  assert.deepEqual(texts(await get({})), ['fine'])
})

test('events past the retention are hidden at once and removed by the sweep', async () => {
  const { call, group, put, get, clock } = await create()
  await group('g', 's')
  await put('g', 's', [[-100, 'old']])
  await call('PutRetentionPolicy', { logGroupName: 'g', retentionInDays: 1 })
  await assert.rejects(call('PutRetentionPolicy', { logGroupName: 'g', retentionInDays: 2 }), {
    code: 'InvalidParameterException',
  })
  await assert.rejects(call('PutRetentionPolicy', { logGroupName: 'x', retentionInDays: 1 }), noGroup)
  const describe = async () => {
    const page = await call<DescribeLogGroupsResponse>('DescribeLogGroups', {})
    const { retentionInDays, storedBytes } = page.logGroups?.[0] ?? {}
    return { retentionInDays, storedBytes }
  }
  assert.deepEqual(await describe(), { retentionInDays: 1, storedBytes: 29 })
  await clock.advance(DAY_MS)
  assert.deepEqual(texts(await get({})), [])
  assert.deepEqual(await describe(), { retentionInDays: 1, storedBytes: 0 })
  const { rejectedLogEventsInfo } = await put('g', 's', [[-100, 'late']])
  assert.deepEqual(rejectedLogEventsInfo, { expiredLogEventEndIndex: 1 })
  await call('DeleteRetentionPolicy', { logGroupName: 'g' })
  assert.deepEqual(await describe(), { retentionInDays: undefined, storedBytes: 0 })
})

test('a group that is created again does not show the events of the deleted one', async () => {
  const { call, group, put, filter, clock } = await create()
  await group('g', 's')
  await put('g', 's', [[0, 'gone']])
  await call('DeleteLogGroup', { logGroupName: 'g' })
  await group('g', 's')
  await put('g', 's', [[0, 'new']])
  assert.deepEqual(texts(await filter({})), ['new'])
  await clock.advance(1000)
  assert.deepEqual(texts(await filter({})), ['new'])
  await call('DeleteLogStream', { logGroupName: 'g', logStreamName: 's' })
  assert.deepEqual(texts(await filter({})), [])
})

test('tags are set and read through both interfaces', async () => {
  const { call, group } = await create()
  await group('g')
  const tags = async () => {
    const byArn = await call<ListTagsForResourceResponse>('ListTagsForResource', { resourceArn: `${ARN}g` })
    assert.deepEqual(await call('ListTagsLogGroup', { logGroupName: 'g' }), byArn)
    return byArn.tags
  }
  assert.deepEqual(await tags(), {})
  await call('TagResource', { resourceArn: `${ARN}g:*`, tags: { a: '1', b: '2' } })
  await call('TagLogGroup', { logGroupName: 'g', tags: { b: '3', c: '4' } })
  assert.deepEqual(await tags(), { a: '1', b: '3', c: '4' })
  await call('UntagResource', { resourceArn: `${ARN}g`, tagKeys: ['a', 'x'] })
  await call('UntagLogGroup', { logGroupName: 'g', tags: ['c'] })
  assert.deepEqual(await tags(), { b: '3' })
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, 'v']))
  await assert.rejects(call('TagResource', { resourceArn: `${ARN}g`, tags: many }), {
    code: 'TooManyTagsException',
  })
  await assert.rejects(call('ListTagsForResource', { resourceArn: `${ARN}x` }), {
    code: 'ResourceNotFoundException',
  })
  await assert.rejects(call('TagLogGroup', { logGroupName: 'x', tags: { a: '1' } }), noGroup)
})

test('on disk everything is there again after a restart, and a damaged file is named and kept', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lambent-logs-'))
  try {
    const open = async () => {
      const service = createLogsService({ storage: { directory }, clock: systemClock })
      await service.start()
      return service
    }
    const first = await open()
    const at = Date.now()
    first.sink.append({
      ...SCOPE,
      group: '/aws/lambda/f',
      stream: 's',
      events: Array.from({ length: 1000 }, (_, index) => ({ timestamp: at, message: `line ${index}` })),
    })
    await first.drain(5000)
    await first.stop()
    const second = await open()
    const page = (await second.handlers['FilterLogEvents']?.(
      { logGroupName: '/aws/lambda/f', filterPattern: '"line 99"' } as never,
      context,
    )) as FilterLogEventsResponse
    assert.equal(page.events?.length, 11)
    await second.stop()
    await second.stop()
    await rm(join(directory, 'logs.db-wal'), { force: true })
    await writeFile(
      join(directory, 'logs.db'),
      'this is no database, and long enough to be looked at'.repeat(100),
    )
    await assert.rejects(open(), /logs\.db" cannot be opened: .*Move it away/)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
