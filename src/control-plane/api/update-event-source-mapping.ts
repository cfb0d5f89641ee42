/** UpdateEventSourceMapping. Answers while the change is still being applied. */
import type { EventSourceMappingConfiguration, UpdateEventSourceMappingRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { mappingView } from '../mappings/mapping-view.ts'
import { updateMapping } from '../mappings/mappings.ts'

export const updateEventSourceMappingHandler =
  (
    dependencies: Dependencies,
  ): OperationHandler<UpdateEventSourceMappingRequest, EventSourceMappingConfiguration> =>
  async (input, context) =>
    await mappingView(await updateMapping(dependencies, context, input), dependencies.filters)
