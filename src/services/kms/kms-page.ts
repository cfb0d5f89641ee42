/** KMS's lists: `Limit`, `Marker`, `Truncated`, `NextMarker`. */
import { LambdaError } from '#contracts/errors.ts'
import type { Meta, MetaRow } from '#store/port.ts'

import { pageOfRows } from '../iam/paging.ts'
import { badMarker } from './kms-errors.ts'

/** As the API reference says of keys; aliases have 50. */
const DEFAULT_LIMIT = 100

export async function kmsPage<Item>(
  meta: Meta,
  prefix: string,
  { Marker, Limit = DEFAULT_LIMIT }: { readonly Marker?: string; readonly Limit?: number },
  wanted: (row: MetaRow) => Item | undefined,
) {
  try {
    const { items, more } = await pageOfRows(meta, prefix, { Marker, MaxItems: Limit }, wanted)
    const next = more.Marker === undefined ? {} : { NextMarker: more.Marker }
    return { items, more: { Truncated: more.IsTruncated, ...next } }
  } catch (error) {
    if (error instanceof LambdaError) throw badMarker()
    throw error
  }
}
