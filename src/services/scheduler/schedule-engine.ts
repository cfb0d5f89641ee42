/** Schedules that fall due: each time is promised once, then delivered. Follows the store. */
import { hash } from 'node:crypto'

import { ALL_SCHEDULES, scheduleArn, scheduleFiredKey, type Schedule } from '#contracts/scheduler.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import { headOf } from '../outbox/create-dispatcher.ts'
import type { Outbox } from '../outbox/port.ts'
import { parseScheduleExpression } from '../schedules/expression.ts'
import { nextTime, type Schedule as Timing } from '../schedules/next-time.ts'
import { createTicker } from '../schedules/ticker.ts'
import { docOf, put, read, remove } from './documents.ts'

/** What is remembered of a delivery; the payload holds the target. */
export interface DeliveryBody {
  readonly scheduleKey: string
  readonly scheduleArn: string
  readonly account: string
  readonly region: string
  readonly due: number
  readonly executionId: string
}

interface Fired {
  readonly through: number
}

const READ = 500
const ALL_FIRED = 'scheduler-fired/'

export interface ScheduleEngine {
  /** Reads all schedules and follows them. */
  load(): Promise<void>
  /** Schedules fall due from now on. */
  run(): void
  stop(): void
  /** Before a delivery goes out: its time will not be seen to again. */
  markFired(body: DeliveryBody): Promise<void>
}

/** Undefined: it can't be read, which is the case of no schedule that was accepted. */
export function timingOf(schedule: Schedule): Timing | undefined {
  const expression = parseScheduleExpression(schedule.expression)
  if (!expression) return undefined
  // One-time schedules know neither start nor end.
  if (expression.kind === 'at') return { expression, timezone: schedule.timezone, startAt: 0 }
  return {
    expression,
    timezone: schedule.timezone,
    startAt: schedule.startAt ?? (expression.kind === 'rate' ? schedule.createdAt : 0),
    ...(schedule.endAt !== undefined && { endAt: schedule.endAt }),
  }
}

/** Somewhere within the window, always the same for the same time. */
export function windowDelayMs(key: string, due: number, windowMinutes: number): number {
  const lot = Number.parseInt(hash('sha256', `${key}@${due}`, 'hex').slice(0, 8), 16) / 0x1_0000_0000
  return Math.floor(lot * windowMinutes * 60_000)
}

export function createScheduleEngine(deps: {
  readonly meta: Meta
  readonly outbox: Pick<Outbox, 'add' | 'holds'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): ScheduleEngine {
  const { meta, outbox, clock, random, logger } = deps
  const seen = new Map<string, number>()
  let stopWatching: (() => void) | undefined

  const throughOf = async (key: string) =>
    (await read<Fired>(meta, scheduleFiredKey(key)))?.doc.through ?? Number.NEGATIVE_INFINITY

  /** First the delivery is stored, then that the time was seen to, and with the last time that the schedule is gone. */
  const fire = async (key: string, due: number) => {
    const stored = await read<Schedule>(meta, key)
    if (!stored || stored.doc.state === 'DISABLED') return
    const schedule = stored.doc
    const about = `${key}@${due}`
    const through = await throughOf(key)
    if (through < due && !outbox.holds(about)) {
      const { account, region, target } = schedule
      const arn = scheduleArn(schedule)
      const body: DeliveryBody = {
        scheduleKey: key,
        scheduleArn: arn,
        account,
        region,
        due,
        executionId: random.uuid(),
      }
      const payload = Buffer.from(JSON.stringify(target))
      await outbox.add([{ lane: target.Arn ?? arn, about, head: headOf(body), payload }])
    }
    const timing = timingOf(schedule)
    const isOver = !timing || nextTime(timing, due) === undefined
    if (isOver && schedule.actionAfterCompletion === 'DELETE') {
      await meta.txn([remove(key), remove(scheduleFiredKey(key))])
    } else if (through < due) {
      const fired: Fired = { through: due }
      await meta.txn([put(scheduleFiredKey(key), fired)])
    }
  }
  const ticker = createTicker({ clock, logger, fire })

  const apply = (key: string, rev: number, doc: Json | null, firedThrough = Number.NEGATIVE_INFINITY) => {
    if (!key.startsWith(ALL_SCHEDULES) || (seen.get(key) ?? 0) > rev) return
    if (doc === null) {
      seen.delete(key)
      ticker.delete(key)
      return
    }
    seen.set(key, rev)
    const schedule = doc as unknown as Schedule
    const timing = schedule.state === 'ENABLED' ? timingOf(schedule) : undefined
    if (!timing) {
      ticker.delete(key)
      return
    }
    const { windowMinutes } = schedule
    ticker.set(key, {
      schedule: timing,
      through: Math.max(schedule.from, firedThrough),
      ...(windowMinutes !== undefined && {
        delayMs: (due: number) => windowDelayMs(key, due, windowMinutes),
      }),
    })
  }
  const each = async (prefix: string, take: (row: { key: string; rev: number; doc: Json }) => void) => {
    for (let after = ''; ;) {
      const rows = await meta.list(prefix, after, READ)
      for (const row of rows) take(row)
      after = rows.at(-1)?.key ?? ''
      if (rows.length < READ) return
    }
  }

  return {
    async load() {
      if (stopWatching) return
      const from = await meta.rev()
      const fired = new Map<string, number>()
      await each(ALL_FIRED, ({ key, doc }) =>
        fired.set(ALL_SCHEDULES + key.slice(ALL_FIRED.length), docOf<Fired>({ doc }).through),
      )
      await each(ALL_SCHEDULES, ({ key, rev, doc }) => apply(key, rev, doc, fired.get(key)))
      stopWatching = meta.watch(from, (changes) => {
        for (const { key, rev, doc } of changes) apply(key, rev, doc)
      })
    },
    run: () => ticker.start(),
    stop() {
      ticker.stop()
      stopWatching?.()
      stopWatching = undefined
    },
    async markFired({ scheduleKey: key, due }) {
      if (!(await meta.get(key)) || (await throughOf(key)) >= due) return
      const fired: Fired = { through: due }
      await meta.txn([put(scheduleFiredKey(key), fired)])
    },
  }
}
