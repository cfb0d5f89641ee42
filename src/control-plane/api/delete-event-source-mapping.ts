/** DeleteEventSourceMapping. Answers with the mapping, which is Deleting and soon gone. */
import type { DeleteEventSourceMappingRequest, EventSourceMappingConfiguration } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { mappingView } from '../mappings/mapping-view.ts'
import { deleteMapping } from '../mappings/mappings.ts'

export const deleteEventSourceMappingHandler =
  (
    dependencies: Dependencies,
  ): OperationHandler<DeleteEventSourceMappingRequest, EventSourceMappingConfiguration> =>
  async (input, context) =>
    await mappingView(await deleteMapping(dependencies, context, input.UUID ?? ''), dependencies.filters)
