/**
 * Carries mappings to where a request has sent them: to Enabled or Disabled, or out of the store. What a crash left on
 * its way is taken up again at the next start.
 */
import { mappingKey, MAPPINGS_IN_TRANSITION } from '#contracts/keys.ts'
import { isMappingInTransition, type EventSourceMapping } from '#contracts/mapping.ts'
import { sleep, type Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import { createSemaphore } from '#kernel/semaphore.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import { createCommitter, type Decision } from '../commit.ts'
import { docOf, walk } from '../documents.ts'
import type { MappingPollers } from '../port.ts'
import { mappingWrites, wholeWrites } from './mapping-documents.ts'
import { goalOf, stepTo } from './mapping-lifecycle.ts'

export interface MappingProgress extends Component {
  /** Whether another mapping may be driven; asked before a request is accepted. */
  readonly hasRoom: boolean
  /** Has a stored mapping applied in the background and records its arrival. Driving it twice is driving it once. */
  drive(mapping: EventSourceMapping): void
}

const MAX_WAITING = 10_000
const PARALLEL = 16
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = MINUTE_MS

export function createMappingProgress(options: {
  readonly meta: Meta
  readonly pollers: MappingPollers
  readonly clock: Clock
  readonly logger: Logger
}): MappingProgress {
  const { meta, pollers, clock, logger } = options
  const committer = createCommitter(meta)
  const places = createSemaphore({ places: PARALLEL })
  const running = new Map<string, Promise<void>>()
  const stopping = new AbortController()
  let accepting = true
  let reconciling: Promise<void> | undefined

  /** Writes the arrival, unless the mapping is gone or a later request has sent it elsewhere. */
  const arrive = (mapping: EventSourceMapping) =>
    committer.run(mappingKey(mapping, mapping.uuid), async () => {
      const nothing: Decision<void> = { writes: [], result: undefined }
      const row = await meta.get(mappingKey(mapping, mapping.uuid))
      if (!row) return nothing
      const before = { doc: docOf<EventSourceMapping>(row), rev: row.rev }
      const goal = goalOf(before.doc)
      if (goal === undefined || before.doc.generation !== mapping.generation) return nothing
      if (goal === 'gone') return { writes: wholeWrites(before, undefined), result: undefined }
      return { writes: mappingWrites(before, stepTo(before.doc, goal, clock.now())), result: undefined }
    })

  /** Until it has arrived: a mapping knows no failed state, so that whatever is in the way is waited out. */
  const run = async (mapping: EventSourceMapping) => {
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(2 * delayMs, LAST_RETRY_MS)) {
      let release = () => {}
      try {
        // May take as long as a function does; no place is held meanwhile.
        await pollers.apply(mapping)
        release = await places.acquire(stopping.signal)
        await arrive(mapping)
        return
      } catch (error) {
        if (stopping.signal.aborted) return
        logger.error('An event source mapping could not be carried on', {
          mapping: mapping.uuid,
          error: String(error),
        })
      } finally {
        release()
      }
      await sleep(clock, delayMs, stopping.signal)
    }
  }

  const track = (mapping: EventSourceMapping): Promise<void> => {
    const key = `${mapping.uuid}:${mapping.generation}`
    const already = running.get(key)
    if (already) return already
    const job = run(mapping)
      .catch(() => {
        // Only the end of the process ends it early; the next start takes the mapping up again.
      })
      .finally(() => running.delete(key))
    running.set(key, job)
    return job
  }

  /** Takes up what is on its way, a handful at a time, so that a large store does not become a large queue. */
  const reconcile = async () => {
    const batch = new Set<Promise<void>>()
    for await (const { key } of walk(meta, MAPPINGS_IN_TRANSITION)) {
      if (!accepting) return
      const row = await meta.get(key.slice(MAPPINGS_IN_TRANSITION.length))
      const mapping = row && docOf<EventSourceMapping>(row)
      if (!mapping || !isMappingInTransition(mapping.state)) continue
      const job = track(mapping)
      batch.add(job)
      void job.finally(() => batch.delete(job))
      if (batch.size >= 2 * PARALLEL) await Promise.race(batch)
    }
    await Promise.all(batch)
  }

  return {
    get hasRoom() {
      return accepting && running.size < MAX_WAITING
    },
    drive(mapping) {
      // Once draining has begun it stays on its way, until the next start.
      if (accepting) void track(mapping)
    },
    async start() {
      // Again when another node is gone: what it has left is on its way still.
      reconciling = (reconciling ?? Promise.resolve()).then(reconcile).catch((error: unknown) => {
        logger.error('Event source mappings left on their way could not be taken up', {
          error: String(error),
        })
      })
    },
    async drain(deadlineMs) {
      accepting = false
      let cancel = () => {}
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(deadlineMs, resolve)
      })
      await Promise.race([Promise.all([reconciling, ...running.values()]), late])
      cancel()
    },
    async stop() {
      accepting = false
      stopping.abort(new Error('The control plane stops'))
    },
  }
}
