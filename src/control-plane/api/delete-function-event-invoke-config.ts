/** DeleteFunctionEventInvokeConfig. */
import type { DeleteFunctionEventInvokeConfigRequest } from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { deleteInvokeConfig } from '../events/invoke-config.ts'
import { resolveFunction } from '../functions/names.ts'

export const deleteFunctionEventInvokeConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer'>,
  ): OperationHandler<DeleteFunctionEventInvokeConfigRequest, object> =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'DeleteFunctionEventInvokeConfig',
      qualifier: input.Qualifier,
    })
    await deleteInvokeConfig(dependencies, id, qualifier)
    return {}
  }
