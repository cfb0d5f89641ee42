/** IAM's lists: `Marker`, `MaxItems`, `IsTruncated`. */
import type { Meta, MetaRow } from '#store/port.ts'

import { invalid } from './iam-errors.ts'

const DEFAULT_ITEMS = 100

export interface Paged {
  readonly Marker?: string
  readonly MaxItems?: number
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Members of the answer that say whether there is more. */
  readonly more: { readonly IsTruncated: boolean; readonly Marker?: string }
}

const markerOf = (position: string) => Buffer.from(position).toString('base64url')

function positionOf(marker: string | undefined): string {
  if (marker === undefined) return ''
  const position = Buffer.from(marker, 'base64url').toString()
  // Text unverified.
  if (markerOf(position) !== marker) throw invalid('Invalid Marker.')
  return position
}

/** A page of what is in memory anyway; `keyOf` must grow along the list. */
export function pageOf<Item>(
  all: readonly Item[],
  keyOf: (item: Item) => string,
  { Marker, MaxItems = DEFAULT_ITEMS }: Paged,
): Page<Item> {
  const after = positionOf(Marker)
  const start = after === '' ? 0 : all.findIndex((item) => keyOf(item) === after) + 1
  const items = all.slice(start, start + MaxItems)
  const last = items.at(-1)
  const truncated = start + items.length < all.length && last !== undefined
  return { items, more: { IsTruncated: truncated, ...(truncated && { Marker: markerOf(keyOf(last)) }) } }
}

/** Rows read at once. */
const READ = 200

/** A page of the rows below `prefix` that `wanted` takes, in key order. */
export async function pageOfRows<Item>(
  meta: Meta,
  prefix: string,
  { Marker, MaxItems = DEFAULT_ITEMS }: Paged,
  wanted: (row: MetaRow) => Item | undefined,
): Promise<Page<Item>> {
  const items: Item[] = []
  let last = ''
  let after = Marker === undefined ? '' : `${prefix}${positionOf(Marker)}`
  for (;;) {
    const rows = await meta.list(prefix, after, READ)
    for (const row of rows) {
      const item = wanted(row)
      if (item === undefined) continue
      if (items.length === MaxItems) return { items, more: { IsTruncated: true, Marker: markerOf(last) } }
      items.push(item)
      last = row.key.slice(prefix.length)
    }
    after = rows.at(-1)?.key ?? ''
    if (rows.length < READ) return { items, more: { IsTruncated: false } }
  }
}

/** Everything below `prefix`; for what quotas keep short. */
export async function allRows(meta: Meta, prefix: string): Promise<readonly MetaRow[]> {
  const all: MetaRow[] = []
  for (let after = ''; ;) {
    const rows = await meta.list(prefix, after, READ)
    all.push(...rows)
    after = rows.at(-1)?.key ?? ''
    if (rows.length < READ) return all
  }
}
