/** Which messages of a batch are done with, after the function has answered. Pure. */
import type { InvocationResult } from '#contracts/invocation.ts'

import type { QueueMessage } from './queue-client.ts'

/**
 * The messages to delete; the others appear in the queue again. With `reportsFailures` the function's answer names those
 * that failed (developer guide, "Success and failure conditions"): nothing named is success, a name that is none is failure
 * of all.
 */
export function doneWith(
  messages: readonly QueueMessage[],
  result: Pick<InvocationResult, 'functionError' | 'payload'>,
  reportsFailures: boolean,
): readonly QueueMessage[] {
  if (result.functionError !== undefined) return []
  if (!reportsFailures) return messages
  const failed = failedIds(result.payload)
  if (failed === undefined) return []
  const known = new Set(messages.map(({ MessageId }) => MessageId))
  for (const id of failed) if (!known.has(id)) return []
  return messages.filter(({ MessageId }) => !failed.has(MessageId))
}

/** Undefined: the answer does not say it in a way that counts. */
function failedIds(payload: Uint8Array): ReadonlySet<string> | undefined {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
  let answer: unknown
  try {
    answer = text === '' ? null : JSON.parse(text)
  } catch {
    return undefined
  }
  if (answer === null) return new Set()
  if (typeof answer !== 'object') return undefined
  const failures = (answer as { readonly batchItemFailures?: unknown }).batchItemFailures
  if (failures === undefined || failures === null) return new Set()
  if (!Array.isArray(failures)) return undefined
  const ids = new Set<string>()
  for (const failure of failures as readonly unknown[]) {
    const id = (failure as { readonly itemIdentifier?: unknown } | null)?.itemIdentifier
    if (typeof id !== 'string' || id === '') return undefined
    ids.add(id)
  }
  return ids
}
