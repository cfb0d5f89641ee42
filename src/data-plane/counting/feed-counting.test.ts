import assert from 'node:assert/strict'
import { test } from 'node:test'

import { functionKey, INDEXES_COMPLETE, LIMITED_FUNCTIONS, limitedFunctionKey } from '#contracts/keys.ts'
import { createCounting } from '#data-plane/counting/create-counting.ts'
import { feedCounting } from '#data-plane/counting/feed-counting.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

const id = { account: '000000000000', region: 'us-east-1', name: 'f' }
const key = functionKey(id)

test('counting feed: starts with what is stored and follows changes and deletion', async () => {
  const clock = createVirtualClock()
  const { meta } = createMemoryStore({ clock })
  const counting = createCounting({ clock })
  await meta.txn([{ key, doc: { name: 'f', reservedConcurrency: 0 } }])
  const stop = await feedCounting(meta, counting)
  assert.throws(() => counting.admit(id, '1'))
  await meta.txn([{ key, doc: { name: 'f', reservedConcurrency: 1 } }])
  counting.admit(id, '1')
  assert.throws(() => counting.admit(id, '1'))
  await meta.txn([{ key, doc: null }])
  counting.admit(id, '1')
  stop()
  await meta.txn([{ key, doc: { name: 'f', reservedConcurrency: 0 } }])
  counting.admit(id, '1')
})

test('counting feed: with an index only the functions that have limits are read', async () => {
  const clock = createVirtualClock()
  const { meta } = createMemoryStore({ clock })
  const counting = createCounting({ clock })
  await meta.txn([
    { key: INDEXES_COMPLETE, doc: {} },
    { key: limitedFunctionKey(key), doc: { reservedConcurrency: 0 } },
  ])
  const stop = await feedCounting(
    {
      ...meta,
      list: async (prefix, after, limit) => {
        assert.equal(prefix, LIMITED_FUNCTIONS)
        return meta.list(prefix, after, limit)
      },
    },
    counting,
  )
  assert.throws(() => counting.admit(id, '1'))
  await meta.txn([{ key, doc: { name: 'f' } }])
  counting.admit(id, '1')
  stop()
})

test('counting feed: reads more functions than one page holds', async () => {
  const clock = createVirtualClock()
  const { meta } = createMemoryStore({ clock })
  const counting = createCounting({ clock })
  const name = (n: number) => `f${String(n).padStart(4, '0')}`
  await meta.txn(
    Array.from({ length: 1001 }, (_, n) => ({
      key: functionKey({ ...id, name: name(n) }),
      doc: { name: name(n), ...(n === 1000 ? { reservedConcurrency: 0 } : {}) },
    })),
  )
  await feedCounting(meta, counting)
  counting.admit({ ...id, name: name(999) }, '1')
  assert.throws(() => counting.admit({ ...id, name: name(1000) }, '1'))
})
