/** The store of a cluster: PostgreSQL, which several nodes share. */
import { randomUUID } from 'node:crypto'

import type { Clock } from '#kernel/clock.ts'
import { guardClosed } from '#store/embedded/guard-closed.ts'
import type { StoreLogger } from '#store/embedded/logger.ts'
import type { Store } from '#store/port.ts'
import { createDatabase, type Database } from '#store/postgres/database.ts'
import { withoutPassword } from '#store/postgres/hosts.ts'
import { createPostgresBlobs } from '#store/postgres/postgres-blobs.ts'
import { createPostgresLeases, createPostgresNodes } from '#store/postgres/postgres-leases.ts'
import { createPostgresLog } from '#store/postgres/postgres-log.ts'
import { createPostgresMeta } from '#store/postgres/postgres-meta.ts'
import { migrate, MIGRATIONS } from '#store/postgres/schema.ts'

const OLDEST_VERSION = 140_000

/** Refuses a server that forgets what it has acknowledged. */
async function checkDurability(database: Database, logger: StoreLogger | undefined): Promise<void> {
  const settings = `
    select current_setting('server_version_num')::int as version, current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
      current_setting('synchronous_commit') as commits, current_setting('synchronous_standby_names') as standbys`
  const [row] = await database.query({ text: settings })
  if (Number(row?.['version']) < OLDEST_VERSION) throw new Error('PostgreSQL 14 or later is needed')
  const off = [
    ...(row?.['fsync'] === 'off' ? ['fsync'] : []),
    ...(row?.['pages'] === 'off' ? ['full_page_writes'] : []),
    ...(row?.['commits'] === 'off' ? ['synchronous_commit'] : []),
  ]
  if (off.length > 0) {
    throw new Error(
      `The database runs with ${off.join(' and ')} off, so that it would lose what it has acknowledged: switch it on`,
    )
  }
  if (row?.['standbys'] === '' || row?.['commits'] === 'local') {
    logger?.warn('No standby of the database has to confirm a commit: what it loses with its disk is lost')
  }
}

/**
 * Opens the store in a schema of the database, which is made or brought up to date. Rejects with `StoreTooNew` when a
 * newer version of the program was there, and with `StoreAway` when no server answers that takes writes.
 */
export async function openPostgresStore(options: {
  /** `postgres://user:password@host,host/database`. */
  readonly url: string
  readonly schema?: string
  readonly clock: Clock
  readonly logger?: StoreLogger
  readonly leaseTtlMs?: number
  /** How long a call waits for a database that is away. */
  readonly deadlineMs?: number
}): Promise<Store> {
  const { url, schema = 'lambent', clock, logger, leaseTtlMs, deadlineMs } = options
  const database = createDatabase({
    url,
    schema,
    clock,
    logger,
    ...(deadlineMs !== undefined && { deadlineMs }),
  })
  try {
    await checkDurability(database, logger)
    const client = await database.connect()
    try {
      const found = await migrate(client, schema)
      if (found > 0 && found < MIGRATIONS.length) {
        const fields = { url: withoutPassword(url), fromSchema: found, toSchema: MIGRATIONS.length }
        logger?.info('The store was migrated', fields)
      }
    } finally {
      await client.end()
    }
    await database.query({ text: `delete from writer where at < now() - interval '1 day'` })
    const { stop, ...meta } = await createPostgresMeta({
      database,
      schema,
      writerId: randomUUID(),
      clock,
      logger,
    })
    const { forgetUnnamed, ...blobs } = createPostgresBlobs({ database })
    await forgetUnnamed()
    let closing: Promise<void> | undefined
    const guard = <Port extends object>(port: Port) => guardClosed(port, () => closing !== undefined)
    return {
      meta: guard(meta),
      queueLog: guard(createPostgresLog({ database })),
      leases: guard(
        createPostgresLeases({ database, clock, ...(leaseTtlMs !== undefined && { ttlMs: leaseTtlMs }) }),
      ),
      nodes: guard(createPostgresNodes({ database })),
      blobs: guard(blobs),
      close() {
        closing ??= stop().then(() => database.close())
        return closing
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}
