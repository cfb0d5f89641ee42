/** Which engine keeps the data, and that all who share it seal with the same key. */
import { createHmac } from 'node:crypto'
import { join } from 'node:path'

import type { Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta, Store } from '#store/port.ts'
import { openPostgresStore } from '#store/postgres/postgres-store.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

const DATA_KEY = 'cluster/data-key'

/** Embedded in the data directory, or in the PostgreSQL database of `url`. */
export function openStore(options: {
  /** Empty: embedded. */
  readonly url: string
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
}): Promise<Store> {
  const { url, directory, clock, logger } = options
  return url === ''
    ? openSqliteStore({ directory: join(directory, 'store'), clock, logger })
    : openPostgresStore({ url, clock, logger })
}

/**
 * The first node's key becomes the cluster's, of which only a fingerprint is stored. Throws when this one is another: it
 * could read nothing that others have sealed, and they nothing of what it seals.
 */
export async function agreeOnKey(meta: Meta, key: Uint8Array): Promise<void> {
  const fingerprint = createHmac('sha256', key).update('data key of a cluster').digest('hex')
  for (;;) {
    const row = await meta.get(DATA_KEY)
    if (!row) {
      const answer = await meta.txn([{ key: DATA_KEY, ifRev: 0, doc: { fingerprint } }])
      if (answer !== 'conflict') return
      continue
    }
    if ((row.doc as { readonly fingerprint?: string }).fingerprint === fingerprint) return
    throw new Error(
      "This node's data key is not the one that the nodes of this database use: copy the file secret.key from the data " +
        'directory of a node that works with it, or name the same file on every node with --data-key',
    )
  }
}
