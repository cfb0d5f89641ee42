/**
 * Many patterns at once: an event is held only against those whose required texts it has, so that a thousand rules that ask
 * for different sources cost an event about as much as one.
 */
import type { CompiledPattern } from './event-pattern.ts'
import { valuesAt } from './match-pattern.ts'

export interface PatternIndex<Key> {
  /** Keys of the patterns that match, in no order. */
  match(event: unknown): readonly Key[]
  /** How many patterns have been held against events so far. */
  readonly evaluated: number
}

interface Entry<Key> {
  readonly key: Key
  readonly pattern: CompiledPattern
}

/** A pattern lies under the one of its required paths where it meets the fewest others. */
export function createPatternIndex<Key>(entries: readonly Entry<Key>[]): PatternIndex<Key> {
  const counts = new Map<string, number>()
  const bucketOf = (path: readonly string[], text: string) => JSON.stringify([path, text])
  for (const { pattern } of entries) {
    for (const { path, texts } of pattern.required) {
      for (const text of texts) {
        const bucket = bucketOf(path, text)
        counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
      }
    }
  }
  const paths = new Map<
    string,
    { readonly path: readonly string[]; readonly byText: Map<string, Entry<Key>[]> }
  >()
  const always: Entry<Key>[] = []
  for (const entry of entries) {
    let best:
      | { readonly path: readonly string[]; readonly texts: readonly string[]; readonly load: number }
      | undefined
    for (const { path, texts } of entry.pattern.required) {
      const load = texts.reduce((sum, text) => sum + (counts.get(bucketOf(path, text)) ?? 0), 0)
      if (!best || load < best.load) best = { path, texts, load }
    }
    if (!best) {
      always.push(entry)
      continue
    }
    const name = JSON.stringify(best.path)
    const at = paths.get(name) ?? { path: best.path, byText: new Map<string, Entry<Key>[]>() }
    paths.set(name, at)
    for (const text of new Set(best.texts)) {
      const bucket = at.byText.get(text)
      if (bucket) bucket.push(entry)
      else at.byText.set(text, [entry])
    }
  }
  let evaluated = 0
  return {
    match(event) {
      const candidates = new Set(always)
      for (const { path, byText } of paths.values()) {
        for (const value of valuesAt(event, path)) {
          if (typeof value === 'string') for (const entry of byText.get(value) ?? []) candidates.add(entry)
        }
      }
      evaluated += candidates.size
      return [...candidates].filter(({ pattern }) => pattern.matches(event)).map(({ key }) => key)
    },
    get evaluated() {
      return evaluated
    },
  }
}
