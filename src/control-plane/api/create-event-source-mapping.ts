/** CreateEventSourceMapping. Answers while the mapping is still Creating. */
import type { CreateEventSourceMappingRequest, EventSourceMappingConfiguration } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { mappingView } from '../mappings/mapping-view.ts'
import { createMapping } from '../mappings/mappings.ts'

export const createEventSourceMappingHandler =
  (
    dependencies: Dependencies,
  ): OperationHandler<CreateEventSourceMappingRequest, EventSourceMappingConfiguration> =>
  async (input, context) =>
    await mappingView(await createMapping(dependencies, context, input), dependencies.filters)
