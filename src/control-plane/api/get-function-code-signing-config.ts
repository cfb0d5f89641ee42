/** GetFunctionCodeSigningConfig: no function has one, for which AWS answers an empty body (recorded). */
import type { GetFunctionCodeSigningConfigRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const getFunctionCodeSigningConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<GetFunctionCodeSigningConfigRequest, object> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, {
      operation: 'GetFunctionCodeSigningConfig',
    })
    await documents.requireHead(id)
    return {}
  }
