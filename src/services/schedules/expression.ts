/** Reads schedule expressions: those of EventBridge's rules, and those of its scheduler. Pure. */
import { Temporal } from 'temporal-polyfill'

import { type Cron, parseCron } from './cron.ts'

export type ScheduleExpression =
  | { readonly kind: 'rate'; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly cron: Cron }
  /** `yyyy-mm-ddThh:mm:ss` in the schedule's zone. */
  | { readonly kind: 'at'; readonly at: string }

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const
const RATE = /^rate\((\d{1,9}) (minute|hour|day)(s?)\)$/
const CRON = /^cron\((\S.*\S)\)$/
const AT = /^at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)$/

/** Of a rule. The unit is singular for one and plural otherwise (user guide). */
export function parseRuleExpression(text: string): ScheduleExpression | undefined {
  const rate = RATE.exec(text)
  if (rate && (rate[1] === '1') !== (rate[3] === '')) return undefined
  return rate ? rateOf(rate) : cronOf(text)
}

/** Of a schedule. */
export function parseScheduleExpression(text: string): ScheduleExpression | undefined {
  const rate = RATE.exec(text)
  if (rate) return rateOf(rate)
  const at = AT.exec(text)?.[1]
  if (at === undefined) return cronOf(text)
  return isTime(at) ? { kind: 'at', at } : undefined
}

function rateOf([, value, unit]: RegExpExecArray): ScheduleExpression | undefined {
  const everyMs = Number(value) * UNIT_MS[unit as keyof typeof UNIT_MS]
  return everyMs > 0 ? { kind: 'rate', everyMs } : undefined
}

function cronOf(text: string): ScheduleExpression | undefined {
  const fields = CRON.exec(text)?.[1]
  const cron = fields === undefined ? undefined : parseCron(fields)
  return cron && { kind: 'cron', cron }
}

function isTime(text: string): boolean {
  try {
    Temporal.PlainDateTime.from(text, { overflow: 'reject' })
    return true
  } catch {
    return false
  }
}

export function isTimezone(name: string): boolean {
  try {
    // Offsets such as +01:00 are no names of zones.
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions()
    return timeZone !== '' && /^[A-Za-z]/.test(name)
  } catch {
    return false
  }
}
