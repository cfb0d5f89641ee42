import type { Meta, MetaRow } from '#store/port.ts'

const PAGE = 200

/** All rows below a prefix, page by page. */
export async function* walk(meta: Pick<Meta, 'list'>, prefix: string): AsyncGenerator<MetaRow> {
  for (let after = ''; ;) {
    const rows = await meta.list(prefix, after, PAGE)
    yield* rows
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    after = last.key
  }
}
