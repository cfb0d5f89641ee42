import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createDocumentCache } from '#documents/create-document-cache.ts'
import { systemClock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { Meta, MetaChange } from '#store/port.ts'

async function rig(limits: { readonly maxDocuments?: number; readonly maxAbsent?: number } = {}) {
  const { meta } = createMemoryStore({ clock: systemClock })
  const reads: string[] = []
  let hold: Promise<void> | undefined
  const cache = createDocumentCache({
    meta: {
      ...meta,
      async get(key) {
        reads.push(key)
        const row = await meta.get(key)
        await hold
        return row
      },
    },
    ...limits,
  })
  await cache.start()
  const forgotten: string[] = []
  cache.onForget((key) => forgotten.push(key))
  return {
    cache,
    reads,
    forgotten,
    put: (key: string, doc: Json | null) => meta.txn([{ key, doc }]),
    holdReads: () => {
      const held = Promise.withResolvers<void>()
      hold = held.promise
      return () => {
        hold = undefined
        held.resolve()
      }
    },
  }
}

test('document cache: reads once, then answers at once and always with the same object', async () => {
  const { cache, reads, put } = await rig()
  await put('a', { n: 1 })
  const first = await cache.read('a')
  assert.deepEqual(first, { n: 1 })
  assert.equal(cache.read('a'), first)
  assert.equal(cache.find('a'), first)
  assert.equal(cache.find('b'), undefined)
  assert.deepEqual(reads, ['a'])
})

test('document cache: a change, a deletion and a creation are seen at once and told, without a read', async () => {
  const { cache, reads, put, forgotten } = await rig()
  await put('a', { n: 1 })
  await cache.read('a')
  await put('a', { n: 2 })
  assert.deepEqual(cache.read('a'), { n: 2 })
  await put('a', null)
  assert.equal(cache.read('a'), null)
  await put('a', { n: 3 })
  assert.deepEqual(cache.read('a'), { n: 3 })
  assert.deepEqual(reads, ['a'])
  assert.deepEqual(forgotten, ['a', 'a', 'a'])
  await put('never read', {})
  assert.equal(forgotten.length, 3)
})

test('document cache: that there is none is remembered too, until there is one', async () => {
  const { cache, reads, put } = await rig()
  assert.equal(await cache.read('a'), null)
  assert.equal(cache.read('a'), null)
  assert.deepEqual(reads, ['a'])
  await put('a', { n: 1 })
  assert.deepEqual(cache.find('a'), { n: 1 })
  assert.equal(cache.size, 1)
})

test('document cache: readers of one key share one read', async () => {
  const { cache, reads, put, holdReads } = await rig()
  await put('a', { n: 1 })
  const release = holdReads()
  const both = Promise.all([cache.read('a'), cache.read('a')])
  release()
  const [one, two] = await both
  assert.equal(one, two)
  assert.deepEqual(reads, ['a'])
})

test('document cache: a change or a deletion during a read leaves nothing stale', async () => {
  for (const doc of [{ n: 2 }, null]) {
    const { cache, put, holdReads, forgotten } = await rig()
    await put('a', { n: 1 })
    const release = holdReads()
    const reading = cache.read('a')
    await put('a', doc)
    release()
    assert.deepEqual(await reading, doc)
    assert.deepEqual(cache.find('a'), doc)
    assert.deepEqual(forgotten, ['a'])
  }
})

test('document cache: an old change that arrives late does not replace what was read', async () => {
  let onChange: (changes: readonly MetaChange[]) => void = () => {}
  const meta: Pick<Meta, 'get' | 'rev' | 'watch'> = {
    rev: async () => 7,
    get: async () => ({ key: 'a', rev: 9, doc: { n: 9 } }),
    watch: (_from, listener) => {
      onChange = listener
      return () => {}
    },
  }
  const cache = createDocumentCache({ meta })
  await cache.start()
  await cache.read('a')
  onChange([{ rev: 8, key: 'a', doc: { n: 8 } }])
  onChange([{ rev: 8, key: 'a', doc: null }])
  assert.deepEqual(cache.find('a'), { n: 9 })
})

test('document cache: a failed read fails its readers, and the next one reads again', async () => {
  let fail = true
  const cache = createDocumentCache({
    meta: {
      rev: async () => 0,
      get: async (key) => {
        if (fail) throw new Error('disk')
        return { key, rev: 1, doc: { n: 1 } }
      },
      watch: () => () => {},
    },
  })
  await cache.start()
  await assert.rejects(async () => cache.read('a'), /disk/)
  fail = false
  assert.deepEqual(await cache.read('a'), { n: 1 })
})

test('document cache: holds no more than it may, and drops what was used longest ago, saying so', async () => {
  const { cache, put, forgotten } = await rig({ maxDocuments: 3, maxAbsent: 2 })
  for (const key of ['a', 'b', 'c', 'd']) await put(key, { key })
  for (const key of ['a', 'b', 'c']) await cache.read(key)
  cache.find('a')
  await cache.read('d')
  assert.deepEqual(forgotten, ['b'])
  assert.equal(cache.find('b'), undefined)
  // Keys without a document drive out each other only.
  for (let index = 0; index < 50; index++) await cache.read(`nobody ${index}`)
  assert.equal(cache.size, 5)
  assert.ok(cache.find('a'))
  await put('nobody 49', {})
  await put('a', null)
  // c had to make room for it, and a has taken a place of those that are not there.
  assert.equal(cache.size, 4)
})

test('document cache: a long stream of reads and changes stays within the bound and true', async () => {
  const { cache, put } = await rig({ maxDocuments: 1000, maxAbsent: 100 })
  const truth = new Map<string, Json | null>()
  for (let index = 0; index < 50_000; index++) {
    const key = `${(index * 7919) % 5003}`
    if (index % 3 === 0) {
      const doc = index % 9 === 0 ? null : { index }
      await put(key, doc)
      truth.set(key, doc)
    } else assert.deepEqual(await cache.read(key), truth.get(key) ?? null)
    assert.ok(cache.size <= 1100)
  }
  let known = 0
  for (const [key, doc] of truth) {
    const held = cache.find(key)
    if (held === undefined) continue
    known++
    assert.deepEqual(held, doc)
  }
  assert.ok(known > 500, `${known} are known`)
})

test('document cache: nothing is remembered before the start and after the stop', async () => {
  const { meta } = createMemoryStore({ clock: systemClock })
  await meta.txn([{ key: 'a', doc: { n: 1 } }])
  const cache = createDocumentCache({ meta })
  assert.deepEqual(await cache.read('a'), { n: 1 })
  assert.equal(cache.size, 0)
  await cache.start()
  await cache.read('a')
  assert.equal(cache.size, 1)
  cache.stop()
  assert.equal(cache.size, 0)
  await meta.txn([{ key: 'a', doc: { n: 2 } }])
  assert.deepEqual(await cache.read('a'), { n: 2 })
})
