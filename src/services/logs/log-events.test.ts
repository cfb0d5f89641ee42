import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  createTestLogs,
  DAY_MS,
  invalid,
  noGroup,
  noStream,
  NOW,
  SCOPE,
  texts,
} from '../../../test/support/logs-service.ts'

test('a stream is read forward and backward, and the token stays the same at its end', async () => {
  const { group, put, get } = await createTestLogs()
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
  const { group, put, get, filter } = await createTestLogs()
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
  const { group, put, get } = await createTestLogs()
  await group('g', 's')
  const empty = await get({})
  await put('g', 's', [[0, 'first']])
  assert.deepEqual(texts(await get({ nextToken: empty.nextForwardToken, startFromHead: true })), ['first'])
})

test('reading what is not there gets the errors of AWS', async () => {
  const { group, get, filter } = await createTestLogs()
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
  const { group, put, filter } = await createTestLogs()
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
  const { group, put, filter } = await createTestLogs()
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
  const { group, put, filter, service, clock } = await createTestLogs()
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
  const { group, put, get } = await createTestLogs()
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
