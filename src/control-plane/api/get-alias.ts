/** GetAlias. */
import type { AliasConfiguration, GetAliasRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { requireAlias } from '../aliases/aliases.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { aliasView } from '../views.ts'

export const getAliasHandler =
  ({ documents }: Pick<Dependencies, 'documents'>): OperationHandler<GetAliasRequest, AliasConfiguration> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'GetAlias' })
    return aliasView((await requireAlias(documents, id, input.Name ?? '')).doc)
  }
