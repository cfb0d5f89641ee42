/** Takes an event onto a bus: finds the rules and archives that want it, and promises the deliveries. */
import type { Target } from '@aws-sdk/client-eventbridge'

import type { Scope } from '#contracts/arn.ts'
import { ruleArn, type EventRule } from '#contracts/events.ts'
import type { Clock } from '#kernel/clock.ts'

import { headOf } from '../outbox/create-dispatcher.ts'
import type { NewDelivery, Outbox } from '../outbox/port.ts'
import type { BusTable } from './bus-table.ts'

/** What is remembered of a delivery besides the event. */
export type DeliveryBody =
  | {
      readonly kind: 'target'
      readonly ruleArn: string
      readonly ruleName: string
      readonly target: Target
      readonly ingestedAt: number
      /** Buses that the event has come through. */
      readonly hops: number
      /** The time of a schedule that it is for, and where that is written down. */
      readonly scheduled?: { readonly key: string; readonly due: number }
    }
  | { readonly kind: 'archive'; readonly account: string; readonly region: string; readonly archive: string }

export interface BusEvent {
  readonly bus: Scope & { readonly name: string }
  /** JSON text. */
  readonly text: string
  readonly hops?: number
  /** Of a replay: the rules that get it, and no archive does. */
  readonly replayTo?: readonly string[] | 'all'
}

interface RuleDeliveryOptions {
  readonly about?: string
  readonly hops?: number
  readonly scheduled?: { readonly key: string; readonly due: number }
}

export interface Ingest {
  /** Durable when it resolves. */
  take(events: readonly BusEvent[]): Promise<void>
  /** Deliveries to all targets of a rule, whatever its pattern. */
  deliveriesToRule(rule: EventRule, text: string, options: RuleDeliveryOptions): readonly NewDelivery[]
}

export function createIngest(deps: {
  readonly table: BusTable
  readonly outbox: Pick<Outbox, 'add'>
  readonly clock: Clock
}): Ingest {
  const { table, outbox, clock } = deps

  const deliveriesToRule: Ingest['deliveriesToRule'] = (rule, text, { about, hops = 0, scheduled }) => {
    const payload = Buffer.from(text)
    const arn = ruleArn(rule)
    return rule.targets.map((target) => {
      const body: DeliveryBody = {
        kind: 'target',
        ruleArn: arn,
        ruleName: rule.name,
        target,
        ingestedAt: clock.now(),
        hops,
        ...(scheduled && { scheduled }),
      }
      return { lane: target.Arn ?? arn, ...(about !== undefined && { about }), head: headOf(body), payload }
    })
  }

  const deliveriesOf = ({ bus, text, hops = 0, replayTo }: BusEvent): readonly NewDelivery[] => {
    const { rules, archives } = table.match(bus, JSON.parse(text))
    const wanted = Array.isArray(replayTo) ? rules.filter((rule) => replayTo.includes(ruleArn(rule))) : rules
    const toRules = wanted.flatMap((rule) => deliveriesToRule(rule, text, { hops }))
    if (replayTo !== undefined) return toRules
    const payload = Buffer.from(text)
    const toArchives = archives.map(({ account, region, name }): NewDelivery => {
      const body: DeliveryBody = { kind: 'archive', account, region, archive: name }
      return { lane: `archive ${account} ${region} ${name}`, head: headOf(body), payload }
    })
    return [...toRules, ...toArchives]
  }

  return {
    deliveriesToRule,
    take: (events) => outbox.add(events.flatMap(deliveriesOf)),
  }
}
