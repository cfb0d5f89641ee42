/** AddPermission: one statement more in the policy of a function, version or alias. */
import type { AddPermissionRequest, AddPermissionResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { addPermission } from '../policies/function-policy.ts'

export const addPermissionHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<AddPermissionRequest, AddPermissionResponse> =>
  async (input, context) => {
    const place = resolveFunction(input.FunctionName, context, {
      operation: 'AddPermission',
      qualifier: input.Qualifier,
    })
    return { Statement: JSON.stringify(await addPermission(dependencies, place, input)) }
  }
