/** Reads a queue's document, changes it and writes it; once more when somebody else was faster. */
import { sqsQueueKey, type SqsQueue } from '#contracts/sqs.ts'
import type { Json } from '#kernel/json.ts'
import type { Meta } from '#store/port.ts'

import { noSuchQueue, unavailable } from './sqs-errors.ts'

const MAX_ATTEMPTS = 24

/** `update` gets the document as it is now and must have no effects of its own; undefined: nothing is to be changed. */
export type ChangeQueue = (
  queue: SqsQueue,
  update: (now: SqsQueue) => Partial<SqsQueue> | undefined,
) => Promise<SqsQueue>

export const createChangeQueue =
  (deps: { readonly meta: Meta }): ChangeQueue =>
  async (queue, update) => {
    const key = sqsQueueKey(queue, queue.name)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const row = await deps.meta.get(key)
      const now = row?.doc as unknown as SqsQueue | undefined
      if (!row || now?.number !== queue.number) throw noSuchQueue()
      const change = update(now)
      if (!change) return now
      const after: SqsQueue = { ...now, ...change }
      const doc = after as unknown as Json
      if ((await deps.meta.txn([{ key, doc, ifRev: row.rev }])) !== 'conflict') return after
    }
    throw unavailable('The queue is being changed by others, try again')
  }
