/** UpdateFunctionConfiguration. Answers while the update is still in progress. */
import type { FunctionConfiguration, UpdateFunctionConfigurationRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { updateFunctionConfiguration } from '../functions/update-function.ts'
import { variablesFor } from '../functions/environment.ts'
import { configurationView } from '../views.ts'

export const updateFunctionConfigurationHandler =
  (dependencies: Dependencies): OperationHandler<UpdateFunctionConfigurationRequest, FunctionConfiguration> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, {
      operation: 'UpdateFunctionConfiguration',
    })
    const latest = await updateFunctionConfiguration(dependencies, id, input)
    return configurationView(latest, variablesFor(dependencies, context))
  }
