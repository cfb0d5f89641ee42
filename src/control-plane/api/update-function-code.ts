/** UpdateFunctionCode. Answers while the update is still in progress. */
import type { FunctionConfiguration, UpdateFunctionCodeRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { updateFunctionCode } from '../functions/update-function.ts'
import { variablesFor } from '../functions/environment.ts'
import { configurationView } from '../views.ts'

export const updateFunctionCodeHandler =
  (dependencies: Dependencies): OperationHandler<UpdateFunctionCodeRequest, FunctionConfiguration> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'UpdateFunctionCode' })
    const version = await updateFunctionCode(dependencies, id, input, context.principal)
    return configurationView(
      version,
      variablesFor(dependencies, context),
      input.Publish ? version.version : undefined,
    )
  }
