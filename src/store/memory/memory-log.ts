import { checkLogCommit } from '#store/embedded/log-commit.ts'
import type { LogEntry, LogId, QueueLog } from '#store/port.ts'

/** With bytes of its own, so that neither side can change what the other holds. */
const copyOf = (entry: LogEntry): LogEntry => ({ ...entry, payload: Uint8Array.from(entry.payload) })

interface StoredQueue {
  readonly entries: Map<LogId, LogEntry>
  /** In order; those that were removed are left out from time to time. */
  ids: LogId[]
}

/** First index whose id is greater. */
function indexAfter(ids: readonly LogId[], id: LogId): number {
  let [low, high] = [0, ids.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ids[middle] ?? id) > id) high = middle
    else low = middle + 1
  }
  return low
}

/** `holds` says whether a queue's lease is held with an epoch at this moment. */
export function createMemoryLog(options: {
  readonly holds: (queue: number, epoch: number) => boolean
}): QueueLog {
  const queues = new Map<number, StoredQueue>()
  /** Ids are unique within the store, whatever their queue. */
  const known = new Set<LogId>()
  const queueOf = (queue: number): StoredQueue => {
    let stored = queues.get(queue)
    if (!stored) queues.set(queue, (stored = { entries: new Map(), ids: [] }))
    return stored
  }
  const append = (entry: LogEntry) => {
    const { entries, ids } = queueOf(entry.queue)
    entries.set(entry.id, copyOf(entry))
    known.add(entry.id)
    const at = indexAfter(ids, entry.id)
    if (at === ids.length) ids.push(entry.id)
    else ids.splice(at, 0, entry.id)
  }
  const remove = (queue: number, id: LogId) => {
    const stored = queueOf(queue)
    if (!stored.entries.delete(id)) return
    known.delete(id)
    if (stored.ids.length > 2 * stored.entries.size + 100)
      stored.ids = stored.ids.filter((other) => stored.entries.has(other))
  }
  return {
    async commit(batch) {
      checkLogCommit(batch)
      const fencedOut = new Set(
        batch.fences.filter(({ queue, epoch }) => !options.holds(queue, epoch)).map(({ queue }) => queue),
      )
      const added = batch.append.filter(({ queue }) => !fencedOut.has(queue))
      const ids = new Set(added.map(({ id }) => id))
      if (ids.size < added.length || added.some(({ id }) => known.has(id))) {
        throw new TypeError('A log id is appended twice')
      }
      for (const entry of added) append(entry)
      for (const { id, queue, visibleAt, head } of batch.move) {
        const { entries } = queueOf(queue)
        const entry = entries.get(id)
        if (entry && !fencedOut.has(queue)) entries.set(id, { ...entry, visibleAt, head })
      }
      for (const { id, queue } of batch.remove) if (!fencedOut.has(queue)) remove(queue, id)
      return { fencedOut: [...fencedOut] }
    },
    async size(queue) {
      const { entries, ids } = queueOf(queue)
      return { entries: entries.size, lastId: ids.findLast((id) => entries.has(id)) ?? 0n }
    },
    async load(queue, afterId, limit, maxBytes = Number.POSITIVE_INFINITY) {
      const { entries, ids } = queueOf(queue)
      const page: LogEntry[] = []
      let bytes = 0
      for (let at = indexAfter(ids, afterId); at < ids.length && page.length < limit; at++) {
        const entry = entries.get(ids[at] ?? 0n)
        if (!entry) continue
        page.push(copyOf(entry))
        if ((bytes += entry.payload.byteLength) >= maxBytes) break
      }
      return page
    },
  }
}
