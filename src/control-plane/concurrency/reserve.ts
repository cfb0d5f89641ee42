/** Reserved concurrency: one function's share, taken out of the account's. */
import type { FunctionId } from '#contracts/arn.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import { accountKey } from '#contracts/keys.ts'
import { MIN_UNRESERVED_CONCURRENCY } from '#contracts/limits.ts'
import type { FunctionHead } from '#contracts/function.ts'
import { takenConcurrency } from '#contracts/provisioned-concurrency.ts'

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

/** Refuses a reservation that the function's own provisioned concurrency does not fit in. */
function assertProvisionedFits({ reservedConcurrency, provisionedConcurrency = 0 }: FunctionHead): void {
  if (reservedConcurrency === undefined || reservedConcurrency >= provisionedConcurrency) return
  // With these spaces (recorded from AWS).
  throw invalidParameter(
    ` ReservedConcurrentExecutions  ${reservedConcurrency} should not be lower than function's total provisioned concurrency [${provisionedConcurrency}].`,
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
    const { reservedConcurrency: _previous, ...rest } = before.doc
    const head: FunctionHead = reserved === undefined ? rest : { ...rest, reservedConcurrency: reserved }
    assertProvisionedFits(head)
    const change = takenConcurrency(head) - takenConcurrency(before.doc)
    if (change > 0) assertUnreserved(accountConcurrency, counters.doc.reservedConcurrency + change)
    return {
      writes: [headWrite(before, head), countersWrite(id, counters, { reservedConcurrency: change })],
      result: undefined,
    }
  })
}
