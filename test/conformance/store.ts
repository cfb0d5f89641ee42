/** One suite for every driver of the store: each sentence of src/store/port.ts as a test. */
import { describe } from 'node:test'

import { describeBlobs } from '../conformance/store-blobs.ts'
import type { StoreUnderTest } from '../conformance/store-harness.ts'
import { describeLeases, describeNodes } from '../conformance/store-leases.ts'
import { describeQueueLog } from '../conformance/store-log.ts'
import { describeMeta } from '../conformance/store-meta.ts'
import { describeChangeFeed } from '../conformance/store-watch.ts'

export type { StoreUnderTest } from '../conformance/store-harness.ts'

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
