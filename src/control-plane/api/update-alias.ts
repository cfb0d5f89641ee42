/** UpdateAlias. */
import type { AliasConfiguration, UpdateAliasRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { updateAlias } from '../aliases/aliases.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { aliasView } from '../views.ts'

export const updateAliasHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<UpdateAliasRequest, AliasConfiguration> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'UpdateAlias' })
    return aliasView(await updateAlias(dependencies, id, input.Name ?? '', input))
  }
