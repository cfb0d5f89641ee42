/** What the neighbour services share about keeping documents: writes that hold, and pages below a prefix. */
import type { Meta, MetaRow, MetaWrite } from '#store/port.ts'

const MAX_ATTEMPTS = 24
const READ = 200

/**
 * Runs `decide` until its writes hold and returns its result. `decide` reads anew each time and must have no effects
 * of its own. Throws what `decide` throws, and `tooContended()` after too many conflicts.
 */
export async function commitWrites<Result>(
  meta: Meta,
  decide: () => Promise<{ readonly writes: readonly MetaWrite[]; readonly result: Result }>,
  tooContended: () => Error,
): Promise<Result> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { writes, result } = await decide()
    if (writes.length === 0 || (await meta.txn(writes)) !== 'conflict') return result
  }
  throw tooContended()
}

/**
 * Up to `limit` documents below a prefix that `wanted` makes something of, after the place `after` ('' for the start).
 * `last` is the place of the last one, when there are more.
 */
export async function pageBelow<Item>(
  meta: Meta,
  prefix: string,
  { limit, after }: { readonly limit: number; readonly after: string },
  wanted: (row: MetaRow) => Item | undefined,
): Promise<{ readonly items: readonly Item[]; readonly last?: string }> {
  const items: Item[] = []
  let last = ''
  let from = after === '' ? '' : prefix + after
  for (;;) {
    const rows = await meta.list(prefix, from, READ)
    for (const row of rows) {
      const item = wanted(row)
      if (item === undefined) continue
      if (items.length === limit) return { items, last }
      items.push(item)
      last = row.key.slice(prefix.length)
    }
    from = rows.at(-1)?.key ?? ''
    if (rows.length < READ) return { items }
  }
}
