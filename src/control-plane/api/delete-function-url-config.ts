/** DeleteFunctionUrlConfig. */
import type { DeleteFunctionUrlConfigRequest } from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { deleteUrl } from '../urls/function-urls.ts'

export const deleteFunctionUrlConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer'>,
  ): OperationHandler<DeleteFunctionUrlConfigRequest, object> =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'DeleteFunctionUrlConfig',
      qualifier: input.Qualifier,
    })
    await deleteUrl(dependencies, id, qualifier)
    return {}
  }
