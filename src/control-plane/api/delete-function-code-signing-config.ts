/** DeleteFunctionCodeSigningConfig. */
import type { DeleteFunctionCodeSigningConfigRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { deleteFunctionSigning } from '../code-signing/function-signing.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const deleteFunctionCodeSigningConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer'>,
  ): OperationHandler<DeleteFunctionCodeSigningConfigRequest, object> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, {
      operation: 'DeleteFunctionCodeSigningConfig',
    })
    await deleteFunctionSigning(dependencies, id)
    return {}
  }
