/** GetFunctionConcurrency: empty when nothing is reserved. */
import type { GetFunctionConcurrencyRequest, GetFunctionConcurrencyResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { assertUnqualified } from '../concurrency/reserve.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const getFunctionConcurrencyHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetFunctionConcurrencyRequest,
    GetFunctionConcurrencyResponse
  > =>
  async (input, context) => {
    const { id, qualifier } = resolveFunction(input.FunctionName, context, {
      operation: 'GetFunctionConcurrency',
    })
    assertUnqualified(qualifier)
    const { reservedConcurrency } = (await documents.requireHead(id)).doc
    return reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency }
  }
