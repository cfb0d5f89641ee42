import { checkLogCommit } from '#store/embedded/log-commit.ts'
import type { LogEntry, LogId, QueueLog } from '#store/port.ts'

const byId = (a: LogEntry, b: LogEntry) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** With bytes of its own, so that neither side can change what the other holds. */
const copyOf = (entry: LogEntry): LogEntry => ({ ...entry, payload: Uint8Array.from(entry.payload) })

/** `holds` says whether a queue's lease is held with an epoch at this moment. */
export function createMemoryLog(options: {
  readonly holds: (queue: number, epoch: number) => boolean
}): QueueLog {
  /** Ids are unique within the store, whatever their queue. */
  const entries = new Map<LogId, LogEntry>()
  return {
    async commit(batch) {
      checkLogCommit(batch)
      const fencedOut = new Set(
        batch.fences.filter(({ queue, epoch }) => !options.holds(queue, epoch)).map(({ queue }) => queue),
      )
      const append = batch.append.filter(({ queue }) => !fencedOut.has(queue))
      const ids = new Set(append.map(({ id }) => id))
      if (ids.size < append.length || append.some(({ id }) => entries.has(id))) {
        throw new TypeError('A log id is appended twice')
      }
      for (const entry of append) entries.set(entry.id, copyOf(entry))
      for (const { id, queue, visibleAt, head } of batch.move) {
        const entry = entries.get(id)
        if (entry?.queue === queue && !fencedOut.has(queue)) entries.set(id, { ...entry, visibleAt, head })
      }
      for (const { id, queue } of batch.remove) {
        if (entries.get(id)?.queue === queue && !fencedOut.has(queue)) entries.delete(id)
      }
      return { fencedOut: [...fencedOut] }
    },
    async size(queue) {
      const ids = [...entries.values()].filter((entry) => entry.queue === queue).map(({ id }) => id)
      return { entries: ids.length, lastId: ids.reduce((last, id) => (id > last ? id : last), 0n) }
    },
    async load(queue, afterId, limit, maxBytes = Number.POSITIVE_INFINITY) {
      const page = [...entries.values()]
        .filter((entry) => entry.queue === queue && entry.id > afterId)
        .toSorted(byId)
        .slice(0, Math.max(0, limit))
      let bytes = 0
      const end = page.findIndex(({ payload }) => (bytes += payload.byteLength) >= maxBytes)
      return page.slice(0, end < 0 ? page.length : end + 1).map(copyOf)
    },
  }
}
