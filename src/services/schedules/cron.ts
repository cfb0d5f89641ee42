/**
 * Cron expressions of EventBridge: minutes, hours, day of month, month, day of week (1 is Sunday), year. Pure.
 * Source: "Cron expressions" of the user guides of EventBridge and of its scheduler.
 */

type Day =
  | { readonly kind: 'any' }
  | { readonly kind: 'days'; readonly days: ReadonlySet<number> }
  /** So many days before the month's last. */
  | { readonly kind: 'from-last'; readonly days: number }
  /** The weekday nearest to this day of the month; undefined: to its last. */
  | { readonly kind: 'nearest-weekday'; readonly day: number | undefined }
  /** Numbered from Sunday, 1. */
  | { readonly kind: 'weekdays'; readonly weekdays: ReadonlySet<number> }
  | { readonly kind: 'last-weekday'; readonly weekday: number }
  | { readonly kind: 'nth-weekday'; readonly weekday: number; readonly nth: number }

export interface Cron {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly day: Day
  readonly months: ReadonlySet<number>
  readonly years: ReadonlySet<number>
}

export const LAST_YEAR = 2199
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

interface Range {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
  /** A range may run over the end, as `FRI-MON`. */
  readonly wraps?: boolean
}
const MINUTES: Range = { min: 0, max: 59 }
const HOURS: Range = { min: 0, max: 23 }
const DAYS: Range = { min: 1, max: 31 }
const MONTH: Range = { min: 1, max: 12, names: MONTHS, wraps: true }
const WEEKDAY: Range = { min: 1, max: 7, names: WEEKDAYS, wraps: true }
const YEARS: Range = { min: 1970, max: LAST_YEAR }

/** The six fields without `cron(...)`; undefined when they are none. */
export function parseCron(text: string): Cron | undefined {
  const fields = text.split(/\s+/)
  const [minutes, hours, dayOfMonth, month, dayOfWeek, year] = fields
  if (fields.length !== 6 || !minutes || !hours || !dayOfMonth || !month || !dayOfWeek || !year)
    return undefined
  const day = dayOf(dayOfMonth, dayOfWeek)
  const sets = [
    valuesOf(minutes, MINUTES),
    valuesOf(hours, HOURS),
    valuesOf(month, MONTH),
    valuesOf(year, YEARS),
  ] as const
  const [minuteSet, hourSet, monthSet, yearSet] = sets
  if (!day || !minuteSet || !hourSet || !monthSet || !yearSet) return undefined
  const sorted = (set: ReadonlySet<number>) => [...set].toSorted((a, b) => a - b)
  return { minutes: sorted(minuteSet), hours: sorted(hourSet), day, months: monthSet, years: yearSet }
}

/** One of the two must be `?`. */
function dayOf(dayOfMonth: string, dayOfWeek: string): Day | undefined {
  if (dayOfWeek === '?') return dayOfMonth === '?' ? undefined : monthDay(dayOfMonth)
  return dayOfMonth === '?' ? weekDay(dayOfWeek) : undefined
}

function monthDay(text: string): Day | undefined {
  if (text === '*') return { kind: 'any' }
  if (text === 'L') return { kind: 'from-last', days: 0 }
  if (text === 'LW') return { kind: 'nearest-weekday', day: undefined }
  const before = /^L-(\d{1,2})$/.exec(text)?.[1]
  if (before !== undefined)
    return Number(before) <= 30 ? { kind: 'from-last', days: Number(before) } : undefined
  const nearest = /^(\d{1,2})W$/.exec(text)?.[1]
  if (nearest !== undefined) {
    const day = numberOf(nearest, DAYS)
    return day === undefined ? undefined : { kind: 'nearest-weekday', day }
  }
  const days = valuesOf(text, DAYS)
  return days && { kind: 'days', days }
}

