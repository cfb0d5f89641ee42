/** DeleteResourcePolicy: removes the whole policy of a function, version or alias. */
import type { DeleteResourcePolicyRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { deletePolicy } from '../policies/function-policy.ts'

export const deleteResourcePolicyHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<DeleteResourcePolicyRequest, object> =>
  async (input, context) => {
    const place = resolveFunction(input.ResourceArn, context, { operation: 'DeleteResourcePolicy' })
    await deletePolicy(dependencies, place, input)
    return {}
  }
