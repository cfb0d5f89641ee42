import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { describeStore } from '../../../test/conformance/store.ts'

describeStore('memory store', async () => {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  return {
    store,
    expireLeases: () => clock.advance(60_000),
    passTime: (ms) => clock.advance(ms),
    cleanup: () => store.close(),
  }
})
