/** Compares a store with what a killed writer (store-writer.ts) had been promised. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

import type { LogEntry, Store } from '#store/port.ts'

interface Ack {
  readonly lease?: number
  readonly meta?: string
  readonly n?: number
  readonly rev?: number
  readonly log?: string
  readonly gone?: string
  readonly visibleAt?: number
  readonly blob?: string
}

/** The acknowledged writes among the lines; a last line without an end was never printed whole. */
export const parseAcks = (output: string): readonly Ack[] =>
  output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Ack)

/** Fails unless everything acknowledged is in the store. Returns how many acknowledgements were checked. */
export async function checkAcks(store: Store, acks: readonly Ack[]): Promise<number> {
  const entries = new Map<string, LogEntry>()
  for (let after = 0n; ;) {
    const page = await store.queueLog.load(0, after, 1000)
    for (const entry of page) entries.set(String(entry.id), entry)
    const last = page.at(-1)
    if (!last) break
    after = last.id
  }
  let [newestRev, epoch] = [0, 0]
  for (const ack of acks) {
    newestRev = Math.max(newestRev, ack.rev ?? 0)
    epoch = Math.max(epoch, ack.lease ?? 0)
    if (ack.meta !== undefined) {
      const row = await store.meta.get(ack.meta)
      assert.ok(row && ack.n !== undefined && Number(row.doc) >= ack.n, `${ack.meta} has lost ${ack.n}`)
      // Two writes of one transaction are there both or neither.
      const twin = await store.meta.get(ack.meta.replace('/', '/twin/'))
      assert.deepEqual([twin?.rev, twin?.doc], [row.rev, row.doc])
    }
    if (ack.log !== undefined) {
      const entry = entries.get(ack.log)
      assert.equal(entry?.visibleAt, ack.visibleAt, `event ${ack.log} is lost or was not moved`)
      assert.deepEqual(Buffer.from(entry?.payload ?? []), Buffer.alloc(500, ack.log))
      assert.equal(entries.has(ack.gone ?? ''), false, `event ${ack.gone} came back`)
    }
    if (ack.blob !== undefined) {
      const hash = createHash('sha256')
      for await (const chunk of await store.blobs.get(ack.blob)) hash.update(chunk as Uint8Array)
      assert.equal(hash.digest('hex'), ack.blob)
    }
  }
  assert.ok((await store.meta.rev()) >= newestRev)
  const [lease] = await store.leases.acquire('queue', 1)
  assert.ok(lease && lease.epoch > epoch, 'an epoch was given out twice')
  return acks.length
}
