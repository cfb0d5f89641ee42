import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'

import { unusedBlobKey, UNUSED_BLOBS } from '#contracts/keys.ts'
import type { Json } from '#kernel/json.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { mentionsOf, skipFrom } from './blob-mentions.ts'
import { createBlobSweeper } from './blob-sweeper.ts'
import { decideSweep } from './sweep-candidates.ts'

const GRACE_MS = 60 * MINUTE_MS
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const digest = (text: string) => createHash('sha256').update(text).digest('hex')

function rig(options: { readonly maxCandidates?: number } = {}) {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  const { meta, blobs } = store
  const make = () =>
    createBlobSweeper({ meta, blobs, clock, logger: quiet, graceMs: GRACE_MS, pauseMs: 0, ...options })
  const sweeper = make()
  /** Sleeps of no length pass by themselves, as long as somebody turns the clock. */
  const settle = async <Value>(work: Promise<Value>): Promise<Value> => {
    let isOver = false
    const done = work.finally(() => (isOver = true))
    while (!isOver) {
      await clock.advance(0)
      await new Promise(setImmediate)
    }
    return done
  }
  return {
    clock,
    store,
    sweeper,
    make,
    settle,
    put: async (text: string) => {
      await blobs.put(digest(text), Buffer.from(text))
      return digest(text)
    },
    refer: (key: string, blob: string | null) =>
      meta.txn([{ key, doc: blob === null ? null : ({ latest: { code: { blob } } } as Json) }]),
    sweep: (which = sweeper) => settle(which.sweep()),
    has: (sha256: string) => blobs.has(sha256),
  }
}

test('blob sweeper: deletes what two sweeps a grace period apart found unused', async () => {
  const r = rig()
  const [used, unused] = [await r.put('used'), await r.put('unused')]
  await r.refer('function/a/r/f', used)
  // Too young to be looked at: its document may be on its way.
  assert.deepEqual(await r.sweep(), { deleted: 0, marked: 0, documents: 0 })
  await r.clock.advance(GRACE_MS + 1)
  assert.equal((await r.sweep()).marked, 1)
  await r.clock.advance(GRACE_MS - 1)
  assert.equal((await r.sweep()).deleted, 0)
  await r.clock.advance(1)
  assert.equal((await r.sweep()).deleted, 1)
  assert.deepEqual([await r.has(used), await r.has(unused)], [true, false])
  assert.deepEqual(await r.store.meta.list(UNUSED_BLOBS, '', 10), [])
})

test('blob sweeper: a mark survives a restart, a reference made meanwhile takes it away', async () => {
  const r = rig()
  const [once, again] = [await r.put('once'), await r.put('again')]
  await r.clock.advance(GRACE_MS + 1)
  assert.equal((await r.sweep()).marked, 2)
  await r.refer('version/a/r/f/000000000001', again)
  await r.clock.advance(GRACE_MS)
  assert.equal((await r.sweep(r.make())).deleted, 1)
  assert.deepEqual([await r.has(once), await r.has(again)], [false, true])
  assert.equal(await r.store.meta.get(unusedBlobKey(again)), null)
})

test('blob sweeper: code that is deployed again between two sweeps begins anew', async () => {
  const r = rig()
  const sha256 = await r.put('code')
  await r.clock.advance(GRACE_MS + 1)
  assert.equal((await r.sweep()).marked, 1)
  await r.clock.advance(GRACE_MS - 1)
  await r.put('code')
  await r.clock.advance(2)
  // Long enough after the mark, but the document of the second deployment is still on its way.
  assert.deepEqual(await r.sweep(), { deleted: 0, marked: 0, documents: 0 })
  await r.clock.advance(GRACE_MS)
  assert.deepEqual((await r.sweep()).marked, 1)
  await r.clock.advance(GRACE_MS)
  assert.equal((await r.sweep()).deleted, 1)
  assert.equal(await r.has(sha256), false)
})

