/** CreateFunction. Answers while the function is still Pending. */
import type { CreateFunctionRequest, FunctionConfiguration } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { createFunction } from '../functions/create-function.ts'
import { resolveNewFunction } from '../functions/names.ts'
import { variablesFor } from '../functions/environment.ts'
import { configurationView } from '../views.ts'

export const createFunctionHandler =
  (dependencies: Dependencies): OperationHandler<CreateFunctionRequest, FunctionConfiguration> =>
  async (input, context) => {
    const id = resolveNewFunction(input.FunctionName, context)
    const version = await createFunction(dependencies, id, input, context.principal)
    // The ARN is unqualified even when version 1 was published (recorded from AWS).
    return configurationView(version, variablesFor(dependencies, context))
  }
