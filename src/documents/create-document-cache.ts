import type { DocumentCache, Known } from '#documents/port.ts'
import type { Json } from '#kernel/json.ts'
import { createRecencyList, type RecencyLinks } from '#kernel/recency-list.ts'
import type { Meta, MetaChange } from '#store/port.ts'

/** A few kilobytes each: functions in use, their versions, aliases, settings, policies and URLs. */
const MAX_DOCUMENTS = 30_000
/** Keys without a document, counted apart: nobody can drive documents out by asking for what is not there. */
const MAX_ABSENT = 20_000

interface Entry extends RecencyLinks<Entry> {
  readonly key: string
  rev: number
  doc: Known
}

interface Load {
  document: Promise<Known>
  /** The last change of the key that arrived while the read was under way. */
  change: MetaChange | undefined
}

/** Never shows an older document than one it has been told of. */
export function createDocumentCache(options: {
  readonly meta: Pick<Meta, 'get' | 'rev' | 'watch'>
  readonly maxDocuments?: number
  readonly maxAbsent?: number
}): DocumentCache {
  const { meta, maxDocuments = MAX_DOCUMENTS, maxAbsent = MAX_ABSENT } = options
  const entries = new Map<string, Entry>()
  const present = createRecencyList<Entry>()
  const absent = createRecencyList<Entry>()
  let absentCount = 0
  const loads = new Map<string, Load>()
  const listeners = new Set<(key: string) => void>()
  let stopWatching: (() => void) | undefined

  const listOf = (entry: Entry) => (entry.doc === null ? absent : present)
  const tell = (key: string) => {
    for (const listener of listeners) listener(key)
  }
  const drop = (entry: Entry) => {
    listOf(entry).remove(entry)
    if (entry.doc === null) absentCount--
    entries.delete(entry.key)
    tell(entry.key)
  }
  const evict = () => {
    while (absentCount > maxAbsent && absent.oldest) drop(absent.oldest)
    while (entries.size - absentCount > maxDocuments && present.oldest) drop(present.oldest)
  }
  const set = (entry: Entry, rev: number, doc: Known) => {
    // It may have to move to the other list.
    listOf(entry).remove(entry)
    absentCount += Number(doc === null) - Number(entry.doc === null && entries.has(entry.key))
    entry.rev = rev
    entry.doc = doc
    entries.set(entry.key, entry)
    listOf(entry).touch(entry)
    evict()
  }

  const onChanges = (changes: readonly MetaChange[]) => {
    for (const change of changes) {
      const load = loads.get(change.key)
      if (load) load.change = change
      const entry = entries.get(change.key)
      // What is in memory is kept fresh; a change of anything else is read when it is needed.
      if (!entry || entry.rev > change.rev) continue
      set(entry, change.rev, change.doc)
      tell(change.key)
    }
  }

  const load = async (key: string, loading: Load): Promise<Known> => {
    let row: { readonly rev: number; readonly doc: Json | null } | null
    try {
      row = await meta.get(key)
    } finally {
      // In the same turn as `set` below: a change is seen either here or by `onChanges` on what is held, never by neither.
      loads.delete(key)
    }
    // The read may have been answered before the change and arrive after it.
    const { change } = loading
    const newest = change && change.rev >= (row?.rev ?? 0) ? change : row
    const doc = newest?.doc ?? null
    if (stopWatching) {
      const entry = { key, rev: 0, doc: null, newer: undefined, older: undefined }
      set(entries.get(key) ?? entry, newest?.rev ?? 0, doc)
      // Whoever was given something under way is told; what it made of it may be stale.
      if (change) tell(key)
    }
    return doc
  }

  const find = (key: string): Known | undefined => {
    const entry = entries.get(key)
    if (!entry) return undefined
    listOf(entry).touch(entry)
    return entry.doc
  }

  return {
    async start() {
      stopWatching ??= meta.watch(await meta.rev(), onChanges)
    },
    stop() {
      stopWatching?.()
      stopWatching = undefined
      for (const entry of entries.values()) drop(entry)
    },
    find,
    read(key) {
      const known = find(key)
      if (known !== undefined) return known
      const running = loads.get(key)
      if (running) return running.document
      const loading: Load = { document: Promise.resolve(null), change: undefined }
      loads.set(key, loading)
      loading.document = load(key, loading)
      return loading.document
    },
    onForget(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    get size() {
      return entries.size
    },
  }
}
