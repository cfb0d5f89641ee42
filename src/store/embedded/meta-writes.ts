/** Checks and serialises the writes of a metadata transaction. */
import type { Json } from '#kernel/json.ts'
import { checkKey } from '#store/embedded/keys.ts'
import type { MetaChange, MetaWrite } from '#store/port.ts'

export interface SerialWrite {
  readonly key: string
  readonly ifRev: number | undefined
  /** JSON text, or null to delete. */
  readonly text: string | null
}

/** Throws a TypeError for a bad key, a document that is not JSON, or a key that is written twice. */
export function serialiseWrites(writes: readonly MetaWrite[]): readonly SerialWrite[] {
  const keys = new Set<string>()
  return writes.map(({ key, ifRev, doc }) => {
    checkKey(key)
    if (keys.has(key)) throw new TypeError(`A transaction writes each key once, "${key}" comes twice`)
    keys.add(key)
    const text: string | undefined | null = doc === null ? null : JSON.stringify(doc)
    if (text === undefined) throw new TypeError(`The document of "${key}" is not JSON`)
    return { key, ifRev, text }
  })
}

/** What watchers are told; parsed anew, so that they never share an object with the writer. */
export const changesOf = (rev: number, writes: readonly SerialWrite[]): readonly MetaChange[] =>
  writes.map(({ key, text }) => ({ rev, key, doc: text === null ? null : (JSON.parse(text) as Json) }))
