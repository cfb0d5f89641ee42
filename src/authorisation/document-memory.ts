/** Documents of the store that decisions are made of, read once and kept fresh by its change feed. */
import type { Json } from '#kernel/json.ts'
import type { Meta } from '#store/port.ts'

export interface DocumentMemory {
  start(): Promise<void>
  stop(): void
  /**
   * What `make` makes of the document, which is always the same for the same key; undefined when there is no such
   * document, which is remembered as well. At once when it is known.
   */
  read<Value>(key: string, make: (doc: Json) => Value): Value | undefined | Promise<Value | undefined>
  readonly size: number
}

interface Held {
  readonly rev: number
  readonly value: unknown
}

interface Load {
  readonly value: Promise<unknown>
  /** A change that arrived while the read was under way. */
  change: { readonly rev: number; readonly doc: Json | null } | undefined
}

/** `onForget` is called whenever something that was given out is not current any more, or not known to be. */
export function createDocumentMemory(options: {
  readonly meta: Meta
  readonly maxDocuments: number
  readonly onForget: () => void
}): DocumentMemory {
  const { meta, maxDocuments, onForget } = options
  /** Oldest use first. */
  const held = new Map<string, Held>()
  const loads = new Map<string, Load>()
  let stopWatching: (() => void) | undefined

  const load = async <Value>(key: string, make: (doc: Json) => Value): Promise<Value | undefined> => {
    let row: { readonly rev: number; readonly doc: Json | null } | null
    let change: Load['change']
    try {
      row = await meta.get(key)
    } finally {
      // In the same turn as what follows: a change is seen here, or by the watch on what is held.
      change = loads.get(key)?.change
      loads.delete(key)
    }
    const newest = change && change.rev >= (row?.rev ?? 0) ? change : row
    const value = newest === null || newest.doc === null ? undefined : make(newest.doc)
    if (stopWatching) {
      held.set(key, { rev: newest?.rev ?? 0, value })
      const oldest = held.size > maxDocuments ? held.keys().next().value : undefined
      if (oldest !== undefined) {
        held.delete(oldest)
        // Its changes are not followed any more.
        onForget()
      }
    }
    return value
  }

  return {
    async start() {
      stopWatching ??= meta.watch(await meta.rev(), (changes) => {
        for (const { key, rev, doc } of changes) {
          const loading = loads.get(key)
          if (loading) loading.change = { rev, doc }
          const known = held.get(key)
          if (loading || (known && known.rev <= rev)) {
            held.delete(key)
            onForget()
          }
        }
      })
    },
    stop() {
      stopWatching?.()
      stopWatching = undefined
      held.clear()
      onForget()
    },
    read<Value>(key: string, make: (doc: Json) => Value) {
      const known = held.get(key)
      if (known) {
        held.delete(key)
        held.set(key, known)
        return known.value as Value | undefined
      }
      const running = loads.get(key)
      if (running) return running.value as Promise<Value | undefined>
      const entry: Load = { value: Promise.resolve(), change: undefined }
      loads.set(key, entry)
      const value = load(key, make)
      loads.set(key, Object.assign(entry, { value }))
      return value
    },
    get size() {
      return held.size
    },
  }
}
