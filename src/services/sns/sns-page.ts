/** SNS's lists: pages of 100 and `NextToken`. */
import { LambdaError } from '#contracts/errors.ts'
import type { Meta, MetaRow } from '#store/port.ts'

import { pageOfRows } from '../iam/paging.ts'
import { invalidParameter } from './sns-errors.ts'

const PAGE = 100

export async function snsPage<Item>(
  meta: Meta,
  prefix: string,
  nextToken: string | undefined,
  wanted: (row: MetaRow) => Item | undefined,
) {
  try {
    const marker = nextToken === undefined || nextToken === '' ? {} : { Marker: nextToken }
    const { items, more } = await pageOfRows(meta, prefix, { ...marker, MaxItems: PAGE }, wanted)
    return { items, more: more.Marker === undefined ? {} : { NextToken: more.Marker } }
  } catch (error) {
    // Text unverified.
    if (error instanceof LambdaError) throw invalidParameter('NextToken')
    throw error
  }
}