test('blob sweeper: a reference that moves behind the sweep is seen', async () => {
  const r = rig()
  const blob = await r.put('layer')
  await r.clock.advance(GRACE_MS + 1)
  assert.equal((await r.sweep()).marked, 1)
  await r.clock.advance(GRACE_MS)
  for (let index = 0; index < 250; index++) {
    await r.refer(`function/a/r/f${String(index).padStart(3, '0')}`, digest(String(index)))
  }
  await r.refer('layer-version/a/r/l/000000000001', blob)
  const sweep = r.sweeper.sweep()
  let moved = false
  const list = r.store.meta.list
  // As soon as the functions were read, one begins to use the layer and the layer goes.
  Object.assign(r.store.meta, {
    list: async (prefix: string, after: string, limit: number) => {
      const rows = await list(prefix, after, limit)
      if (!moved && after >= 'function/a/r/f1') {
        moved = true
        await r.refer('function/a/r/f000', blob)
        await r.refer('layer-version/a/r/l/000000000001', null)
      }
      return rows
    },
  })
  assert.equal((await r.settle(sweep)).deleted, 0)
  assert.ok(moved)
  assert.equal(await r.has(blob), true)
})

test('blob sweeper: reads no further than to the last candidate, and nothing of durable executions', async () => {
  const r = rig()
  const blob = await r.put('code')
  await r.refer('alias/first', blob)
  for (let index = 0; index < 500; index++) await r.refer(`version/v${index}`, digest('other'))
  await r.refer('durable-operation/x', await r.put('named by a guest only'))
  await r.clock.advance(GRACE_MS + 1)
  const swept = await r.sweep()
  assert.equal(swept.marked, 1)
  assert.equal(swept.documents, 501)
  await r.clock.advance(GRACE_MS)
  assert.equal((await r.sweep()).deleted, 1)
  assert.ok((await r.sweep()).documents <= 100)
})

test('blob sweeper: more blobs than one sweep looks at', async () => {
  const r = rig({ maxCandidates: 100 })
  for (let index = 0; index < 450; index++) await r.put(`blob ${index}`)
  await r.clock.advance(GRACE_MS + 1)
  for (let turn = 0; turn < 5; turn++) assert.equal((await r.sweep()).marked, turn < 4 ? 100 : 50)
  await r.clock.advance(GRACE_MS)
  for (let turn = 0; turn < 5; turn++) await r.sweep()
  assert.deepEqual(await r.store.blobs.list('', 10), [])
  assert.deepEqual(await r.store.meta.list(UNUSED_BLOBS, '', 10), [])
})

test('blob sweeper: runs by itself, and only when something has changed', async () => {
  const r = rig()
  const unused = await r.put('unused')
  let walks = 0
  const list = r.store.blobs.list
  Object.assign(r.store.blobs, {
    list: (after: string, limit: number) => {
      walks++
      return list(after, limit)
    },
  })
  await r.sweeper.start()
  const pass = async () => {
    await r.clock.advance(GRACE_MS)
    for (let turn = 0; turn < 20; turn++) {
      await new Promise(setImmediate)
      await r.clock.advance(0)
    }
  }
  for (let turn = 0; turn < 6; turn++) await pass()
  assert.equal(await r.has(unused), false)
  const before = walks
  for (let turn = 0; turn < 5; turn++) await pass()
  assert.equal(walks, before)
  await r.refer('function/a/r/f', null)
  await r.refer('function/a/r/f', digest('x'))
  await pass()
  assert.ok(walks > before)
  await r.sweeper.stop()
})

test('what a document names: digests anywhere in it, and in its key', () => {
  const found: string[] = []
  const [a, b, c, d] = [digest('a'), digest('b'), digest('c'), digest('d')]
  const doc: Json = { x: [{ blob: b, n: 1, none: null }], [c]: true, text: `sha256:${d}` }
  mentionsOf(`image/${a}`, doc, (sha256) => found.push(sha256))
  assert.deepEqual(found, [a, b, c, d])
  assert.equal(skipFrom('function/a/r/f'), undefined)
  assert.ok((skipFrom('durable-event/1') ?? '') > 'durable/zzz')
})

test('the decision: a mark counts when it is neither older than the last put nor from the future', () => {
  assert.equal(decideSweep({ putAt: 0, mark: undefined }, 1000, 100), 'mark')
  assert.equal(decideSweep({ putAt: 0, mark: { since: 950 } }, 1000, 100), 'wait')
  assert.equal(decideSweep({ putAt: 0, mark: { since: 900 } }, 1000, 100), 'delete')
  assert.equal(decideSweep({ putAt: 800, mark: { since: 700 } }, 1000, 100), 'mark')
  assert.equal(decideSweep({ putAt: 0, mark: { since: 2000 } }, 1000, 100), 'mark')
})
