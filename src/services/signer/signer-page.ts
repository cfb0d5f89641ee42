/** Signer's lists: `maxResults`, `nextToken`. */
import { LambdaError } from '#contracts/errors.ts'
import type { Meta, MetaRow } from '#store/port.ts'

import { pageOfRows } from '../iam/paging.ts'
import { validation } from './signer-errors.ts'

/** The most that a request may ask for, and the default. */
const MAX_RESULTS = 25

export async function signerPage<Item>(
  meta: Meta,
  prefix: string,
  { maxResults = MAX_RESULTS, nextToken }: { readonly maxResults?: number; readonly nextToken?: string },
  wanted: (row: MetaRow) => Item | undefined,
) {
  try {
    const page = { ...(nextToken !== undefined && { Marker: nextToken }), MaxItems: maxResults }
    const { items, more } = await pageOfRows(meta, prefix, page, wanted)
    return { items, nextToken: more.Marker === undefined ? {} : { nextToken: more.Marker } }
  } catch (error) {
    if (error instanceof LambdaError) throw validation('Invalid nextToken')
    throw error
  }
}
