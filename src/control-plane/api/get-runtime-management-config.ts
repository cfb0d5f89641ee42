/** GetRuntimeManagementConfig: every function follows its runtime's updates. */
import type {
  GetRuntimeManagementConfigRequest,
  GetRuntimeManagementConfigResponse,
} from '@aws-sdk/client-lambda'

import { functionArn, LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const getRuntimeManagementConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetRuntimeManagementConfigRequest,
    GetRuntimeManagementConfigResponse
  > =>
  async (input, context) => {
    const { id, qualifier } = resolveFunction(input.FunctionName, context, {
      operation: 'GetRuntimeManagementConfig',
      qualifier: input.Qualifier,
    })
    await documents.resolve(id, qualifier)
    // RuntimeVersionArn is null unless the mode is Manual (API reference). That the ARN is qualified is unverified.
    return { UpdateRuntimeOn: 'Auto', FunctionArn: functionArn(id, qualifier ?? LATEST) }
  }
