import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { parseScheduleExpression } from './expression.ts'
import type { Schedule } from './next-time.ts'
import { createTicker, latestTime } from './ticker.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const START = Date.UTC(2026, 0, 1)
const minutes = (count: number) => START + count * 60_000

function schedule(text: string, startAt = START): Schedule {
  const expression = parseScheduleExpression(text)
  assert.ok(expression)
  return { expression, timezone: 'UTC', startAt }
}

function setUp(failures = 0) {
  const clock = createVirtualClock(START)
  const told: [string, number][] = []
  let left = failures
  const ticker = createTicker({
    clock,
    logger,
    fire: async (key, due) => {
      if (left-- > 0) throw new Error('not now')
      told.push([key, (due - START) / 60_000])
    },
  })
  ticker.start()
  return { clock, ticker, told }
}

test('ticker: tells each time once, in order, until it is deleted', async () => {
  const { clock, ticker, told } = setUp()
  ticker.set('every', { schedule: schedule('rate(2 minutes)'), through: START })
  ticker.set('cron', { schedule: schedule('cron(3 * * * ? *)'), through: START })
  ticker.set('once', { schedule: schedule('at(2026-01-01T00:05:00)'), through: START })
  await clock.advance(6 * 60_000)
  assert.deepEqual(told, [
    ['every', 2],
    ['cron', 3],
    ['every', 4],
    ['once', 5],
    ['every', 6],
  ])
  ticker.delete('every')
  await clock.advance(56 * 60_000)
  assert.deepEqual(told.slice(5), [])
  await clock.advance(60_000)
  assert.deepEqual(told.slice(5), [['cron', 63]])
})

test('ticker: what could not be stored is told again', async () => {
  const { clock, ticker, told } = setUp(3)
  ticker.set('a', { schedule: schedule('rate(1 minute)'), through: START })
  await clock.advance(60_000)
  assert.deepEqual(told, [])
  await clock.advance(3_000)
  assert.deepEqual(told, [['a', 1]])
})

test('ticker: of what was missed only the latest is told', async () => {
  const { clock, ticker, told } = setUp()
  await clock.advance(100.5 * 60_000)
  ticker.set('a', { schedule: schedule('rate(1 minute)'), through: START })
  ticker.set('once', { schedule: schedule('at(2026-01-01T00:10:00)'), through: START })
  await clock.advance(60_000)
  assert.deepEqual(told.toSorted(), [
    ['a', 100],
    ['a', 101],
    ['once', 10],
  ])
})

test('ticker: a window delays it, and setting it anew replaces it', async () => {
  const { clock, ticker, told } = setUp()
  ticker.set('a', { schedule: schedule('at(2026-01-01T00:01:00)'), through: START, delayMs: () => 90_000 })
  await clock.advance(140_000)
  assert.deepEqual(told, [])
  await clock.advance(10_000)
  assert.deepEqual(told, [['a', 1]])
  ticker.set('a', { schedule: schedule('rate(1 minute)'), through: clock.now() })
  ticker.set('a', { schedule: schedule('rate(1 hour)'), through: clock.now() })
  await clock.advance(30 * 60_000)
  assert.equal(told.length, 1)
})

test('ticker: replacing a schedule often leaves nothing behind, and it still fires', async () => {
  const { clock, ticker, told } = setUp()
  ticker.set('b', { schedule: schedule('rate(1 minute)'), through: START })
  for (let n = 0; n < 5_000; n++) ticker.set('a', { schedule: schedule('rate(1 hour)'), through: START })
  await clock.advance(60_000)
  assert.deepEqual(told, [['b', 1]])
  await clock.advance(59 * 60_000)
  assert.deepEqual(
    told.filter(([key]) => key === 'a'),
    [['a', 60]],
  )
})

test('ticker: the latest of a year of minutes is found at once', () => {
  const began = performance.now()
  const now = START + 366 * 86_400_000
  assert.equal(latestTime(schedule('cron(* * * * ? *)'), minutes(1), now + 1), now)
  assert.equal(latestTime(schedule('cron(0 0 1 1 ? *)'), START, now), Date.UTC(2027, 0, 1))
  assert.equal(latestTime(schedule('at(2026-01-01T00:10:00)'), minutes(10), now), minutes(10))
  assert.ok(performance.now() - began < 500)
})
