import assert from 'node:assert/strict'
import { it } from 'node:test'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { LogCommit } from '#store/port.ts'

import { createCommitLane } from './commit-lane.ts'

/** A lane into a real log that notes what is committed together. */
async function laneWithLog(options: { readonly fail?: (batch: LogCommit) => boolean } = {}) {
  const store = createMemoryStore({ clock: createVirtualClock() })
  await store.leases.define('queue', ['0', '1'])
  const leases = await store.leases.acquire('queue', 2)
  const epochs = new Map(leases.map((lease) => [Number(lease.key), lease.epoch]))
  const commits: LogCommit[] = []
  const queueLog = {
    ...store.queueLog,
    load: store.queueLog.load,
    async commit(batch: LogCommit) {
      commits.push(batch)
      if (options.fail?.(batch)) throw new Error('the disk is full')
      return store.queueLog.commit(batch)
    },
  }
  return {
    lane: createCommitLane({ queueLog, epochOf: (queue) => epochs.get(queue) }),
    commits,
    epochs,
    store,
  }
}

const append = (queue: number, id: number, bytes = 10) => ({
  kind: 'append' as const,
  entry: { id: BigInt(id), queue, visibleAt: 0, head: '{}', payload: new Uint8Array(bytes) },
})

it('what is submitted together, or while a commit is under way, shares a commit', async () => {
  const { lane, commits } = await laneWithLog()
  const first = Promise.all([1, 2, 3].map((id) => lane.submit(append(id % 2, id))))
  await Promise.resolve()
  await Promise.resolve()
  const second = Promise.all([4, 5].map((id) => lane.submit(append(0, id))))
  assert.deepEqual(await first, ['committed', 'committed', 'committed'])
  assert.deepEqual(await second, ['committed', 'committed'])
  assert.deepEqual(
    commits.map((batch) => batch.append.length),
    [3, 2],
  )
})

it('splits by rows and by bytes', async () => {
  const { lane, commits } = await laneWithLog()
  const many = Array.from({ length: 1500 }, (_, n) => lane.submit(append(0, n + 1)))
  await Promise.all(many)
  const heavy = Array.from({ length: 9 }, (_, n) => lane.submit(append(0, 2000 + n, 1_000_000)))
  await Promise.all(heavy)
  assert.deepEqual(
    commits.map((batch) => batch.append.length),
    [1000, 500, 4, 4, 1],
  )
})

it('takes no more than its bound of bytes', async () => {
  const { lane } = await laneWithLog()
  const answers = await Promise.all(
    Array.from({ length: 70 }, (_, n) => lane.submit(append(0, n + 1, 1_000_000))),
  )
  assert.deepEqual(new Set(answers.slice(0, 60)), new Set(['committed']))
  assert.deepEqual(new Set(answers.slice(68)), new Set(['full']))
})

it('a failing engine rejects those of the batch and nobody after them', async () => {
  const { lane } = await laneWithLog({ fail: (batch) => batch.append.some(({ id }) => id === 1n) })
  await assert.rejects(lane.submit(append(0, 1)), /disk is full/)
  assert.equal(await lane.submit(append(0, 2)), 'committed')
  await lane.idle()
})

it('work of a queue that is not owned any more is fenced, the rest of the batch is committed', async () => {
  const { lane, epochs, store } = await laneWithLog()
  epochs.set(1, 99)
  const answers = await Promise.all([lane.submit(append(0, 1)), lane.submit(append(1, 2))])
  assert.deepEqual(answers, ['committed', 'fenced'])
  epochs.delete(0)
  assert.equal(await lane.submit(append(0, 3)), 'fenced')
  assert.equal((await store.queueLog.load(0, 0n, 9)).length, 1)
})
