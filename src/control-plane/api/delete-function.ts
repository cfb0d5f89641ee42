/** DeleteFunction: the whole function, or the version that is named. */
import type { DeleteFunctionRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { assertDeletable, deleteFunction, deleteVersion } from '../functions/delete-function.ts'
import { resolveFunction } from '../functions/names.ts'

export const deleteFunctionHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer'>,
  ): OperationHandler<DeleteFunctionRequest, object> =>
  async (input, context) => {
    const { id, qualifier } = resolveFunction(input.FunctionName, context, {
      operation: 'DeleteFunction',
      qualifier: input.Qualifier,
    })
    assertDeletable(qualifier)
    const managed =
      qualifier === undefined
        ? await deleteFunction(dependencies, id)
        : await deleteVersion(dependencies, id, qualifier)
    // The API model says 200; AWS sends 204 (recorded), and 202 for what was on a capacity provider (seen).
    return { $status: managed ? 202 : 204 }
  }
