/** When schedules are due, case by case. Days of the week were taken from a calendar: 1 January 2026 is a Thursday. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Temporal } from 'temporal-polyfill'

import { isTimezone, parseRuleExpression, parseScheduleExpression } from './expression.ts'
import { nextTime } from './next-time.ts'

const ms = (text: string) => Temporal.Instant.from(text).epochMilliseconds
const iso = (at: number | undefined) =>
  at === undefined ? 'never' : Temporal.Instant.fromEpochMilliseconds(at).toString()

function next(
  text: string,
  after: string,
  timezone = 'UTC',
  more: { startAt?: number; endAt?: number } = {},
) {
  const expression = parseScheduleExpression(text)
  assert.ok(expression, text)
  return iso(nextTime({ expression, timezone, startAt: 0, ...more }, ms(after)))
}

const UTC: readonly (readonly [cron: string, after: string, due: string])[] = [
  ['* * * * ? *', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'],
  ['* * * * ? *', '2026-01-01T00:00:59.999Z', '2026-01-01T00:01:00Z'],
  ['0 10 * * ? *', '2026-01-01T09:00:00Z', '2026-01-01T10:00:00Z'],
  ['0 10 * * ? *', '2026-01-01T10:00:00Z', '2026-01-02T10:00:00Z'],
  ['15 12 * * ? *', '2026-12-31T12:15:00Z', '2027-01-01T12:15:00Z'],
  ['0/15 * * * ? *', '2026-01-01T00:16:00Z', '2026-01-01T00:30:00Z'],
  ['*/15 * * * ? *', '2026-01-01T00:46:00Z', '2026-01-01T01:00:00Z'],
  ['5/20 * * * ? *', '2026-01-01T00:26:00Z', '2026-01-01T00:45:00Z'],
  ['10-30/10 * * * ? *', '2026-01-01T00:21:00Z', '2026-01-01T00:30:00Z'],
  ['10-30/10 * * * ? *', '2026-01-01T00:30:00Z', '2026-01-01T01:10:00Z'],
  ['0,30 8-9 * * ? *', '2026-01-01T08:30:00Z', '2026-01-01T09:00:00Z'],
  ['0,30 8-9 * * ? *', '2026-01-01T09:30:00Z', '2026-01-02T08:00:00Z'],
  ['0 */6 * * ? *', '2026-01-01T13:00:00Z', '2026-01-01T18:00:00Z'],
  ['0 18 ? * MON-FRI *', '2026-01-02T18:00:00Z', '2026-01-05T18:00:00Z'],
  ['0 18 ? * 2-6 *', '2026-01-01T00:00:00Z', '2026-01-01T18:00:00Z'],
  ['0 0 ? * SUN *', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'],
  ['0 0 ? * 1 *', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'],
  ['0 0 ? * 7 *', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z'],
  ['0 0 ? * sat *', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z'],
  ['0 0 ? * FRI-MON *', '2026-01-06T00:00:00Z', '2026-01-09T00:00:00Z'],
  ['0 0 ? * L *', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z'],
  ['0 8 1 * ? *', '2026-01-01T08:00:00Z', '2026-02-01T08:00:00Z'],
  ['0 8 31 * ? *', '2026-01-31T08:00:00Z', '2026-03-31T08:00:00Z'],
  ['0 8 1,15 * ? *', '2026-01-02T00:00:00Z', '2026-01-15T08:00:00Z'],
  ['0 8 L * ? *', '2026-02-01T00:00:00Z', '2026-02-28T08:00:00Z'],
  ['0 8 L * ? *', '2028-02-01T00:00:00Z', '2028-02-29T08:00:00Z'],
  ['0 8 L-3 * ? *', '2026-01-01T00:00:00Z', '2026-01-28T08:00:00Z'],
  ['0 8 15W * ? *', '2026-01-01T00:00:00Z', '2026-01-15T08:00:00Z'],
  // 15 February 2026 is a Sunday, 15 August 2026 a Saturday.
  ['0 8 15W 2 ? *', '2026-01-01T00:00:00Z', '2026-02-16T08:00:00Z'],
  ['0 8 15W 8 ? *', '2026-01-01T00:00:00Z', '2026-08-14T08:00:00Z'],
  // 1 August 2026 is a Saturday: the nearest weekday of the same month is Monday the 3rd.
  ['0 8 1W 8 ? *', '2026-01-01T00:00:00Z', '2026-08-03T08:00:00Z'],
  // 31 May 2026 is a Sunday.
  ['0 8 31W 5 ? *', '2026-01-01T00:00:00Z', '2026-05-29T08:00:00Z'],
  ['0 8 LW 5 ? *', '2026-01-01T00:00:00Z', '2026-05-29T08:00:00Z'],
  ['0 8 ? * 2#1 *', '2026-01-01T00:00:00Z', '2026-01-05T08:00:00Z'],
  ['0 8 ? * FRI#3 *', '2026-01-01T00:00:00Z', '2026-01-16T08:00:00Z'],
  ['0 8 ? * 5#5 *', '2026-02-01T00:00:00Z', '2026-04-30T08:00:00Z'],
  ['0 8 ? * 6L *', '2026-01-01T00:00:00Z', '2026-01-30T08:00:00Z'],
  ['0 8 ? * THUL *', '2026-01-01T00:00:00Z', '2026-01-29T08:00:00Z'],
  ['0 0 1 JAN ? *', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['0 0 1 JAN,JUL ? *', '2026-01-01T00:00:00Z', '2026-07-01T00:00:00Z'],
  ['0 0 1 */3 ? *', '2026-01-01T00:00:00Z', '2026-04-01T00:00:00Z'],
  ['0 0 1 NOV-FEB ? *', '2026-02-01T00:00:00Z', '2026-11-01T00:00:00Z'],
  ['0 0 29 2 ? *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
  ['0 0 30 2 ? *', '2026-01-01T00:00:00Z', 'never'],
  ['0 0 1 1 ? 2030', '2026-01-01T00:00:00Z', '2030-01-01T00:00:00Z'],
  ['0 0 1 1 ? 2026', '2026-01-01T00:00:00Z', 'never'],
  ['0 0 1 1 ? 2026-2028', '2026-06-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['0 0 1 1 ? 2026/2', '2026-06-01T00:00:00Z', '2028-01-01T00:00:00Z'],
  ['59 23 31 12 ? *', '2026-12-31T23:58:30Z', '2026-12-31T23:59:00Z'],
]

test('schedules: cron in UTC', () => {
  for (const [cron, after, due] of UTC)
    assert.equal(next(`cron(${cron})`, after), due, `${cron} after ${after}`)
})

const ZONES: readonly (readonly [cron: string, zone: string, after: string, due: string])[] = [
  ['0 8 * * ? *', 'Europe/Berlin', '2026-01-01T00:00:00Z', '2026-01-01T07:00:00Z'],
  ['0 8 * * ? *', 'Europe/Berlin', '2026-07-01T00:00:00Z', '2026-07-01T06:00:00Z'],
  ['0 0 ? * MON *', 'Asia/Tokyo', '2026-01-01T00:00:00Z', '2026-01-04T15:00:00Z'],
  ['0 8 * * ? *', 'America/New_York', '2026-01-01T00:00:00Z', '2026-01-01T13:00:00Z'],
  ['30 5 * * ? *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  ['0 0 1 * ? *', 'Pacific/Auckland', '2026-01-01T00:00:00Z', '2026-01-31T11:00:00Z'],
  // Clocks go from 02:00 to 03:00 on 29 March 2026: 02:30 is left out on that day.
  ['30 2 * * ? *', 'Europe/Berlin', '2026-03-28T02:00:00Z', '2026-03-30T00:30:00Z'],
  ['30 3 * * ? *', 'Europe/Berlin', '2026-03-29T00:00:00Z', '2026-03-29T01:30:00Z'],
  ['30 1 * * ? *', 'Europe/Berlin', '2026-03-29T00:00:00Z', '2026-03-29T00:30:00Z'],
  ['0/30 * * * ? *', 'Europe/Berlin', '2026-03-29T00:30:00Z', '2026-03-29T01:00:00Z'],
  // They go from 03:00 back to 02:00 on 25 October 2026: 02:30 comes twice, and is due the first time.
  ['30 2 * * ? *', 'Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T00:30:00Z'],
  ['30 2 * * ? *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'],
  ['30 2 * * ? *', 'Europe/Berlin', '2026-10-25T01:00:00Z', '2026-10-26T01:30:00Z'],
  ['0/30 * * * ? *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T02:00:00Z'],
  ['30 2 * * ? *', 'America/New_York', '2026-03-08T00:00:00Z', '2026-03-09T06:30:00Z'],
  ['30 1 * * ? *', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-02T06:30:00Z'],
  // Half an hour on Lord Howe Island.
  ['15 2 * * ? *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', '2026-10-04T15:15:00Z'],
  // Samoa had no 30 December 2011.
  ['0 12 30 12 ? 2011-2012', 'Pacific/Apia', '2011-12-01T00:00:00Z', '2012-12-29T22:00:00Z'],
]

test('schedules: cron where clocks change', () => {
  for (const [cron, zone, after, due] of ZONES) {
    assert.equal(next(`cron(${cron})`, after, zone), due, `${cron} ${zone} after ${after}`)
  }
})

test('schedules: rates count from the start, whatever clocks do', () => {
  const startAt = ms('2026-03-28T12:00:00Z')
  const rate = (text: string, after: string) => next(text, after, 'Europe/Berlin', { startAt })
  assert.equal(rate('rate(1 days)', '2026-03-28T00:00:00Z'), '2026-03-28T12:00:00Z')
  assert.equal(rate('rate(1 days)', '2026-03-28T12:00:00Z'), '2026-03-29T12:00:00Z')
  assert.equal(rate('rate(1 day)', '2026-03-29T12:00:00Z'), '2026-03-30T12:00:00Z')
  assert.equal(rate('rate(5 minutes)', '2026-03-28T12:07:00Z'), '2026-03-28T12:10:00Z')
  assert.equal(rate('rate(7 hours)', '2026-03-29T00:00:00Z'), '2026-03-29T02:00:00Z')
})

test('schedules: once, from a start and until an end', () => {
  assert.equal(next('at(2026-05-01T08:00:00)', '2026-01-01T00:00:00Z'), '2026-05-01T08:00:00Z')
  assert.equal(
    next('at(2026-05-01T08:00:00)', '2026-01-01T00:00:00Z', 'Europe/Berlin'),
    '2026-05-01T06:00:00Z',
  )
  assert.equal(next('at(2026-05-01T08:00:00)', '2026-05-01T08:00:00Z'), 'never')
  const cron = (after: string) =>
    next('cron(0 8 * * ? *)', after, 'UTC', {
      startAt: ms('2026-02-01T08:00:00Z'),
      endAt: ms('2026-02-03T08:00:00Z'),
    })
  assert.equal(cron('2026-01-01T00:00:00Z'), '2026-02-01T08:00:00Z')
  assert.equal(cron('2026-02-01T08:00:00Z'), '2026-02-02T08:00:00Z')
  assert.equal(cron('2026-02-02T08:00:00Z'), 'never')
})

test('schedules: what is no expression', () => {
  const refused = [
    // Recorded from AWS for the scheduler.
    'cron(0 1 * * * *)',
    'cron(7 20 * * NOT *)',
    'cron(INVALID)',
    'cron(0 dummy ? * MON-FRI *)',
    'cron(71 8 1 * ? *)',
    'cron()',
    'rate(10 seconds)',
    'rate(10 years)',
    'rate()',
    'rate(10)',

    'rate(10 minutess)',
    'rate(foo minutes)',
    'rate(-10 minutes)',
    'rate( 10 minutes )',
    ' rate(10 minutes)',
    'at(2021-12-31T23:59:59Z)',
    'at(2021-12-31)',

    'rate(0 minutes)',
    'cron(0 8 ? * ? *)',
    'cron(0 24 * * ? *)',
    'cron(0 8 32 * ? *)',
    'cron(0 8 0 * ? *)',

    'cron(0 8 * 13 ? *)',
    'cron(0 8 ? * 8 *)',
    'cron(0 8 ? * 2#6 *)',
    'cron(0 8 * * ? 1969)',
    'cron(30-10 8 * * ? *)',

    'cron(0/0 8 * * ? *)',
    'cron(0 8 * * ?)',
    'cron(0 8 * * ? * *)',
    'at(2026-02-30T00:00:00)',
    'every(1 minute)',
    '',
  ]
  for (const text of refused) assert.equal(parseScheduleExpression(text), undefined, text)
  for (const text of [
    'rate(1 minutes)',
    'rate(2 minute)',
    'rate(1 hours)',
    'rate(2 day)',
    'at(2026-05-01T08:00:00)',
  ]) {
    assert.equal(parseRuleExpression(text), undefined, text)
  }
  assert.ok(parseRuleExpression('rate(1 minute)'))
  assert.ok(parseRuleExpression('rate(5 minutes)'))
  assert.ok(parseRuleExpression('cron(0 20 * * ? *)'))
  assert.deepEqual(['UTC', 'Europe/Berlin', 'Nowhere/Here', '+01:00', ''].map(isTimezone), [
    true,
    true,
    false,
    false,
    false,
  ])
})
