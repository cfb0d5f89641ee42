/** Rules with a schedule: when one is due, its targets get a "Scheduled Event", once for each time. */
import { ALL_RULES, ruleArn, ruleFiredKey, type EventRule } from '#contracts/events.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import type { Outbox } from '../outbox/port.ts'
import { parseRuleExpression } from '../schedules/expression.ts'
import { createTicker } from '../schedules/ticker.ts'
import type { BusTable } from './bus-table.ts'
import { docOf, put } from './documents.ts'
import type { Ingest } from './ingest.ts'
import { eventText } from './put-request.ts'

interface Fired {
  readonly through: number
}

/** A delivery that a schedule made: before it goes out it is certain that its time will not be seen to again. */
export async function markFired(
  meta: Meta,
  { key, due }: { readonly key: string; readonly due: number },
): Promise<void> {
  const stored = await meta.get(key)
  if (stored && docOf<Fired>(stored).through >= due) return
  const doc: Fired = { through: due }
  await meta.txn([put(key, doc)])
}

const ALL_FIRED = 'events-fired/'
const READ = 500

export interface RuleSchedules {
  /** Reads what was seen to; before the table starts. */
  load(): Promise<void>
  /** Schedules fall due from now on. */
  run(): void
  stop(): void
}

export function createRuleSchedules(deps: {
  readonly meta: Meta
  readonly table: BusTable
  readonly ingest: Ingest
  readonly outbox: Pick<Outbox, 'add' | 'holds'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): RuleSchedules {
  const { meta, table, ingest, outbox, clock, random, logger } = deps
  const rules = new Map<string, EventRule>()
  /** What is known of times seen to, by the key of the rule. */
  const fired = new Map<string, number>()

  const firedKeyOf = ({ account, region, bus, name }: EventRule) =>
    ruleFiredKey({ account, region }, bus, name)
  const scheduledEvent = (rule: EventRule, due: number) =>
    eventText({
      id: random.uuid(),
      detailType: 'Scheduled Event',
      source: 'aws.events',
      account: rule.account,
      region: rule.region,
      timeMs: due,
      resources: [ruleArn(rule)],
      detail: '{}',
    })

  /**
   * First the deliveries are stored, then that the time was seen to. A delivery that goes out in between writes that down
   * first, so that nothing is lost and nothing fires twice.
   */
  const fire = async (key: string, due: number) => {
    const rule = rules.get(key)
    if (!rule) return
    const about = `${key}@${due}`
    const firedKey = firedKeyOf(rule)
    if (!outbox.holds(about)) {
      const stored = await meta.get(firedKey)
      if (stored && docOf<Fired>(stored).through >= due) return
      const scheduled = { key: firedKey, due }
      await outbox.add(ingest.deliveriesToRule(rule, scheduledEvent(rule, due), { about, scheduled }))
    }
    await markFired(meta, { key: firedKey, due })
    fired.set(key, due)
  }
  const ticker = createTicker({ clock, logger, fire })

  table.onRule((key, rule) => {
    const expression = rule?.schedule === undefined ? undefined : parseRuleExpression(rule.schedule)
    if (!rule || !expression || rule.state === 'DISABLED') {
      rules.delete(key)
      ticker.delete(key)
      if (!rule) fired.delete(key)
      return
    }
    const before = rules.get(key)
    rules.set(key, rule)
    // Targets and tags change nothing about when.
    if (before && before.scheduleFrom === rule.scheduleFrom && before.schedule === rule.schedule) return
    ticker.set(key, {
      schedule: { expression, timezone: 'UTC', startAt: rule.scheduleFrom },
      through: Math.max(rule.scheduleFrom, fired.get(key) ?? 0),
    })
  })

  return {
    async load() {
      for (let after = ''; ;) {
        const rows = await meta.list(ALL_FIRED, after, READ)
        for (const row of rows)
          fired.set(ALL_RULES + row.key.slice(ALL_FIRED.length), docOf<Fired>(row).through)
        after = rows.at(-1)?.key ?? ''
        if (rows.length < READ) return
      }
    },
    run: () => ticker.start(),
    stop: () => ticker.stop(),
  }
}
