/** ListFunctionEventInvokeConfigs. */
import type {
  ListFunctionEventInvokeConfigsRequest,
  ListFunctionEventInvokeConfigsResponse,
} from '@aws-sdk/client-lambda'

import type { EventInvokeConfig } from '#contracts/function.ts'
import { eventInvokeConfigKey, eventInvokeConfigPrefix } from '#contracts/keys.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { docOf } from '../documents.ts'
import { requireFunction } from '../events/invoke-config.ts'
import { resolveFunction } from '../functions/names.ts'
import { eventInvokeConfigView } from '../views.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

export const listFunctionEventInvokeConfigsHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    ListFunctionEventInvokeConfigsRequest,
    ListFunctionEventInvokeConfigsResponse
  > =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, {
      operation: 'ListFunctionEventInvokeConfigs',
    })
    await requireFunction(documents, id)
    const size = pageSize(input.MaxItems)
    const [last] = fromMarker(input.Marker, 1) ?? []
    const after = last === undefined ? '' : eventInvokeConfigKey(id, last)
    const rows = await documents.meta.list(eventInvokeConfigPrefix(id), after, size + 1)
    const configs = rows.map((row) => docOf<EventInvokeConfig>(row))
    const { page, ...marker } = cutPage(configs, size, ({ qualifier }) => [qualifier])
    return { FunctionEventInvokeConfigs: page.map(eventInvokeConfigView), ...marker }
  }
