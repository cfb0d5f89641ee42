/** ListEventSourceMappings: all of the account, those of a function, of a source, or of both together. */
import type { ListEventSourceMappingsRequest, ListEventSourceMappingsResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { findMappings } from '../mappings/mapping-list.ts'
import { listedMapping } from '../mappings/mapping-view.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

/** API reference. */
const MAX_ITEMS = 100

export const listEventSourceMappingsHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    ListEventSourceMappingsRequest,
    ListEventSourceMappingsResponse
  > =>
  async (input, context) => {
    const size = pageSize(input.MaxItems, MAX_ITEMS)
    const [after = ''] = fromMarker(input.Marker, 1) ?? []
    // A function that does not exist has no mappings, which is no error (reported by clients of AWS).
    const target = input.FunctionName
      ? resolveFunction(input.FunctionName, context, { operation: 'ListEventSourceMappings' })
      : undefined
    const filter = { target, sourceArn: input.EventSourceArn }
    const found = await findMappings(documents, context, filter, after, size + 1)
    const { page, ...marker } = cutPage(found, size, ({ uuid }) => [uuid])
    return { EventSourceMappings: page.map(listedMapping), ...marker }
  }
