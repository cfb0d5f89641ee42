import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aliasKey, functionKey, versionKey } from '#contracts/keys.ts'
import { feedRetirements } from '#data-plane/frontend/retire-feed.ts'
import type { RetireTarget } from '#data-plane/placement/port.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { aVersion, ID } from '../../../test/support/function-version.ts'

test('retirement feed: new generations and deletions retire, everything else does not', async () => {
  const { meta } = createMemoryStore({ clock: createVirtualClock() })
  const retired: RetireTarget[] = []
  await meta.txn([{ key: functionKey(ID), doc: { latest: { generation: 'before' } } }])
  const stop = await feedRetirements(meta, { retire: (target) => void retired.push(target) })
  const head = { latest: JSON.parse(JSON.stringify(aVersion({ generation: 'g2' }))) }
  await meta.txn([
    { key: functionKey(ID), doc: head },
    { key: versionKey(ID, '12'), doc: { version: '12' } },
    { key: aliasKey(ID, 'live'), doc: {} },
  ])
  await meta.txn([{ key: versionKey(ID, '12'), doc: null }])
  await meta.txn([{ key: functionKey(ID), doc: null }])
  stop()
  await meta.txn([{ key: functionKey(ID), doc: head }])
  assert.deepEqual(retired, [
    { id: ID, version: '$LATEST', keepGeneration: 'g2' },
    { id: ID, version: '12' },
    { id: ID },
  ])
})
