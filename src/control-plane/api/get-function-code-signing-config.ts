/** GetFunctionCodeSigningConfig: for a function without one AWS answers an empty body (recorded). */
import type {
  GetFunctionCodeSigningConfigRequest,
  GetFunctionCodeSigningConfigResponse,
} from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { signingArnOf } from '../code-signing/function-signing.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const getFunctionCodeSigningConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetFunctionCodeSigningConfigRequest,
    Partial<GetFunctionCodeSigningConfigResponse>
  > =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, {
      operation: 'GetFunctionCodeSigningConfig',
    })
    const { doc: head } = await documents.requireHead(id)
    const arn = signingArnOf(head)
    return arn === undefined ? {} : { CodeSigningConfigArn: arn, FunctionName: id.name }
  }
