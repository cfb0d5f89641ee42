import type { Json } from '#kernel/json.ts'
import { createChangeFeed } from '#store/embedded/change-feed.ts'
import { compareKeys } from '#store/embedded/keys.ts'
import type { StoreLogger } from '#store/embedded/logger.ts'
import { changesOf, serialiseWrites } from '#store/embedded/meta-writes.ts'
import type { Meta, MetaChange, MetaRow } from '#store/port.ts'

interface Stored {
  readonly rev: number
  /** JSON text, so that neither readers nor writers share objects; null for what was deleted. */
  readonly text: string | null
}

const parse = (text: string) => JSON.parse(text) as Json

export function createMemoryMeta(options: { readonly logger?: StoreLogger | undefined }): Meta & {
  stop(): void
} {
  const documents = new Map<string, Stored>()
  /** Keys of all documents that exist, in order. */
  const sorted: string[] = []
  let rev = 0

  /** Place of the first key that sorts at or after `key`. */
  const placeOf = (key: string) => {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys(sorted[middle] ?? '', key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
  const readAfter = async (after: number) => {
    const changes: MetaChange[] = []
    for (const [key, stored] of documents) {
      if (stored.rev > after) {
        changes.push({ rev: stored.rev, key, doc: stored.text === null ? null : parse(stored.text) })
      }
    }
    return { changes: changes.toSorted((a, b) => a.rev - b.rev), upTo: rev }
  }
  const feed = createChangeFeed({ rev, readAfter, logger: options.logger })

  return {
    async get(key) {
      const stored = documents.get(key)
      return stored && stored.text !== null ? { key, rev: stored.rev, doc: parse(stored.text) } : null
    },
    async list(prefix, after, limit) {
      const rows: MetaRow[] = []
      let place = placeOf(compareKeys(after, prefix) >= 0 ? after : prefix)
      if (sorted[place] === after) place++
      for (; place < sorted.length && rows.length < limit; place++) {
        const key = sorted[place] ?? ''
        if (!key.startsWith(prefix)) break
        const stored = documents.get(key)
        if (stored && stored.text !== null) rows.push({ key, rev: stored.rev, doc: parse(stored.text) })
      }
      return rows
    },
    async txn(requested) {
      const writes = serialiseWrites(requested)
      const exists = (key: string) => (documents.get(key)?.text ?? null) !== null
      const holds = writes.every(
        ({ key, ifRev }) => ifRev === undefined || (exists(key) ? documents.get(key)?.rev : 0) === ifRev,
      )
      if (!holds) return 'conflict'
      if (writes.length === 0) return { rev }
      const mine = ++rev
      // Deleting what is not there changes nothing, so it is not reported either.
      const effective = writes.filter(({ key, text }) => text !== null || exists(key))
      for (const { key, text } of effective) {
        const place = placeOf(key)
        if (text === null) sorted.splice(place, 1)
        else if (!exists(key)) sorted.splice(place, 0, key)
        documents.set(key, { rev: mine, text })
      }
      await feed.publish(mine, () => changesOf(mine, effective))
      return { rev: mine }
    },
    watch: feed.watch,
    rev: async () => rev,
    stop: feed.stop,
  }
}
