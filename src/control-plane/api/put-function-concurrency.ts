/** PutFunctionConcurrency: reserves a share of the account's concurrency. */
import type { Concurrency, PutFunctionConcurrencyRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { assertUnqualified, reserve } from '../concurrency/reserve.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const putFunctionConcurrencyHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'accountConcurrency'>,
  ): OperationHandler<PutFunctionConcurrencyRequest, Concurrency> =>
  async (input, context) => {
    const { id, qualifier } = resolveFunction(input.FunctionName, context, {
      operation: 'PutFunctionConcurrency',
    })
    assertUnqualified(qualifier)
    const reserved = input.ReservedConcurrentExecutions ?? 0
    await reserve(dependencies, id, reserved)
    return { ReservedConcurrentExecutions: reserved }
  }
