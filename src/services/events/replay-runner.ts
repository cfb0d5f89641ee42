/** Runs replays: page by page from the archive onto the bus; goes on after a restart where it was. */
import {
  ALL_REPLAYS,
  archivedPrefix,
  replayKey,
  type ArchivedEvent,
  type EventReplay,
} from '#contracts/events.ts'
import { type Clock, sleep } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import { commit, docOf, put, read } from './documents.ts'
import type { Ingest } from './ingest.ts'
import { replayedText } from './put-request.ts'

const PAGE = 50
/** Before what could not be stored is tried again. */
const PAUSE_MS = 1_000

export interface ReplayRunner extends Component {
  run(replay: EventReplay): void
}

export function createReplayRunner(deps: {
  readonly meta: Meta
  readonly ingest: Ingest
  readonly clock: Clock
  readonly logger: Logger
}): ReplayRunner {
  const { meta, ingest, clock, logger } = deps
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()

  /** Changes the replay unless it was canceled meanwhile; then that is what is done. */
  const change = (replay: EventReplay, update: Partial<EventReplay>): Promise<EventReplay> =>
    commit(meta, async () => {
      const key = replayKey(replay, replay.name)
      const stored = await read<EventReplay>(meta, key)
      if (!stored) return { writes: [], result: { ...replay, state: 'CANCELLED' } }
      const isCanceled = stored.doc.state === 'CANCELLING'
      const next: EventReplay = isCanceled
        ? { ...stored.doc, state: 'CANCELLED', endedAt: clock.now() }
        : { ...stored.doc, ...update }
      return { writes: [put(key, next, stored.rev)], result: next }
    })

  const page = async (replay: EventReplay): Promise<EventReplay> => {
    const prefix = archivedPrefix(replay, replay.archive)
    const after = replay.after ?? `${prefix}${String(replay.fromMs).padStart(13, '0')}`
    const rows = await meta.list(prefix, after, PAGE)
    const timeOf = (key: string) => Number(key.slice(prefix.length, prefix.length + 13))
    const wanted = rows.filter(({ key }) => timeOf(key) < replay.toMs)
    const bus = { account: replay.account, region: replay.region, name: replay.bus }
    await ingest.take(
      wanted.map((row) => ({
        bus,
        text: replayedText(docOf<ArchivedEvent>(row).event, replay.name),
        replayTo: replay.ruleArns ?? ('all' as const),
      })),
    )
    const last = wanted.at(-1)
    const isLast = wanted.length < PAGE
    return await change(replay, {
      ...(last && { after: last.key, lastReplayedMs: timeOf(last.key) }),
      ...(isLast ? { state: 'COMPLETED', endedAt: clock.now() } : { state: 'RUNNING' }),
    })
  }
  const runToEnd = async (first: EventReplay) => {
    let replay = first
    while (replay.state === 'STARTING' || replay.state === 'RUNNING' || replay.state === 'CANCELLING') {
      if (stopping.signal.aborted) return
      try {
        replay = replay.state === 'CANCELLING' ? await change(replay, {}) : await page(replay)
      } catch (error) {
        if (stopping.signal.aborted) return
        logger.warn('A replay goes on later', { replay: replay.name, error })
        await sleep(clock, PAUSE_MS, stopping.signal).catch(() => {})
      }
    }
  }
  const run = (replay: EventReplay) => {
    const done = runToEnd(replay).finally(() => running.delete(done))
    running.add(done)
  }
  return {
    run,
    async start() {
      for (let after = ''; ;) {
        const rows = await meta.list(ALL_REPLAYS, after, 200)
        for (const row of rows) run(docOf<EventReplay>(row))
        after = rows.at(-1)?.key ?? ''
        if (rows.length < 200) return
      }
    },
    async drain() {
      if (!stopping.signal.aborted) stopping.abort(new Error('The replays were stopped'))
      await Promise.all(running)
    },
    async stop() {
      if (!stopping.signal.aborted) stopping.abort(new Error('The replays were stopped'))
    },
  }
}
