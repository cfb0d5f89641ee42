/** DeleteAlias. */
import type { DeleteAliasRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { deleteAlias } from '../aliases/aliases.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const deleteAliasHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer'>,
  ): OperationHandler<DeleteAliasRequest, object> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'DeleteAlias' })
    await deleteAlias(dependencies, id, input.Name ?? '')
    return {}
  }
