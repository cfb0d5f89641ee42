import { after, before, describe } from 'node:test'

import { Pool } from 'pg'

import { systemClock as clock } from '#kernel/clock.ts'
import { openPostgresStore } from '#store/postgres/postgres-store.ts'

import { describeStore } from './store.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'

describe('PostgreSQL', { skip: noPostgres }, () => {
  let server: PostgresServer
  let admin: Pool
  before(async () => {
    server = await startPostgres()
    admin = new Pool({ connectionString: server.url, max: 2 })
  })
  after(async () => {
    await admin.end()
    await server.remove()
  })
  // One schema, emptied after each test: making one takes longer than most of the tests.
  const schema = 'tested'
  const TABLES = 'meta,tombstone,writer,log,lease,node,upload,blob,blob_chunk'.split(',')
  const empty = [...TABLES.map((table) => `delete from tested.${table}`), 'update tested.state set value = 0']
  describeStore('PostgreSQL store', async () => {
    const open = () => openPostgresStore({ url: server.url, schema, clock, leaseTtlMs: 60_000 })
    let store = await open()
    const other = await open()
    return {
      store,
      other,
      // By the database's clock, which nobody can turn: what is stored is turned back instead.
      async expireLeases() {
        await admin.query(
          `update ${schema}.lease set expires = clock_timestamp() where expires > clock_timestamp()`,
        )
      },
      async passTime(ms) {
        await admin.query(`update ${schema}.node set at = at - $1 * interval '1 millisecond'`, [ms])
        await admin.query(`update ${schema}.blob set put_at = put_at - $1`, [ms])
      },
      async reopen() {
        await store.close()
        store = await open()
        return store
      },
      async cleanup() {
        await Promise.all([store.close(), other.close()])
        await admin.query(empty.join(';'))
      },
    }
  })
})
