/** Reserved concurrency: one function's share, taken out of the account's. */
import type { FunctionId } from '#contracts/arn.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import { accountKey } from '#contracts/keys.ts'
import { MIN_UNRESERVED_CONCURRENCY } from '#contracts/limits.ts'
import type { FunctionHead } from '#contracts/function.ts'

import { countersWrite } from '../account/counters.ts'
import type { Dependencies } from '../dependencies.ts'
import { headWrite } from '../documents.ts'
import { LATEST } from '#contracts/arn.ts'

/** Aliases and versions have no reservation of their own (recorded from AWS). */
export function assertUnqualified(qualifier: string | undefined): void {
  if (qualifier === undefined) return
  throw invalidParameter(
    'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
  )
}

/** Refuses a sum of reservations that leaves the other functions less than the least. */
export function assertUnreserved(accountConcurrency: number, reservedInAll: number): void {
  if (accountConcurrency - reservedInAll >= MIN_UNRESERVED_CONCURRENCY) return
  // Recorded without a `Type`.
  throw new LambdaError(
    'InvalidParameterValueException',
    `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${MIN_UNRESERVED_CONCURRENCY}].`,
    { status: 400, withoutType: true },
  )
}

/** Sets the reservation, or removes it when `reserved` is undefined. Environments are not touched. */
export function reserve(
  {
    documents,
    committer,
    accountConcurrency,
  }: Pick<Dependencies, 'documents' | 'committer' | 'accountConcurrency'>,
  id: FunctionId,
  reserved: number | undefined,
): Promise<void> {
  return committer.run(accountKey(id), async () => {
    // A missing function is named with $LATEST here, as AWS does for PutFunctionConcurrency (recorded).
    const before = await documents.requireHead(id, reserved === undefined ? undefined : LATEST)
    const counters = await documents.counters(id)
    const { reservedConcurrency: previous = 0, ...rest } = before.doc
    const change = (reserved ?? 0) - previous
    if (change > 0) assertUnreserved(accountConcurrency, counters.doc.reservedConcurrency + change)
    const head: FunctionHead = reserved === undefined ? rest : { ...rest, reservedConcurrency: reserved }
    return {
      writes: [headWrite(before, head), countersWrite(id, counters, { reservedConcurrency: change })],
      result: undefined,
    }
  })
}
