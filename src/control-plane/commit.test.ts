import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { createCommitter } from './commit.ts'

const openMeta = () => createMemoryStore({ clock: createVirtualClock() }).meta
const KEY = 'counter'

test('concurrent changes of one document are all kept', async () => {
  const meta = openMeta()
  // Two committers stand for two processes: they share no lock, only the conditions.
  const committers = [createCommitter(meta), createCommitter(meta)]
  const increment = (committer: (typeof committers)[number]) =>
    committer.run(KEY, async () => {
      const row = await meta.get(KEY)
      const value = Number(row?.doc ?? 0) + 1
      return { writes: [{ key: KEY, ifRev: row?.rev ?? 0, doc: value }], result: value }
    })
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => increment(committers[i % 2] ?? (committers[0] as never))),
  )
  assert.equal((await meta.get(KEY))?.doc, 20)
})

test('a decision that never holds ends in 409 after a bounded number of attempts', async () => {
  const committer = createCommitter(openMeta())
  let attempts = 0
  await assert.rejects(
    committer.run(KEY, async () => {
      attempts++
      return { writes: [{ key: KEY, ifRev: 999, doc: 1 }], result: undefined }
    }),
    (error) => error instanceof LambdaError && error.code === 'ResourceConflictException',
  )
  assert.ok(attempts > 1 && attempts < 100)
})

test('a decision that throws lets the next one in', async () => {
  const meta = openMeta()
  const committer = createCommitter(meta)
  await assert.rejects(
    committer.run(KEY, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await committer.run(KEY, async () => ({ writes: [], result: 'yes' })), 'yes')
})
