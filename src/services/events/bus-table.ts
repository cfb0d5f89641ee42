/** What every bus does with events, in memory: rules compiled and indexed, archives. Follows the store. */
import type { Scope } from '#contracts/arn.ts'
import { compilePattern, type CompiledPattern } from '#contracts/event-pattern/event-pattern.ts'
import { createPatternIndex, type PatternIndex } from '#contracts/event-pattern/pattern-index.ts'
import { ALL_ARCHIVES, ALL_RULES, ruleKey, type EventArchive, type EventRule } from '#contracts/events.ts'
import type { Json } from '#kernel/json.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import { follow } from '../iam/follow.ts'

export interface BusTable {
  start(): Promise<void>
  stop(): void
  /** Enabled rules and archives of the bus that take the event. */
  match(bus: Scope & { readonly name: string }, event: unknown): BusMatch
  /** The rule as it is now. */
  rule(where: Scope, bus: string, name: string): EventRule | undefined
  /** Called with each rule that is there at the start, and with each change; undefined: gone. */
  onRule(listener: (key: string, rule: EventRule | undefined) => void): void
  archives(): readonly EventArchive[]
}

export interface BusMatch {
  readonly rules: readonly EventRule[]
  readonly archives: readonly EventArchive[]
}

interface Bus {
  readonly rules: Map<string, { readonly rule: EventRule; readonly pattern: CompiledPattern | undefined }>
  readonly archives: Map<
    string,
    { readonly archive: EventArchive; readonly pattern: CompiledPattern | undefined }
  >
  /** Made again after a change, when the next event comes. */
  index: PatternIndex<EventRule> | undefined
}

export function createBusTable({ meta, logger }: { readonly meta: Meta; readonly logger: Logger }): BusTable {
  const buses = new Map<string, Bus>()
  /** Which bus a document was last seen on, and with which revision. */
  const seen = new Map<string, { readonly bus: Bus; readonly rev: number }>()
  const listeners: ((key: string, rule: EventRule | undefined) => void)[] = []
  let stopWatching: (() => void) | undefined

  const busAt = ({ account, region }: Scope, name: string): Bus => {
    const key = `${account}/${region}/${name}`
    let bus = buses.get(key)
    if (!bus) buses.set(key, (bus = { rules: new Map(), archives: new Map(), index: undefined }))
    return bus
  }
  const compiled = (pattern: string | undefined, key: string) => {
    if (pattern === undefined) return undefined
    try {
      return compilePattern(pattern)
    } catch (error) {
      // It was checked when it was set.
      logger.error('A stored event pattern can not be read', { key, error })
      return { matches: () => false, required: [] }
    }
  }
  const apply = (key: string, rev: number, doc: Json | null) => {
    const isRule = key.startsWith(ALL_RULES)
    if (!isRule && !key.startsWith(ALL_ARCHIVES)) return
    const before = seen.get(key)
    if (before && before.rev > rev) return
    if (doc === null) {
      before?.bus.rules.delete(key)
      before?.bus.archives.delete(key)
      if (before) before.bus.index = undefined
      seen.delete(key)
    } else if (isRule) {
      const rule = doc as unknown as EventRule
      const bus = busAt(rule, rule.bus)
      bus.rules.set(key, { rule, pattern: compiled(rule.pattern, key) })
      bus.index = undefined
      seen.set(key, { bus, rev })
    } else {
      const archive = doc as unknown as EventArchive
      const bus = busAt(archive, archive.bus)
      bus.archives.set(key, { archive, pattern: compiled(archive.pattern, key) })
      seen.set(key, { bus, rev })
    }
    if (isRule)
      for (const listener of listeners)
        listener(key, doc === null ? undefined : (doc as unknown as EventRule))
  }
  const indexOf = (bus: Bus) =>
    (bus.index ??= createPatternIndex(
      [...bus.rules.values()].flatMap(({ rule, pattern }) =>
        pattern && rule.state !== 'DISABLED' ? [{ key: rule, pattern }] : [],
      ),
    ))

  return {
    async start() {
      if (stopWatching) return
      stopWatching = await follow(meta, [ALL_RULES, ALL_ARCHIVES], apply)
    },
    stop() {
      stopWatching?.()
      stopWatching = undefined
    },
    match({ account, region, name }, event) {
      const bus = buses.get(`${account}/${region}/${name}`)
      if (!bus) return { rules: [], archives: [] }
      return {
        rules: indexOf(bus).match(event),
        archives: [...bus.archives.values()].flatMap(({ archive, pattern }) =>
          !pattern || pattern.matches(event) ? [archive] : [],
        ),
      }
    },
    rule: (where, bus, name) => busAt(where, bus).rules.get(ruleKey(where, bus, name))?.rule,
    onRule: (listener) => void listeners.push(listener),
    archives: () =>
      [...buses.values()].flatMap(({ archives }) => [...archives.values()].map(({ archive }) => archive)),
  }
}
