import assert from 'node:assert/strict'
import { describe } from 'node:test'

import type { Lease } from '#store/port.ts'

import { batch, type CreateStore, entry, ownQueues, withStore } from './store-harness.ts'

const fencesOf = (leases: readonly Lease[]) =>
  leases.map((lease) => ({ queue: Number(lease.key), epoch: lease.epoch }))

export function describeQueueLog(create: CreateStore): void {
  describe('queue log', () => {
    withStore(create, 'gives back what was appended, in id order', async (store) => {
      const fences = fencesOf(await ownQueues(store, 0, 1))
      // Beyond 2^53, where a number would lose digits.
      const ids = [2n ** 62n + 1n, 7n, 2n ** 53n + 1n]
      const entries = ids.map((id) => entry(0, id))
      const answer = await store.queueLog.commit(batch({ fences, append: [...entries, entry(1, 9n)] }))
      assert.deepEqual(answer, { fencedOut: [] })
      const expected = entries.toSorted((a, b) => (a.id < b.id ? -1 : 1))
      assert.deepEqual(await store.queueLog.load(0, 0n, 10), expected)
      assert.deepEqual(await store.queueLog.load(1, 0n, 10), [entry(1, 9n)])
    })

    withStore(create, 'keeps heads and payloads byte for byte', async (store) => {
      const fences = fencesOf(await ownQueues(store, 0))
      const every = Uint8Array.from({ length: 256 }, (_, n) => n)
      // A view into a larger buffer must not bring its neighbours along.
      const view = Buffer.concat([every, every, every]).subarray(256, 512)
      const appended = { ...entry(0, 1n), head: '{"é":"\u{1f600}"}', payload: view }
      const empty = { ...entry(0, 2n), payload: new Uint8Array(0) }
      const large = { ...entry(0, 3n), payload: new Uint8Array(1_048_576).fill(7) }
      await store.queueLog.commit(batch({ fences, append: [appended, empty, large] }))
      view.fill(0)
      const [one, two, three] = await store.queueLog.load(0, 0n, 10)
      assert.equal(one?.head, appended.head)
      assert.deepEqual(Uint8Array.from(one?.payload ?? []), every)
      assert.equal(two?.payload.byteLength, 0)
      assert.deepEqual(three?.payload, large.payload)
    })

    withStore(create, 'pages by id', async (store) => {
      const fences = fencesOf(await ownQueues(store, 0))
      await store.queueLog.commit(batch({ fences, append: [1n, 2n, 3n, 5n].map((id) => entry(0, id)) }))
      const ids = async (after: bigint, limit: number) =>
        (await store.queueLog.load(0, after, limit)).map(({ id }) => id)
      assert.deepEqual(await ids(0n, 2), [1n, 2n])
      assert.deepEqual(await ids(2n, 2), [3n, 5n])
      assert.deepEqual(await ids(4n, 9), [5n])
      assert.deepEqual(await ids(5n, 9), [])
      assert.deepEqual(await ids(0n, 0), [])
    })

    withStore(create, 'a page ends where its payloads reach the bytes asked for', async (store) => {
      const fences = fencesOf(await ownQueues(store, 0))
      const append = [1n, 2n, 3n].map((id) => ({ ...entry(0, id), payload: new Uint8Array(100) }))
      await store.queueLog.commit(batch({ fences, append }))
      const ids = async (after: bigint, bytes: number) =>
        (await store.queueLog.load(0, after, 10, bytes)).map(({ id }) => id)
      assert.deepEqual(await ids(0n, 1), [1n])
      assert.deepEqual(await ids(0n, 200), [1n, 2n])
      assert.deepEqual(await ids(2n, 1000), [3n])
      assert.deepEqual(await ids(3n, 1000), [])
    })

    withStore(create, 'counts a queue and knows its greatest id', async (store) => {
      const fences = fencesOf(await ownQueues(store, 0, 1))
      assert.deepEqual(await store.queueLog.size(0), { entries: 0, lastId: 0n })
      const ids = [4n, 2n ** 62n, 3n]
      await store.queueLog.commit(batch({ fences, append: [...ids.map((id) => entry(0, id)), entry(1, 5n)] }))
      assert.deepEqual(await store.queueLog.size(0), { entries: 3, lastId: 2n ** 62n })
      await store.queueLog.commit(batch({ fences, remove: [{ queue: 0, id: 2n ** 62n }] }))
      assert.deepEqual(await store.queueLog.size(0), { entries: 2, lastId: 4n })
    })

    withStore(create, 'removes and moves, and ignores ids that are gone or elsewhere', async (store) => {
      const fences = fencesOf(await ownQueues(store, 0, 1))
      const append = [entry(0, 1n), entry(0, 2n), entry(1, 3n)]
      await store.queueLog.commit(batch({ fences, append }))
      const answer = await store.queueLog.commit(
        batch({
          fences,
          remove: [1n, 3n, 99n].map((id) => ({ queue: 0, id })),
          move: [2n, 98n].map((id) => ({ queue: 0, id, visibleAt: 5_000, head: '"moved"' })),
        }),
      )
      assert.deepEqual(answer, { fencedOut: [] })
      assert.deepEqual(await store.queueLog.load(0, 0n, 9), [
        { ...entry(0, 2n), visibleAt: 5_000, head: '"moved"' },
      ])
      assert.deepEqual(await store.queueLog.load(1, 0n, 9), [entry(1, 3n)])
    })

    withStore(create, 'one batch may append, move and remove the same entry', async (store) => {
      const fences = fencesOf(await ownQueues(store, 0))
      await store.queueLog.commit(
        batch({
          fences,
          append: [entry(0, 1n), entry(0, 2n)],
          move: [{ queue: 0, id: 2n, visibleAt: 7, head: '""' }],
          remove: [{ queue: 0, id: 1n }],
        }),
      )
      assert.deepEqual(await store.queueLog.load(0, 0n, 9), [{ ...entry(0, 2n), visibleAt: 7, head: '""' }])
    })

    withStore(
      create,
      'refuses work without a fence, and an id that exists, with nothing written',
      async (store) => {
        const fences = fencesOf(await ownQueues(store, 0))
        const { queueLog } = store
        await queueLog.commit(batch({ fences, append: [entry(0, 1n)] }))
        await assert.rejects(
          queueLog.commit(batch({ fences, append: [entry(0, 2n), entry(1, 3n)] })),
          TypeError,
        )
        await assert.rejects(queueLog.commit(batch({ fences, remove: [{ queue: 1, id: 1n }] })), TypeError)
        await assert.rejects(queueLog.commit(batch({ fences, append: [entry(0, 4n), entry(0, 1n)] })))
        await assert.rejects(queueLog.commit(batch({ fences, append: [entry(0, 4n), entry(0, 4n)] })))
        await assert.rejects(queueLog.commit(batch({ fences, append: [entry(0, 0n)] })), TypeError)
        assert.deepEqual(
          (await queueLog.load(0, 0n, 9)).map(({ id }) => id),
          [1n],
        )
      },
    )

    withStore(
      create,
      'leaves out the work of a queue whose fence fails and commits the rest',
      async (store) => {
        const fences = fencesOf(await ownQueues(store, 0, 1))
        await store.queueLog.commit(batch({ fences, append: [entry(0, 1n), entry(1, 2n)] }))
        const answer = await store.queueLog.commit({
          fences: fences.map(({ queue, epoch }) => ({ queue, epoch: queue === 0 ? epoch + 1 : epoch })),
          append: [entry(0, 3n), entry(1, 4n)],
          remove: [
            { queue: 0, id: 1n },
            { queue: 1, id: 2n },
          ],
          move: [{ queue: 0, id: 1n, visibleAt: 9, head: '""' }],
        })
        assert.deepEqual(answer, { fencedOut: [0] })
        assert.deepEqual(await store.queueLog.load(0, 0n, 9), [entry(0, 1n)])
        assert.deepEqual(await store.queueLog.load(1, 0n, 9), [entry(1, 4n)])
      },
    )

    withStore(
      create,
      'an owner that lost its lease can write nothing more',
      async (store, { expireLeases }) => {
        const [old] = fencesOf(await ownQueues(store, 0))
        assert.ok(old)
        await expireLeases()
        const late = { fences: [old], append: [entry(0, 1n)] }
        assert.deepEqual(await store.queueLog.commit(batch(late)), { fencedOut: [0] })
        const fences = fencesOf(await store.leases.acquire('queue', 1))
        assert.deepEqual(await store.queueLog.commit(batch(late)), { fencedOut: [0] })
        assert.deepEqual(await store.queueLog.commit(batch({ fences, append: [entry(0, 2n)] })), {
          fencedOut: [],
        })
        const [lease] = await store.leases.renew([
          { kind: 'queue', key: '0', until: 0, epoch: fences[0]?.epoch ?? 0 },
        ])
        assert.ok(lease)
        await store.leases.release(lease)
        assert.deepEqual(await store.queueLog.commit(batch({ fences, append: [entry(0, 3n)] })), {
          fencedOut: [0],
        })
        assert.deepEqual(await store.queueLog.load(0, 0n, 9), [entry(0, 2n)])
      },
    )

    withStore(create, 'the failure of one commit does not touch those beside it', async (store) => {
      const fences = fencesOf(await ownQueues(store, 0))
      await store.queueLog.commit(batch({ fences, append: [entry(0, 1n)] }))
      const answers = await Promise.allSettled([
        store.queueLog.commit(batch({ fences, append: [entry(0, 2n)] })),
        store.queueLog.commit(batch({ fences, append: [entry(0, 3n), entry(0, 1n)] })),
        store.meta.txn([{ key: 'a', ifRev: 7, doc: 1 }]),
        store.meta.txn([{ key: 'a', doc: 2 }]),
        store.queueLog.commit(batch({ fences, append: [entry(0, 4n)] })),
      ])
      assert.deepEqual(
        answers.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
      )
      assert.deepEqual(
        (await store.queueLog.load(0, 0n, 9)).map(({ id }) => id),
        [1n, 2n, 4n],
      )
      assert.deepEqual(await store.meta.get('a'), { key: 'a', rev: 1, doc: 2 })
    })

    withStore(create, 'what was committed is there after opening the data again', async (store, under) => {
      if (!under.reopen) return
      const fences = fencesOf(await ownQueues(store, 0))
      await store.queueLog.commit(batch({ fences, append: [entry(0, 1n), entry(0, 2n)] }))
      await store.queueLog.commit(batch({ fences, remove: [{ queue: 0, id: 1n }] }))
      const again = await under.reopen()
      assert.deepEqual(await again.queueLog.load(0, 0n, 9), [entry(0, 2n)])
    })
  })
}
