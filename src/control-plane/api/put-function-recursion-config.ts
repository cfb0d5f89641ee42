/** PutFunctionRecursionConfig: whether recursive invocations of the function are stopped. */
import type {
  PutFunctionRecursionConfigRequest,
  PutFunctionRecursionConfigResponse,
} from '@aws-sdk/client-lambda'

import type { FunctionHead } from '#contracts/function.ts'
import { functionKey } from '#contracts/keys.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { headWrite } from '../documents.ts'
import { resolveFunction } from '../functions/names.ts'

export const putFunctionRecursionConfigHandler =
  ({
    documents,
    committer,
  }: Pick<Dependencies, 'documents' | 'committer'>): OperationHandler<
    PutFunctionRecursionConfigRequest,
    PutFunctionRecursionConfigResponse
  > =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'PutFunctionRecursionConfig' })
    return await committer.run(functionKey(id), async () => {
      const before = await documents.requireHead(id)
      const { recursiveLoop: _before, ...rest } = before.doc
      const head: FunctionHead = input.RecursiveLoop === 'Allow' ? { ...rest, recursiveLoop: 'Allow' } : rest
      return {
        writes: [headWrite(before, head)],
        result: { RecursiveLoop: head.recursiveLoop ?? 'Terminate' },
      }
    })
  }
