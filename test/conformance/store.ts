/** One suite for every driver of the store: each sentence of src/store/port.ts as a test. */
import { describe } from 'node:test'

import { describeBlobs } from './store-blobs.ts'
import type { StoreUnderTest } from './store-harness.ts'
import { describeLeases, describeNodes } from './store-leases.ts'
import { describeQueueLog } from './store-log.ts'
import { describeMeta } from './store-meta.ts'
import { describeChangeFeed } from './store-watch.ts'

export type { StoreUnderTest } from './store-harness.ts'

/** `create` makes an empty store; every test gets its own and cleans it up. */
export function describeStore(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    describeMeta(create)
    describeChangeFeed(create)
    describeLeases(create)
    describeQueueLog(create)
    describeNodes(create)
    describeBlobs(create)
  })
}
