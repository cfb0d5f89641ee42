/** GetFunctionRecursionConfig: recursive invocations are stopped unless the function says otherwise. */
import type {
  GetFunctionRecursionConfigRequest,
  GetFunctionRecursionConfigResponse,
} from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const getFunctionRecursionConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetFunctionRecursionConfigRequest,
    GetFunctionRecursionConfigResponse
  > =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'GetFunctionRecursionConfig' })
    const { doc: head } = await documents.requireHead(id)
    return { RecursiveLoop: head.recursiveLoop ?? 'Terminate' }
  }
