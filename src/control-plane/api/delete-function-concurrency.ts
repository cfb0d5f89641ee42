/** DeleteFunctionConcurrency: gives the reserved share back. */
import type { DeleteFunctionConcurrencyRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { assertUnqualified, reserve } from '../concurrency/reserve.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const deleteFunctionConcurrencyHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'accountConcurrency'>,
  ): OperationHandler<DeleteFunctionConcurrencyRequest, object> =>
  async (input, context) => {
    const { id, qualifier } = resolveFunction(input.FunctionName, context, {
      operation: 'DeleteFunctionConcurrency',
    })
    assertUnqualified(qualifier)
    await reserve(dependencies, id, undefined)
    return {}
  }
