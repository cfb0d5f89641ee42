/** PutFunctionCodeSigningConfig. */
import type {
  PutFunctionCodeSigningConfigRequest,
  PutFunctionCodeSigningConfigResponse,
} from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { putFunctionSigning } from '../code-signing/function-signing.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const putFunctionCodeSigningConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer'>,
  ): OperationHandler<PutFunctionCodeSigningConfigRequest, PutFunctionCodeSigningConfigResponse> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'PutFunctionCodeSigningConfig' })
    const arn = input.CodeSigningConfigArn ?? ''
    await putFunctionSigning(dependencies, id, arn)
    return { CodeSigningConfigArn: arn, FunctionName: id.name }
  }
