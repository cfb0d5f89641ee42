/** The messages of one open queue: which of them are delayed, visible, in flight. Pure: time comes in. */
import { createDueHeap } from '#queues/due-heap.ts'

import type { Entry } from './entry.ts'
import { createFifoOrder } from './fifo-order.ts'
import { createStandardOrder } from './standard-order.ts'

/** Places in a heap for what is gone already, beside as many as there are messages. */
const SPARE = 1024

export interface MessageIndex {
  readonly size: number
  readonly counts: Readonly<Record<Entry['state'], number>>
  get(id: bigint): Entry | undefined
  /** In the order of their ids, as far as they were added in it. */
  values(): Iterable<Entry>
  /** Its state follows from its time. */
  add(entry: Entry, now: number): void
  /** Shows what has fallen due. */
  promote(now: number): void
  /** When the next one falls due. */
  nextDueAt(): number | undefined
  /** Takes up to `max` visible ones and marks them in flight until then. */
  take(max: number, visibleAt: number): readonly Entry[]
  /** In flight until then, or visible at once. */
  hide(entry: Entry, visibleAt: number, now: number): void
  /** It is given out no more: something is on its way to the disk. */
  leave(entry: Entry): void
  remove(entry: Entry): void
  clear(): void
}

export function createMessageIndex({ isFifo }: { readonly isFifo: boolean }): MessageIndex {
  const entries = new Map<bigint, Entry>()
  const get = (id: bigint) => entries.get(id)
  const createOrder = isFifo ? createFifoOrder : createStandardOrder
  let order = createOrder(entries)
  let due = createDueHeap()
  const counts = { delayed: 0, visible: 0, inFlight: 0, leaving: 0 }

  const turn = (entry: Entry, state: Entry['state']) => {
    counts[entry.state]--
    counts[state]++
    entry.state = state
  }
  const wait = (entry: Entry, visibleAt: number) => {
    entry.visibleAt = visibleAt
    // What was deleted long before its time would stay until then.
    if (due.size > 2 * entries.size + SPARE) {
      due = createDueHeap()
      for (const each of entries.values()) {
        if (each !== entry && (each.state === 'delayed' || each.state === 'inFlight'))
          due.push({ at: each.visibleAt, id: each.id })
      }
    }
    due.push({ at: visibleAt, id: entry.id })
  }

  return {
    get size() {
      return entries.size
    },
    counts,
    get,
    values: () => entries.values(),
    add(entry, now) {
      entries.set(entry.id, entry)
      const isDue = entry.visibleAt <= now
      entry.state = isDue ? 'visible' : entry.receives > 0 ? 'inFlight' : 'delayed'
      counts[entry.state]++
      order.added(entry)
      if (isDue) order.shown(entry)
      else {
        wait(entry, entry.visibleAt)
        order.changed(entry)
      }
    },
    promote(now) {
      for (let next = due.peek(); next && next.at <= now; next = due.peek()) {
        due.pop()
        const entry = entries.get(next.id)
        const isWaiting = entry?.state === 'delayed' || entry?.state === 'inFlight'
        if (!entry || !isWaiting || entry.visibleAt !== next.at) continue
        turn(entry, 'visible')
        order.shown(entry)
      }
    },
    nextDueAt: () => due.peek()?.at,
    take(max, visibleAt) {
      const taken: Entry[] = []
      order.pick(max, (entry) => {
        turn(entry, 'inFlight')
        wait(entry, visibleAt)
        order.changed(entry)
        taken.push(entry)
      })
      return taken
    },
    hide(entry, visibleAt, now) {
      turn(entry, visibleAt <= now ? 'visible' : 'inFlight')
      if (entry.state === 'visible') {
        entry.visibleAt = visibleAt
        order.shown(entry)
      } else {
        wait(entry, visibleAt)
        order.changed(entry)
      }
    },
    leave(entry) {
      turn(entry, 'leaving')
      order.changed(entry)
    },
    remove(entry) {
      if (!entries.delete(entry.id)) return
      counts[entry.state]--
      order.removed(entry)
    },
    clear() {
      entries.clear()
      order = createOrder(entries)
      due = createDueHeap()
      for (const state of Object.keys(counts) as Entry['state'][]) counts[state] = 0
    },
  }
}
