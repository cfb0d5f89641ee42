import assert from 'node:assert/strict'
import { describe } from 'node:test'

import type { Meta, MetaChange } from '#store/port.ts'

import { type CreateStore, eventually, withStore } from './store-harness.ts'

/** Watches into a list of batches. */
const record = (meta: Meta, fromRev: number) => {
  const batches: (readonly MetaChange[])[] = []
  const stop = meta.watch(fromRev, (changes) => batches.push(changes))
  return { batches, stop, seen: () => batches.flat().map(({ rev, key, doc }) => [rev, key, doc]) }
}

export function describeChangeFeed(create: CreateStore): void {
  describe('change feed', () => {
    withStore(create, 'a writer that got its answer has been seen by every watcher', async ({ meta }) => {
      const one = record(meta, 0)
      const two = record(meta, 0)
      await meta.txn([{ key: 'a', doc: { n: 1 } }])
      const expected = [[1, 'a', { n: 1 }]]
      assert.deepEqual([one.seen(), two.seen()], [expected, expected])
      // A watcher that has only just begun is no exception.
      const late = record(meta, 0)
      await meta.txn([{ key: 'b', doc: 2 }])
      assert.deepEqual(late.seen(), [...expected, [2, 'b', 2]])
    })

    withStore(create, 'gives stored changes first, each key at its last revision', async ({ meta }) => {
      await meta.txn([{ key: 'a', doc: 1 }])
      await meta.txn([{ key: 'b', doc: 1 }])
      await meta.txn([{ key: 'c', doc: 1 }])
      await meta.txn([{ key: 'c', doc: null }])
      await meta.txn([{ key: 'a', doc: 2 }])
      const last = new Map<string, unknown>()
      const feed = record(meta, 0)
      await eventually(() => feed.seen().some(([rev]) => rev === 5), 'the newest change arrives')
      const revs = feed.batches.flat().map(({ rev }) => rev)
      assert.deepEqual(
        revs,
        revs.toSorted((a, b) => a - b),
      )
      for (const { key, rev, doc } of feed.batches.flat()) last.set(key, [rev, doc])
      assert.deepEqual(Object.fromEntries(last), { a: [5, 2], b: [2, 1], c: [4, null] })
    })

    withStore(
      create,
      'starts after the given revision, also when that is still to come',
      async ({ meta }) => {
        for (const key of ['a', 'b', 'c']) await meta.txn([{ key, doc: 0 }])
        const resumed = record(meta, 2)
        const future = record(meta, 4)
        await meta.txn([{ key: 'd', doc: 0 }])
        await meta.txn([{ key: 'e', doc: 0 }])
        assert.deepEqual(
          resumed.seen().map(([rev]) => rev),
          [3, 4, 5],
        )
        assert.deepEqual(
          future.seen().map(([rev]) => rev),
          [5],
        )
      },
    )

    withStore(create, 'never splits a transaction, nor mixes up the order', async ({ meta }) => {
      const size = 1500
      await meta.txn(Array.from({ length: 700 }, (_, n) => ({ key: `first/${n}`, doc: n })))
      await meta.txn(Array.from({ length: size }, (_, n) => ({ key: `second/${n}`, doc: n })))
      const feed = record(meta, 0)
      await Promise.all(Array.from({ length: 50 }, (_, n) => meta.txn([{ key: `live/${n}`, doc: n }])))
      const perBatch = feed.batches.map((changes) => changes.filter(({ rev }) => rev === 2).length)
      assert.deepEqual(
        perBatch.filter((count) => count > 0),
        [size],
      )
      const revs = feed.batches.flat().map(({ rev }) => rev)
      assert.equal(revs.length, 700 + size + 50)
      assert.deepEqual(
        revs,
        revs.toSorted((a, b) => a - b),
      )
    })

    withStore(create, 'reports deletions as null, and nothing for what was not there', async ({ meta }) => {
      const feed = record(meta, 0)
      await meta.txn([{ key: 'a', doc: 1 }])
      await meta.txn([
        { key: 'a', doc: null },
        { key: 'never', doc: null },
      ])
      assert.deepEqual(feed.seen(), [
        [1, 'a', 1],
        [2, 'a', null],
      ])
    })

    withStore(create, 'is silent about conflicts and after it was stopped', async ({ meta }) => {
      const feed = record(meta, 0)
      await meta.txn([{ key: 'a', ifRev: 5, doc: 1 }])
      await meta.txn([{ key: 'a', doc: 1 }])
      feed.stop()
      feed.stop()
      await meta.txn([{ key: 'a', doc: 2 }])
      assert.deepEqual(feed.seen(), [[1, 'a', 1]])
    })

    withStore(create, 'a watcher that throws harms neither the writer nor the others', async ({ meta }) => {
      meta.watch(0, () => {
        throw new Error('thrown by a watcher')
      })
      const feed = record(meta, 0)
      assert.deepEqual(await meta.txn([{ key: 'a', doc: 1 }]), { rev: 1 })
      assert.deepEqual(await meta.txn([{ key: 'a', doc: 2 }]), { rev: 2 })
      assert.deepEqual(
        feed.seen().map(([rev]) => rev),
        [1, 2],
      )
    })

    withStore(create, 'carries what another process wrote', async ({ meta }, { other }) => {
      if (!other) return
      const feed = record(meta, 0)
      await other.meta.txn([{ key: 'a', doc: 'from elsewhere' }])
      await eventually(() => feed.seen().length === 1, 'the change arrives')
      assert.deepEqual(feed.seen(), [[1, 'a', 'from elsewhere']])
    })

    withStore(create, 'can be resumed after the data was opened again', async ({ meta }, under) => {
      if (!under.reopen) return
      await meta.txn([{ key: 'a', doc: 1 }])
      await meta.txn([{ key: 'b', doc: 1 }])
      await meta.txn([{ key: 'a', doc: null }])
      const again = await under.reopen()
      const feed = record(again.meta, 1)
      await eventually(() => feed.seen().length >= 2, 'the stored changes arrive')
      assert.deepEqual(feed.seen(), [
        [2, 'b', 1],
        [3, 'a', null],
      ])
    })
  })
}
