/** Requests with up to ten entries, each of which succeeds or fails by itself. */
import { LambdaError } from '#contracts/errors.ts'
import { queryCode } from '#wire/errors.ts'
import { sqsModel } from '#wire/models/sqs.ts'

import { emptyBatch, idsNotDistinct, invalidBatchId, tooManyEntries } from './sqs-errors.ts'

const MAX_ENTRIES = 10
const ID = /^[\w-]{1,80}$/

interface Entry {
  readonly Id?: string | undefined
}

/** Throws what is wrong with the batch as a whole. `kind`: the name of its entries. */
export function checkBatch(entries: readonly Entry[] | undefined, kind: string): void {
  if (!entries || entries.length === 0) throw emptyBatch(kind)
  if (entries.length > MAX_ENTRIES) throw tooManyEntries(entries.length)
  const seen = new Set<string>()
  for (const { Id = '' } of entries) {
    if (!ID.test(Id)) throw invalidBatchId()
    if (seen.has(Id)) throw idsNotDistinct(Id)
    seen.add(Id)
  }
}

/** Runs all of them, begun in their order. */
export async function runBatch<One extends Entry, Done extends object>(
  entries: readonly One[],
  run: (entry: One) => Promise<Done>,
): Promise<{ readonly Successful: readonly object[]; readonly Failed: readonly object[] }> {
  const outcomes = await Promise.allSettled(entries.map(async (entry) => await run(entry)))
  const Successful: object[] = []
  const Failed: object[] = []
  for (const [at, outcome] of outcomes.entries()) {
    const Id = entries[at]?.Id ?? ''
    if (outcome.status === 'fulfilled') Successful.push({ Id, ...outcome.value })
    else Failed.push({ Id, ...failureOf(outcome.reason) })
  }
  return { Successful, Failed }
}

function failureOf(reason: unknown): object {
  // A mistake of ours fails the whole request, and is logged there.
  if (!(reason instanceof LambdaError)) throw reason
  const { code, fault, message } = reason
  return { SenderFault: fault === 'client', Code: queryCode(sqsModel, code), Message: message }
}
