/** GetFunctionConfiguration. */
import type { FunctionConfiguration, GetFunctionConfigurationRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { variablesFor } from '../functions/environment.ts'
import { configurationView } from '../views.ts'

export const getFunctionConfigurationHandler =
  ({
    documents,
    environments,
    keyReaders,
  }: Pick<Dependencies, 'documents' | 'environments' | 'keyReaders'>): OperationHandler<
    GetFunctionConfigurationRequest,
    FunctionConfiguration
  > =>
  async (input, context) => {
    const variables = variablesFor({ environments, keyReaders }, context)
    const { id, qualifier } = resolveFunction(input.FunctionName, context, {
      operation: 'GetFunctionConfiguration',
      qualifier: input.Qualifier,
    })
    const { version } = await documents.resolve(id, qualifier)
    return configurationView(version, variables, qualifier)
  }
