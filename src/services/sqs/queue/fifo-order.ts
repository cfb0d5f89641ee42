/**
 * FIFO queues: within a group strictly in the order in which messages were sent. While a message of a group is in flight,
 * or on its way out, none that follow are given out.
 */
import { createDueHeap } from '#queues/due-heap.ts'

import type { Entry } from './entry.ts'
import type { Order } from './standard-order.ts'

interface Group {
  /** In the order of their ids. */
  readonly ids: Set<bigint>
  /** Those of them that are in flight or leaving. */
  readonly busy: Set<bigint>
}

/** Places for heads that were, beside as many as there are groups. */
const SPARE = 1024

export function createFifoOrder(entries: ReadonlyMap<bigint, Entry>): Order {
  const groups = new Map<string, Group>()
  /** Heads of groups that may be given out; some of them only were so. */
  let heads = createDueHeap()

  const headOf = (group: Group) => {
    for (const id of group.ids) return entries.get(id)
    return undefined
  }
  const push = (group: Group) => {
    const head = group.busy.size === 0 ? headOf(group) : undefined
    if (head?.state === 'visible') heads.push({ at: 0, id: head.id })
  }
  const offer = (group: Group) => {
    if (heads.size > 2 * groups.size + SPARE) {
      heads = createDueHeap()
      for (const each of groups.values()) push(each)
    } else push(group)
  }
  const groupOf = ({ head }: Entry) => groups.get(head.group ?? '')

  return {
    added(entry) {
      const name = entry.head.group ?? ''
      let group = groups.get(name)
      if (!group) groups.set(name, (group = { ids: new Set(), busy: new Set() }))
      group.ids.add(entry.id)
    },
    shown(entry) {
      const group = groupOf(entry)
      if (!group) return
      group.busy.delete(entry.id)
      offer(group)
    },
    changed(entry) {
      const group = groupOf(entry)
      if (!group) return
      if (entry.state === 'inFlight' || entry.state === 'leaving') group.busy.add(entry.id)
      else group.busy.delete(entry.id)
      offer(group)
    },
    removed(entry) {
      const group = groupOf(entry)
      if (!group) return
      group.ids.delete(entry.id)
      group.busy.delete(entry.id)
      if (group.ids.size === 0) groups.delete(entry.head.group ?? '')
      else offer(group)
    },
    pick(max, take) {
      for (let taken = 0; taken < max;) {
        const next = heads.pop()
        if (!next) return
        const entry = entries.get(next.id)
        const group = entry && groupOf(entry)
        if (!group || group.busy.size > 0 || headOf(group) !== entry) continue
        // As many of one group as there are, so that a batch keeps its order (as the developer guide has it).
        const ids = [...head(group.ids, max - taken)]
        for (const id of ids) {
          const member = entries.get(id)
          if (member?.state !== 'visible') break
          take(member)
          taken++
        }
      }
    },
  }
}

function* head(ids: Iterable<bigint>, count: number): Generator<bigint> {
  let left = count
  for (const id of ids) {
    if (left-- <= 0) return
    yield id
  }
}
