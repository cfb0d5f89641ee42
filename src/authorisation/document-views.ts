/** What is made of the documents that decisions rest on: once for each document, as long as it stays the same. */
import type { DocumentCache, Known } from '#documents/port.ts'
import type { Json } from '#kernel/json.ts'

export interface DocumentViews {
  /**
   * What `make` makes of the document; undefined when there is none. At once when the document is known. `make` is one of
   * a few functions that live as long as the program.
   */
  read<Value>(key: string, make: (doc: Json) => Value): Value | undefined | Promise<Value | undefined>
  stop(): void
}

/** Documents whose changes are waited for at a time. */
const MAX_USED = 50_000

/** `onForget` is called whenever something that was given out is not current any more, or not known to be. */
export function createDocumentViews(options: {
  readonly documents: Pick<DocumentCache, 'read' | 'onForget'>
  readonly onForget: () => void
}): DocumentViews {
  const { documents, onForget } = options
  const made = new Map<(doc: Json) => unknown, WeakMap<object, unknown>>()
  /** Keys that were read since the last time that everything was forgotten. */
  const used = new Set<string>()
  const forget = () => {
    used.clear()
    onForget()
  }
  const stop = documents.onForget((key) => {
    if (used.has(key)) forget()
  })

  const view = <Value>(known: Known, make: (doc: Json) => Value): Value | undefined => {
    if (known === null || typeof known !== 'object') return undefined
    let views = made.get(make)
    if (!views) made.set(make, (views = new WeakMap()))
    if (views.has(known)) return views.get(known) as Value
    const value = make(known)
    views.set(known, value)
    return value
  }

  return {
    read(key, make) {
      if (used.size >= MAX_USED) forget()
      used.add(key)
      const known = documents.read(key)
      return known instanceof Promise ? known.then((doc) => view(doc, make)) : view(known, make)
    },
    stop() {
      stop()
      forget()
    },
  }
}
