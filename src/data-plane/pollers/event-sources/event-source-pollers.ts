/** Follows the mappings in the store and has each enabled one polled, whatever kind of source it has. */
import { ALL_MAPPINGS } from '#contracts/keys.ts'
import type { EventSourceMapping, SourceKind } from '#contracts/mapping.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import type { SourcePoller } from './source-poller.ts'

export interface EventSourcePollers extends Component {
  /** Resolves when polling does what the mapping in the store says, and has let go of what it does not want any more. */
  apply(mapping: EventSourceMapping): Promise<void>
  /** Mappings that are polled now. */
  readonly polled: number
}

/** Begins to poll at once. */
export type StartPoller = (mapping: EventSourceMapping) => SourcePoller

interface Tended {
  wanted: EventSourceMapping | undefined
  poller: { readonly generation: string; readonly source: SourcePoller } | undefined
  /** One step after the other; the last one sees the newest wish. */
  settling: Promise<void>
}

const PAGE = 200

const isPolled = ({ enabled, state }: EventSourceMapping) =>
  enabled && state !== 'Disabling' && state !== 'Disabled' && state !== 'Deleting'

/** `kinds` without an entry are not polled. */
export function createEventSourcePollers(options: {
  readonly meta: Meta
  readonly kinds: Readonly<Partial<Record<SourceKind, StartPoller>>>
  readonly clock: Clock
  readonly logger: Logger
}): EventSourcePollers {
  const { meta, kinds, clock, logger } = options
  const tended = new Map<string, Tended>()
  let accepting = true
  let stopWatching = () => {}

  const settle = async (key: string, entry: Tended) => {
    const wish = () => {
      const { wanted } = entry
      return accepting && wanted && isPolled(wanted) && kinds[wanted.source.kind] ? wanted : undefined
    }
    const old = entry.poller
    if (old && old.generation !== wish()?.generation) {
      entry.poller = undefined
      await old.source.close()
    }
    const wanted = wish()
    const begin = wanted && kinds[wanted.source.kind]
    if (begin && !entry.poller) entry.poller = { generation: wanted.generation, source: begin(wanted) }
    if (!entry.poller && !entry.wanted) tended.delete(key)
  }

  const want = (key: string, wanted: EventSourceMapping | undefined) => {
    let entry = tended.get(key)
    if (!entry) {
      if (!wanted || !isPolled(wanted)) return
      entry = { wanted, poller: undefined, settling: Promise.resolve() }
      tended.set(key, entry)
    }
    const own = entry
    own.wanted = wanted
    own.settling = own.settling
      .then(() => settle(key, own))
      .catch((error: unknown) => {
        logger.error('An event source could not be polled', { mapping: key, error })
      })
  }

  const everyPoller = () => [...tended.values()].flatMap(({ poller }) => (poller ? [poller.source] : []))

  return {
    async start() {
      const rev = await meta.rev()
      let after = ''
      for (;;) {
        const rows = await meta.list(ALL_MAPPINGS, after, PAGE)
        for (const { key, doc } of rows) want(key, doc as unknown as EventSourceMapping)
        const last = rows.at(-1)
        if (!last || rows.length < PAGE) break
        after = last.key
      }
      stopWatching = meta.watch(rev, (changes) => {
        for (const { key, doc } of changes) {
          if (key.startsWith(ALL_MAPPINGS)) want(key, (doc ?? undefined) as EventSourceMapping | undefined)
        }
      })
    },
    async apply({ account, region, uuid }) {
      await tended.get(`${ALL_MAPPINGS}${account}/${region}/${uuid}`)?.settling
    },
    async drain(deadlineMs) {
      accepting = false
      let cancel = () => {}
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(deadlineMs, resolve)
      })
      await Promise.race([Promise.all(everyPoller().map((poller) => poller.close())), late])
      cancel()
    },
    async stop() {
      accepting = false
      stopWatching()
      for (const poller of everyPoller()) poller.destroy()
    },
    get polled() {
      return everyPoller().length
    },
  }
}
