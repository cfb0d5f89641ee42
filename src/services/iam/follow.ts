/** Keeps a view of documents true: reads what is there, then follows the store's change feed. */
import type { Json } from '#kernel/json.ts'
import type { Meta } from '#store/port.ts'

const READ = 500

/**
 * Calls `apply` with every document below these prefixes, and with what changes later, of any key; what changes meanwhile
 * is told twice, so an older revision must not displace a newer one. Resolves when everything was read; the function
 * that it resolves with ends it.
 */
export async function follow(
  meta: Meta,
  prefixes: readonly string[],
  apply: (key: string, rev: number, doc: Json | null) => void,
): Promise<() => void> {
  const from = await meta.rev()
  for (const prefix of prefixes) {
    for (let after = ''; ;) {
      const rows = await meta.list(prefix, after, READ)
      for (const { key, rev, doc } of rows) apply(key, rev, doc)
      after = rows.at(-1)?.key ?? ''
      if (rows.length < READ) break
    }
  }
  return meta.watch(from, (changes) => {
    for (const { key, rev, doc } of changes) apply(key, rev, doc)
  })
}
