/** GetEventSourceMapping. */
import type { EventSourceMappingConfiguration, GetEventSourceMappingRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { requireMapping } from '../mappings/mapping-documents.ts'
import { mappingView } from '../mappings/mapping-view.ts'

export const getEventSourceMappingHandler =
  ({
    documents,
    filters,
  }: Pick<Dependencies, 'documents' | 'filters'>): OperationHandler<
    GetEventSourceMappingRequest,
    EventSourceMappingConfiguration
  > =>
  async (input, context) =>
    await mappingView((await requireMapping(documents, context, input.UUID ?? '')).doc, filters)
