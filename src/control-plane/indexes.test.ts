import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  functionKey,
  IN_TRANSITION,
  inTransitionKey,
  limitedFunctionKey,
  versionKey,
} from '#contracts/keys.ts'
import type { Json } from '#kernel/json.ts'
import { systemClock } from '#kernel/clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { createCommitter } from './commit.ts'
import { indexWrites } from './indexes.ts'

const id = { account: 'a', region: 'r', name: 'f' }
const [head, version] = [functionKey(id), versionKey(id, '1')]
const latest = (state: string): Json => ({ latest: { state } })

test('indexes: a document on its way is in the index as long as it is, and not longer', async () => {
  const { meta } = createMemoryStore({ clock: systemClock })
  const committer = createCommitter(meta)
  const commit = (writes: readonly { readonly key: string; readonly doc: Json | null }[]) =>
    committer.run('lock', async () => ({ writes, result: undefined }))
  const indexed = async () => (await meta.list(IN_TRANSITION, '', 10)).map(({ key }) => key)

  await commit([
    { key: head, doc: latest('Pending') },
    { key: version, doc: { state: 'Pending' } },
    { key: 'alias/a/r/f/x', doc: { state: 'Pending' } },
  ])
  assert.deepEqual(await indexed(), [inTransitionKey(head), inTransitionKey(version)])
  await commit([{ key: head, doc: latest('Active') }])
  assert.deepEqual(await indexed(), [inTransitionKey(version)])
  await commit([{ key: head, doc: { latest: { state: 'Active', lastUpdateStatus: 'InProgress' } } }])
  assert.deepEqual(await indexed(), [inTransitionKey(head), inTransitionKey(version)])
  await commit([
    { key: head, doc: null },
    { key: version, doc: null },
  ])
  assert.deepEqual(await indexed(), [])
})

test('indexes: a function with limits is in the index with them', async () => {
  const { meta } = createMemoryStore({ clock: systemClock })
  const committer = createCommitter(meta)
  const commit = (doc: Json | null) =>
    committer.run('lock', async () => ({ writes: [{ key: head, doc }], result: undefined }))
  const indexed = async () => (await meta.get(limitedFunctionKey(head)))?.doc
  const active: Json = { state: 'Active' }
  await commit({ latest: active })
  assert.equal(await indexed(), undefined)
  await commit({ latest: active, reservedConcurrency: 0 })
  assert.deepEqual(await indexed(), { reservedConcurrency: 0, provisionedConcurrency: 0 })
  await commit({ latest: active, provisionedConcurrency: 3 })
  assert.deepEqual(await indexed(), { provisionedConcurrency: 3 })
  await commit(null)
  assert.equal(await indexed(), undefined)
})

test('indexes: nothing is added to what is in no index', () => {
  assert.deepEqual(indexWrites([{ key: 'layer/a/r/l', doc: {} }]), [])
})
