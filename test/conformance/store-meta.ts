import assert from 'node:assert/strict'
import { describe } from 'node:test'

import { type CreateStore, withStore } from './store-harness.ts'

export function describeMeta(create: CreateStore): void {
  describe('meta', () => {
    withStore(create, 'is empty at first: revision 0, no rows, null for a key', async ({ meta }) => {
      assert.equal(await meta.rev(), 0)
      assert.deepEqual(await meta.list('', '', 10), [])
      assert.equal(await meta.get('a'), null)
    })

    withStore(create, 'gives back any JSON as it was written', async ({ meta }) => {
      const doc = {
        text: 'naïve \u0000 \ud83d\ude00 " \\ \n',
        list: [1, -0.5, 1e21, null, true, []],
        nested: { '': {}, 'a.b': { c: false } },
      }
      assert.deepEqual(await meta.txn([{ key: 'a', doc }]), { rev: 1 })
      assert.deepEqual(await meta.get('a'), { key: 'a', rev: 1, doc })
      await meta.txn([{ key: 'big', doc: 'x'.repeat(2_000_000) }])
      assert.equal((await meta.get('big'))?.doc, 'x'.repeat(2_000_000))
    })

    withStore(create, 'shares no object with writers or readers', async ({ meta }) => {
      const doc = { list: [1] }
      await meta.txn([{ key: 'a', doc }])
      doc.list.push(2)
      const read = await meta.get('a')
      assert.deepEqual(read?.doc, { list: [1] })
      Object.assign(read?.doc ?? {}, { list: 'changed by the reader' })
      assert.deepEqual((await meta.get('a'))?.doc, { list: [1] })
    })

    withStore(create, 'revisions grow by one with every transaction, whatever its size', async ({ meta }) => {
      assert.deepEqual(await meta.txn([{ key: 'a', doc: 1 }]), { rev: 1 })
      const two = [
        { key: 'b', doc: 2 },
        { key: 'c', doc: 3 },
      ]
      assert.deepEqual(await meta.txn(two), { rev: 2 })
      assert.deepEqual(await meta.txn([{ key: 'a', doc: 4 }]), { rev: 3 })
      assert.deepEqual(
        (await meta.list('', '', 10)).map(({ key, rev }) => [key, rev]),
        [
          ['a', 3],
          ['b', 2],
          ['c', 2],
        ],
      )
      assert.equal(await meta.rev(), 3)
    })

    withStore(create, 'a conflict uses no revision and an empty transaction neither', async ({ meta }) => {
      await meta.txn([{ key: 'a', doc: 1 }])
      assert.equal(await meta.txn([{ key: 'a', ifRev: 0, doc: 2 }]), 'conflict')
      assert.deepEqual(await meta.txn([]), { rev: 1 })
      assert.deepEqual(await meta.txn([{ key: 'b', doc: 1 }]), { rev: 2 })
    })

    withStore(create, 'ifRev 0 creates only what does not exist', async ({ meta }) => {
      assert.deepEqual(await meta.txn([{ key: 'a', ifRev: 0, doc: 1 }]), { rev: 1 })
      assert.equal(await meta.txn([{ key: 'a', ifRev: 0, doc: 2 }]), 'conflict')
      await meta.txn([{ key: 'a', doc: null }])
      assert.deepEqual(await meta.txn([{ key: 'a', ifRev: 0, doc: 3 }]), { rev: 3 })
    })

    withStore(create, 'ifRev writes and deletes only the revision that was read', async ({ meta }) => {
      await meta.txn([{ key: 'a', doc: 1 }])
      await meta.txn([{ key: 'a', ifRev: 1, doc: 2 }])
      assert.equal(await meta.txn([{ key: 'a', ifRev: 1, doc: 3 }]), 'conflict')
      assert.equal(await meta.txn([{ key: 'a', ifRev: 1, doc: null }]), 'conflict')
      assert.equal(await meta.txn([{ key: 'gone', ifRev: 1, doc: 3 }]), 'conflict')
      assert.deepEqual(await meta.txn([{ key: 'a', ifRev: 2, doc: null }]), { rev: 3 })
      assert.equal(await meta.get('a'), null)
      assert.equal(await meta.txn([{ key: 'a', ifRev: 3, doc: 1 }]), 'conflict')
    })

    withStore(create, 'writes all or nothing', async ({ meta }) => {
      await meta.txn([{ key: 'a', doc: 1 }])
      const writes = [
        { key: 'b', doc: 2 },
        { key: 'a', ifRev: 9, doc: 2 },
        { key: 'c', doc: 2 },
      ]
      assert.equal(await meta.txn(writes), 'conflict')
      assert.deepEqual(await meta.list('', '', 10), [{ key: 'a', rev: 1, doc: 1 }])
    })

    withStore(
      create,
      'of many transactions on one revision exactly one wins',
      async ({ meta }, { other }) => {
        await meta.txn([{ key: 'a', doc: 'start' }])
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            (n % 2 === 0 ? meta : (other?.meta ?? meta)).txn([
              { key: `n${n}`, doc: n },
              { key: 'a', ifRev: 1, doc: n },
            ]),
          ),
        )
        assert.equal(answers.filter((answer) => answer !== 'conflict').length, 1)
        assert.equal((await meta.list('n', '', 100)).length, 1)
        assert.equal(await meta.rev(), 2)
      },
    )

    withStore(create, 'a bad write is refused and leaves nothing behind', async ({ meta }) => {
      for (const key of ['', 'nul\0', 'half \ud800', 'x'.repeat(601)]) {
        await assert.rejects(
          meta.txn([
            { key: 'good', doc: 1 },
            { key, doc: 1 },
          ]),
          TypeError,
        )
      }
      const twice = [
        { key: 'a', doc: 1 },
        { key: 'a', doc: 2 },
      ]
      await assert.rejects(meta.txn(twice), TypeError)
      assert.deepEqual(await meta.list('', '', 10), [])
      assert.equal(await meta.rev(), 0)
    })

    withStore(create, 'lists by prefix in the byte order of UTF-8', async ({ meta }) => {
      // In UTF-16 the second would sort before the first.
      const keys = [
        'p/',
        'p/\uffee',
        'p/\u{1f600}',
        'p/\u{1f600}a',
        'p/Z',
        'p/a',
        'p/a/b',
        'p/é',
        'p',
        'p0',
        'o',
      ]
      await meta.txn(keys.map((key) => ({ key, doc: key })))
      const expected = ['p/', 'p/Z', 'p/a', 'p/a/b', 'p/é', 'p/\uffee', 'p/\u{1f600}', 'p/\u{1f600}a']
      const listed = async (prefix: string) => (await meta.list(prefix, '', 100)).map((row) => row.key)
      assert.deepEqual(await listed('p/'), expected)
      assert.deepEqual(await listed('p/\u{1f600}'), expected.slice(6))
      assert.deepEqual(await listed(''), ['o', 'p', ...expected, 'p0'])
      assert.deepEqual(await listed('q'), [])
    })

    withStore(create, 'pages: `after` is exclusive and need not exist', async ({ meta }) => {
      await meta.txn(['x/1', 'x/2', 'x/3', 'x/5', 'y'].map((key) => ({ key, doc: 0 })))
      const keys = async (after: string, limit: number) =>
        (await meta.list('x/', after, limit)).map((row) => row.key)
      assert.deepEqual(await keys('', 2), ['x/1', 'x/2'])
      assert.deepEqual(await keys('x/2', 2), ['x/3', 'x/5'])
      assert.deepEqual(await keys('x/4', 2), ['x/5'])
      assert.deepEqual(await keys('x/5', 2), [])
      assert.deepEqual(await keys('a', 1), ['x/1'])
      assert.deepEqual(await keys('z', 9), [])
      assert.deepEqual(await keys('', 0), [])
    })

    withStore(create, 'deleted documents are not listed', async ({ meta }) => {
      await meta.txn(['a', 'b', 'c'].map((key) => ({ key, doc: 0 })))
      await meta.txn([{ key: 'b', doc: null }])
      assert.deepEqual(
        (await meta.list('', '', 2)).map((row) => row.key),
        ['a', 'c'],
      )
    })

    withStore(create, 'what was written is there after opening the data again', async ({ meta }, under) => {
      if (!under.reopen) return
      await meta.txn([{ key: 'a', doc: { n: 1 } }])
      await meta.txn([{ key: 'b', doc: 2 }])
      await meta.txn([{ key: 'b', doc: null }])
      const again = await under.reopen()
      assert.deepEqual(await again.meta.list('', '', 10), [{ key: 'a', rev: 1, doc: { n: 1 } }])
      assert.equal(await again.meta.rev(), 3)
      assert.deepEqual(await again.meta.txn([{ key: 'b', ifRev: 0, doc: 3 }]), { rev: 4 })
    })

    withStore(create, 'rejects after it was closed, and finishes what was under way', async (store) => {
      const underWay = store.meta.txn([{ key: 'a', doc: 1 }])
      await store.close()
      assert.deepEqual(await underWay, { rev: 1 })
      await assert.rejects(store.meta.get('a'), /closed/)
      await assert.rejects(store.meta.txn([{ key: 'a', doc: 1 }]), /closed/)
      await store.close()
    })
  })
}
