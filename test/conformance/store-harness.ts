/** What a driver's test gives to the conformance suite, and what the suite's parts share. */
import { createHash } from 'node:crypto'
import { it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

import type { Lease, LogEntry, Store } from '#store/port.ts'

export interface StoreUnderTest {
  readonly store: Store
  /** The same data as another process sees it; left out where only one process can open the data. */
  readonly other?: Store
  /** Lets every lease that is not renewed run out. */
  expireLeases(): Promise<void>
  /** Lets `ms` pass for the membership's idea of time. */
  passTime(ms: number): Promise<void>
  /** Closes the store and opens the same data again. Left out for a driver that keeps nothing. */
  reopen?(): Promise<Store>
  cleanup(): Promise<void>
}

export type CreateStore = () => Promise<StoreUnderTest>

/** One test with a store of its own. */
export function withStore(
  create: CreateStore,
  name: string,
  run: (store: Store, under: StoreUnderTest) => Promise<void>,
): void {
  it(name, async (test) => {
    const under = await create()
    test.after(() => under.cleanup())
    await run(under.store, under)
  })
}

/** Polls until `holds`, for things that another process does. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (holds()) return
    await wait(5)
  }
  throw new Error(`Never happened: ${what}`)
}

export const digest = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Takes the leases of the given queues, as their owner. */
export async function ownQueues(store: Store, ...queues: readonly number[]): Promise<readonly Lease[]> {
  await store.leases.define('queue', queues.map(String))
  return store.leases.acquire('queue', queues.length)
}

export const entry = (queue: number, id: bigint, payload = `payload ${id}`): LogEntry => ({
  id,
  queue,
  visibleAt: 1_000,
  head: `{"id":"${id}"}`,
  payload: new TextEncoder().encode(payload),
})

/** A commit with nothing in it but what is given. */
export const batch = (parts: Partial<Parameters<Store['queueLog']['commit']>[0]>) => ({
  fences: [],
  append: [],
  remove: [],
  move: [],
  ...parts,
})