function weekDay(text: string): Day | undefined {
  if (text === '*') return { kind: 'any' }
  if (text === 'L') return { kind: 'weekdays', weekdays: new Set([7]) }
  const last = /^(\w+)L$/.exec(text)?.[1]
  if (last !== undefined) {
    const weekday = numberOf(last, WEEKDAY)
    return weekday === undefined ? undefined : { kind: 'last-weekday', weekday }
  }
  const [, name, nth] = /^(\w+)#([1-5])$/.exec(text) ?? []
  if (name !== undefined) {
    const weekday = numberOf(name, WEEKDAY)
    return weekday === undefined ? undefined : { kind: 'nth-weekday', weekday, nth: Number(nth) }
  }
  const weekdays = valuesOf(text, WEEKDAY)
  return weekdays && { kind: 'weekdays', weekdays }
}

function valuesOf(text: string, range: Range): ReadonlySet<number> | undefined {
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const some = partOf(part, range)
    if (!some) return undefined
    for (const value of some) values.add(value)
  }
  return values
}

/** `*`, a value, a range, or one of them with a step. */
function partOf(part: string, range: Range): readonly number[] | undefined {
  const [base = '', stepText, ...more] = part.split('/')
  if (more.length > 0 || (stepText !== undefined && !/^\d{1,4}$/.test(stepText))) return undefined
  const step = stepText === undefined ? 1 : Number(stepText)
  if (step === 0) return undefined
  const bounds = boundsOf(base, range, stepText !== undefined)
  if (!bounds) return undefined
  const [from, to] = bounds
  const last = from > to ? to + (range.max - range.min + 1) : to
  const values: number[] = []
  for (let value = from; value <= last; value += step) {
    values.push(value > range.max ? value - (range.max - range.min + 1) : value)
  }
  return values
}

function boundsOf(base: string, range: Range, hasStep: boolean): readonly [number, number] | undefined {
  if (base === '*') return [range.min, range.max]
  const [fromText = '', toText, ...more] = base.split('-')
  const from = numberOf(fromText, range)
  if (from === undefined || more.length > 0) return undefined
  if (toText === undefined) return [from, hasStep ? range.max : from]
  const to = numberOf(toText, range)
  if (to === undefined || (from > to && !range.wraps)) return undefined
  return [from, to]
}

function numberOf(text: string, { min, max, names }: Range): number | undefined {
  const named = names ? names.indexOf(text.toUpperCase()) : -1
  if (named !== -1) return named + min
  if (!/^\d{1,4}$/.test(text)) return undefined
  const value = Number(text)
  return value >= min && value <= max ? value : undefined
}

/** Whether the day is one of the expression's; `weekday` counts from Sunday, 1. */
export function isDayOf(
  { day }: Cron,
  date: { readonly day: number; readonly daysInMonth: number; readonly weekday: number },
): boolean {
  switch (day.kind) {
    case 'any':
      return true
    case 'days':
      return day.days.has(date.day)
    case 'from-last':
      return date.day === date.daysInMonth - day.days
    case 'nearest-weekday':
      return date.day === nearestWeekday(day.day ?? date.daysInMonth, date)
    case 'weekdays':
      return day.weekdays.has(date.weekday)
    case 'last-weekday':
      return date.weekday === day.weekday && date.day + 7 > date.daysInMonth
    case 'nth-weekday':
      return date.weekday === day.weekday && Math.ceil(date.day / 7) === day.nth
  }
}

/** Day of the month; never in another month. Undefined when the month has no such day. */
function nearestWeekday(
  wanted: number,
  date: { readonly day: number; readonly daysInMonth: number; readonly weekday: number },
): number | undefined {
  if (wanted > date.daysInMonth) return undefined
  const weekday = ((((date.weekday - 1 + wanted - date.day) % 7) + 7) % 7) + 1
  if (weekday === 7) return wanted === 1 ? 3 : wanted - 1
  if (weekday === 1) return wanted === date.daysInMonth ? wanted - 2 : wanted + 1
  return wanted
}
