/** What goes when a version or alias loses its provisioned concurrency, with it or because it is deleted itself. */
import type { FunctionId } from '#contracts/arn.ts'
import type { FunctionHead } from '#contracts/function.ts'
import { provisionedConcurrencyKey } from '#contracts/keys.ts'
import type { MetaWrite } from '#store/port.ts'

import type { Documents } from '../documents.ts'

/** The function's document with another sum. */
export function withProvisioned(head: FunctionHead, change: number): FunctionHead {
  const { provisionedConcurrency = 0, ...rest } = head
  const sum = Math.max(0, provisionedConcurrency + change)
  return sum === 0 ? rest : { ...rest, provisionedConcurrency: sum }
}

/** Writes that go with the deletion of a configuration; the head and the counters are the caller's. */
export async function removalOf(
  documents: Documents,
  id: FunctionId,
  qualifier: string,
): Promise<{ readonly writes: readonly MetaWrite[]; readonly requested: number }> {
  const config = await documents.provisionedConcurrency(id, qualifier)
  if (!config) return { writes: [], requested: 0 }
  const key = provisionedConcurrencyKey(id, qualifier)
  return { writes: [{ key, ifRev: config.rev, doc: null }], requested: config.doc.requested }
}
