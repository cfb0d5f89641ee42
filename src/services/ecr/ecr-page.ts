/** ECR's lists: `maxResults`, `nextToken`. */
import { LambdaError } from '#contracts/errors.ts'
import type { Meta, MetaRow } from '#store/port.ts'

import { pageOf, pageOfRows, type Page } from '../iam/paging.ts'
import { invalid } from './ecr-errors.ts'

export interface EcrPaged {
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
}

const MAX_RESULTS = 100

async function paged<Item>(
  { nextToken, maxResults = MAX_RESULTS }: EcrPaged,
  page: (paging: Paging) => Promise<Page<Item>>,
) {
  try {
    const { items, more } = await page({
      ...(nextToken !== undefined && { Marker: nextToken }),
      MaxItems: maxResults,
    })
    return { items, nextToken: more.Marker === undefined ? {} : { nextToken: more.Marker } }
  } catch (error) {
    // Text unverified.
    if (error instanceof LambdaError) throw invalid('nextToken', 'Invalid nextToken')
    throw error
  }
}
type Paging = { readonly Marker?: string; readonly MaxItems: number }

export const pageOfRepositories = <Item>(
  meta: Meta,
  prefix: string,
  request: EcrPaged,
  wanted: (row: MetaRow) => Item | undefined,
) => paged(request, (paging) => pageOfRows(meta, prefix, paging, wanted))

export const pageOfImages = <Item>(all: readonly Item[], keyOf: (item: Item) => string, request: EcrPaged) =>
  paged(request, async (paging) => pageOf(all, keyOf, paging))
