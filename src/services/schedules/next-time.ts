/**
 * When a schedule is due next. Pure. Clock changes are those of the scheduler's guide: a time that does not exist is left
 * out, one that comes twice is due once, and a rate in days is one of 24 hours.
 */
import { Temporal } from 'temporal-polyfill'

import { type Cron, isDayOf, LAST_YEAR } from './cron.ts'
import type { ScheduleExpression } from './expression.ts'

export interface Schedule {
  readonly expression: ScheduleExpression
  /** IANA name. */
  readonly timezone: string
  /** Wall-clock milliseconds. Rates count from here. */
  readonly startAt: number
  /** Not due at or after this. */
  readonly endAt?: number
}

/** The first time later than `after` at which it is due, wall-clock milliseconds; undefined when there is none any more. */
export function nextTime(schedule: Schedule, after: number): number | undefined {
  const at = nextOf(schedule, Math.max(after, schedule.startAt - 1))
  return at === undefined || (schedule.endAt !== undefined && at >= schedule.endAt) ? undefined : at
}

function nextOf({ expression, timezone, startAt }: Schedule, after: number): number | undefined {
  switch (expression.kind) {
    case 'rate': {
      const { everyMs } = expression
      return startAt + Math.max(0, Math.floor((after - startAt) / everyMs) + 1) * everyMs
    }
    case 'at': {
      const at = instantOfAt(expression.at, timezone)
      return at > after ? at : undefined
    }
    case 'cron':
      return nextOfCron(expression.cron, timezone, after)
  }
}

/** A time that does not exist is read with the offset before the change (unverified). */
export const instantOfAt = (at: string, timezone: string): number =>
  Temporal.PlainDateTime.from(at).toZonedDateTime(timezone, { disambiguation: 'compatible' })
    .epochMilliseconds

function nextOfCron(cron: Cron, timezone: string, after: number): number | undefined {
  const start = Temporal.Instant.fromEpochMilliseconds(after).toZonedDateTimeISO(timezone)
  let date = start.toPlainDate()
  let isFirst = true
  while (date.year <= LAST_YEAR) {
    if (!cron.years.has(date.year)) {
      date = Temporal.PlainDate.from({ year: date.year + 1, month: 1, day: 1 })
    } else if (!cron.months.has(date.month)) {
      date = date.with({ day: 1 }).add({ months: 1 })
    } else {
      const { day, daysInMonth, dayOfWeek } = date
      if (isDayOf(cron, { day, daysInMonth, weekday: (dayOfWeek % 7) + 1 })) {
        const at = timeOnDay(cron, date, timezone, after, isFirst ? start.hour : 0)
        if (at !== undefined) return at
      }
      date = date.add({ days: 1 })
    }
    isFirst = false
  }
  return undefined
}

function timeOnDay(
  { hours, minutes }: Cron,
  date: Temporal.PlainDate,
  timezone: string,
  after: number,
  fromHour: number,
): number | undefined {
  for (const hour of hours) {
    if (hour < fromHour) continue
    for (const minute of minutes) {
      const wall = date.toPlainDateTime({ hour, minute })
      const zoned = wall.toZonedDateTime(timezone, { disambiguation: 'earlier' })
      // There is no such time on this day.
      if (zoned.day !== date.day || zoned.hour !== hour || zoned.minute !== minute) continue
      if (zoned.epochMilliseconds > after) return zoned.epochMilliseconds
    }
  }
  return undefined
}
