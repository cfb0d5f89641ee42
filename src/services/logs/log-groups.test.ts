import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import type {
  DescribeLogGroupsResponse,
  DescribeLogStreamsResponse,
  FilterLogEventsResponse,
  ListTagsForResourceResponse,
} from '@aws-sdk/client-cloudwatch-logs'

import { systemClock } from '#kernel/clock.ts'
import { createLogsService } from '#services/logs/create-logs-service.ts'

import {
  ARN,
  context,
  createTestLogs,
  DAY_MS,
  fails,
  invalid,
  noGroup,
  noStream,
  NOW,
  SCOPE,
  texts,
} from '../../../test/support/logs-service.ts'

test('a group is created, described as AWS does, and deleted', async () => {
  const { call, group } = await createTestLogs()
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
  const { call, group } = await createTestLogs()
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
  const { call, group, put } = await createTestLogs()
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
  const { call, group, put } = await createTestLogs()
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

test('events past the retention are hidden at once and removed by the sweep', async () => {
  const { call, group, put, get, clock } = await createTestLogs()
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
  const { call, group, put, filter, clock } = await createTestLogs()
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
  const { call, group } = await createTestLogs()
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
