/** Wakes up when schedules fall due, and tells of each time once. What it was told is done is the caller's to remember. */
import type { Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'
import { createDueHeap } from '#queues/due-heap.ts'

import { nextTime, type Schedule } from './next-time.ts'

export interface Ticking {
  readonly schedule: Schedule
  /** Times up to this have been seen to. */
  readonly through: number
  /** How much later than due it is to be told; the same for the same time. */
  readonly delayMs?: (due: number) => number
}

export interface Ticker {
  /** Replaces what was set under the key. */
  set(key: string, ticking: Ticking): void
  delete(key: string): void
  start(): void
  stop(): void
}

interface Item extends Ticking {
  readonly id: bigint
  readonly key: string
  due: number
  /** When it is looked at next. */
  at: number
}

/** A time this far gone was missed: of several such only the latest is told. */
const MISSED_MS = 60_000
const RETRY_MS = 1_000
const MAX_WAIT_MS = 60_000
/** Replaced entries that may lie in the heap. */
const SLACK = 1_000
/** Times that are told at once. */
const CONCURRENCY = 64

export function createTicker(options: {
  readonly clock: Clock
  readonly logger: Logger
  /** Durable when it resolves; a rejection is tried again. */
  readonly fire: (key: string, due: number) => Promise<void>
}): Ticker {
  const { clock, logger, fire } = options
  const items = new Map<string, Item>()
  const byId = new Map<bigint, Item>()
  let heap = createDueHeap()
  let ids = 0n
  let firing = 0
  let isRunning = false
  let cancel = () => {}

  const forget = (key: string) => {
    const item = items.get(key)
    if (!item) return
    items.delete(key)
    byId.delete(item.id)
  }
  const plan = (item: Item, at: number) => {
    item.at = at
    heap.push({ at, id: item.id })
    // What was replaced before it fell due lies there still.
    if (heap.size > 2 * items.size + SLACK) {
      heap = createDueHeap()
      for (const { at: next, id } of items.values()) if (next < Infinity) heap.push({ at: next, id })
    }
    look()
  }
  /** Sets the item to its next time, or forgets it when there is none. */
  const advance = (item: Item, through: number) => {
    const due = nextTime(item.schedule, through)
    if (due === undefined) {
      forget(item.key)
      return
    }
    item.due = due
    plan(item, due + (item.delayMs?.(due) ?? 0))
  }
  const run = async (item: Item) => {
    const late = clock.now() - item.due - (item.delayMs?.(item.due) ?? 0)
    if (late > MISSED_MS) item.due = latestTime(item.schedule, item.due, clock.now())
    const { due } = item
    try {
      await fire(item.key, due)
      if (byId.get(item.id) === item) advance(item, due)
    } catch (error) {
      logger.warn('A schedule that is due is tried again', { schedule: item.key, error })
      if (byId.get(item.id) === item) plan(item, clock.now() + RETRY_MS)
    }
  }
  const look = () => {
    cancel()
    if (!isRunning) return
    for (let next = heap.peek(); next; next = heap.peek()) {
      const item = byId.get(next.id)
      if (!item) {
        heap.pop()
        continue
      }
      if (next.at > clock.now()) {
        cancel = clock.after(Math.min(MAX_WAIT_MS, next.at - clock.now()), look)
        return
      }
      // Looked at again when one has ended.
      if (firing >= CONCURRENCY) return
      heap.pop()
      item.at = Number.POSITIVE_INFINITY
      firing++
      void run(item).finally(() => {
        firing--
        look()
      })
    }
  }
  return {
    set(key, ticking) {
      forget(key)
      const item: Item = { ...ticking, id: ids++, key, due: 0, at: Number.POSITIVE_INFINITY }
      items.set(key, item)
      byId.set(item.id, item)
      advance(item, ticking.through)
    },
    delete: forget,
    start() {
      isRunning = true
      look()
    },
    stop() {
      isRunning = false
      cancel()
    },
  }
}

const WINDOWS_MS = [3_600_000, 86_400_000, 31 * 86_400_000, 366 * 86_400_000]

/** The last time not later than `now`, at least `first`. Looks back no further than it has to. */
export function latestTime(schedule: Schedule, first: number, now: number): number {
  const recent = WINDOWS_MS.map((window) => nextTime(schedule, now - window)).find(
    (at) => at !== undefined && at <= now && at > first,
  )
  let latest = recent ?? first
  for (;;) {
    const next = nextTime(schedule, latest)
    if (next === undefined || next > now) return latest
    latest = next
  }
}
