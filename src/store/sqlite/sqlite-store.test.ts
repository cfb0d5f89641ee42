import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

import { describeStore } from '../../../test/conformance/store.ts'

describeStore('SQLite store', async () => {
  const clock = createVirtualClock()
  const directory = await mkdtemp(join(tmpdir(), 'store-'))
  let store = await openSqliteStore({ directory, clock })
  return {
    store,
    expireLeases: () => clock.advance(60_000),
    passTime: (ms) => clock.advance(ms),
    async reopen() {
      await store.close()
      store = await openSqliteStore({ directory, clock })
      return store
    },
    async cleanup() {
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
})
