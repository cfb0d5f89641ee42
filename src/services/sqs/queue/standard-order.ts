/** Standard queues: what has been visible for longest comes first. */
import { createDueHeap } from '#queues/due-heap.ts'

import type { Entry } from './entry.ts'

/** Which visible messages are given out next. */
export interface Order {
  /** The entry is known from now on. */
  added(entry: Entry): void
  /** It has become visible. */
  shown(entry: Entry): void
  /** It is in another state, which is not visible. */
  changed(entry: Entry): void
  /** It is not known any more. */
  removed(entry: Entry): void
  /** Up to `max` visible entries, each handed to `take` at once, which makes it something else than visible. */
  pick(max: number, take: (entry: Entry) => void): void
}

/** Places for what is gone already, beside as many as there are messages. */
const SPARE = 1024

export function createStandardOrder(entries: ReadonlyMap<bigint, Entry>): Order {
  let visible = createDueHeap()
  return {
    added() {},
    shown({ visibleAt, id }) {
      // Messages of a queue that nobody reads expire one after the other.
      if (visible.size > 2 * entries.size + SPARE) {
        visible = createDueHeap()
        for (const each of entries.values()) {
          if (each.state === 'visible' && each.id !== id) visible.push({ at: each.visibleAt, id: each.id })
        }
      }
      visible.push({ at: visibleAt, id })
    },
    changed() {},
    removed() {},
    pick(max, take) {
      for (let taken = 0; taken < max;) {
        const next = visible.pop()
        if (!next) return
        const entry = entries.get(next.id)
        // Left behind by an entry that was taken, changed or removed since.
        if (entry?.state !== 'visible' || entry.visibleAt !== next.at) continue
        take(entry)
        taken++
      }
    },
  }
}
