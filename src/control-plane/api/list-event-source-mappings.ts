/** ListEventSourceMappings: mappings can't be created yet, so that the list is truly empty. */
import type { ListEventSourceMappingsRequest, ListEventSourceMappingsResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

export const listEventSourceMappingsHandler =
  (): OperationHandler<ListEventSourceMappingsRequest, ListEventSourceMappingsResponse> => async () => ({
    EventSourceMappings: [],
  })
