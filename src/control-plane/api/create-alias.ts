/** CreateAlias. */
import type { AliasConfiguration, CreateAliasRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { createAlias } from '../aliases/aliases.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { aliasView } from '../views.ts'

export const createAliasHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<CreateAliasRequest, AliasConfiguration> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'CreateAlias' })
    return aliasView(await createAlias(dependencies, id, input.Name ?? '', input))
  }
