/** RemovePermission: takes one statement out of a policy. */
import type { RemovePermissionRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { removePermission } from '../policies/function-policy.ts'

export const removePermissionHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<RemovePermissionRequest, object> =>
  async (input, context) => {
    const place = resolveFunction(input.FunctionName, context, {
      operation: 'RemovePermission',
      qualifier: input.Qualifier,
    })
    await removePermission(dependencies, place, input)
    return {}
  }
