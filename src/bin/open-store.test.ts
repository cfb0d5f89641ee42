import assert from 'node:assert/strict'
import { it } from 'node:test'

import { agreeOnKey } from '#bin/open-store.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

it('the first key is the one that all nodes must have', async () => {
  const { meta } = createMemoryStore({ clock: createVirtualClock() })
  const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  await Promise.all([agreeOnKey(meta, one), agreeOnKey(meta, one)])
  await agreeOnKey(meta, one)
  await assert.rejects(agreeOnKey(meta, two), /data key is not the one .* --data-key/)
  assert.ok(!JSON.stringify(await meta.list('', '', 10)).includes(one.toString('hex')))
})
