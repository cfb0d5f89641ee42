/** ListFunctionUrlConfigs: the function's own URL first, then those of its aliases. */
import type { ListFunctionUrlConfigsRequest, ListFunctionUrlConfigsResponse } from '@aws-sdk/client-lambda'

import { resourceNotFound } from '#contracts/errors.ts'
import type { FunctionUrl, FunctionUrlPointer } from '#contracts/function-url.ts'
import { functionUrlKey, functionUrlPrefix, urlKey } from '#contracts/keys.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { docOf } from '../documents.ts'
import { resolveFunction } from '../functions/names.ts'
import { urlView } from '../urls/url-view.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

export const listFunctionUrlConfigsHandler =
  ({
    documents,
    urlName,
  }: Pick<Dependencies, 'documents' | 'urlName'>): OperationHandler<
    ListFunctionUrlConfigsRequest,
    ListFunctionUrlConfigsResponse
  > =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'ListFunctionUrlConfigs' })
    // Recorded from AWS.
    if (!(await documents.head(id))) throw resourceNotFound('Function does not exist')
    const size = pageSize(input.MaxItems)
    const [last] = fromMarker(input.Marker, 1) ?? []
    const after = last === undefined ? '' : functionUrlKey(id, last)
    // `$` sorts before letters and digits, so that the function itself comes first.
    const pointers = await documents.meta.list(functionUrlPrefix(id), after, size + 1)
    const rows = await Promise.all(
      pointers.map((row) => documents.meta.get(urlKey(docOf<FunctionUrlPointer>(row).urlId))),
    )
    const urls = rows.flatMap((row) => (row ? [docOf<FunctionUrl>(row)] : []))
    const { page, ...marker } = cutPage(urls, size, ({ qualifier }) => [qualifier])
    return { FunctionUrlConfigs: page.map((url) => urlView(url, urlName, context.endpoint)), ...marker }
  }
