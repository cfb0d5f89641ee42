/** Leases and membership by the database's clock, so that no node's clock decides who owns what. */
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import type { Lease, Leases, Nodes } from '#store/port.ts'
import type { Database } from '#store/postgres/database.ts'

export const LEASE_TTL_MS = 5_000
/** Nodes that have been silent for long are forgotten at every so many beats. */
const FORGET_EVERY = 600

export function createPostgresLeases(options: {
  readonly database: Database
  readonly clock: Clock
  readonly ttlMs?: number
}): Leases {
  const { database, clock, ttlMs = LEASE_TTL_MS } = options
  /** From the start of the request: a slow answer shortens the lease instead of lengthening it. */
  const untilFromNow = () => clock.monotonic() + ttlMs
  return {
    async define(kind, keys) {
      await database.query({
        text: `insert into lease (kind, key) select $1, key from unnest($2::text[]) as key on conflict do nothing`,
        values: [kind, [...new Set(keys)].toSorted()],
      })
    },
    async acquire(kind, max, among) {
      if (max <= 0) return []
      const until = untilFromNow()
      const rows = await database.query({
        name: 'acquire',
        text: `
          with free as (
            select kind, key from lease where kind = $1 and expires <= clock_timestamp() and ($4::text[] is null or key = any($4))
            order by key limit $2 for update skip locked
          )
          update lease set epoch = epoch + 1, expires = clock_timestamp() + $3 * interval '1 millisecond'
          from free where lease.kind = free.kind and lease.key = free.key
          returning lease.key, lease.epoch`,
        values: [kind, max, ttlMs, among ?? null],
      })
      return rows.map((row) => ({ kind, key: row['key'] as string, epoch: Number(row['epoch']), until }))
    },
    async renew(held) {
      if (held.length === 0) return []
      const until = untilFromNow()
      const rows = await database.query({
        name: 'renew',
        text: `
          with mine as (
            select lease.kind, lease.key
            from lease join unnest($1::text[], $2::text[], $3::bigint[]) as m (kind, key, epoch)
              on m.kind = lease.kind and m.key = lease.key and m.epoch = lease.epoch
            where lease.expires > clock_timestamp()
            order by lease.kind, lease.key for update of lease
          )
          update lease set expires = clock_timestamp() + $4 * interval '1 millisecond'
          from mine where lease.kind = mine.kind and lease.key = mine.key
          returning lease.kind, lease.key`,
        values: [
          held.map(({ kind }) => kind),
          held.map(({ key }) => key),
          held.map(({ epoch }) => epoch),
          ttlMs,
        ],
      })
      const renewed = new Set(rows.map((row) => `${String(row['kind'])}/${String(row['key'])}`))
      return held.flatMap((lease): Lease[] =>
        renewed.has(`${lease.kind}/${lease.key}`) ? [{ ...lease, until }] : [],
      )
    },
    async release({ kind, key, epoch }) {
      await database.query({
        name: 'release',
        text: `update lease set expires = '-infinity' where kind = $1 and key = $2 and epoch = $3`,
        values: [kind, key, epoch],
      })
    },
  }
}

export function createPostgresNodes({ database }: { readonly database: Database }): Nodes {
  let beats = 0
  return {
    async beat({ nodeId, address, info }) {
      await database.query({
        name: 'beat',
        text: `
          insert into node (id, address, info, at) values ($1, $2, $3, clock_timestamp())
          on conflict (id) do update set address = excluded.address, info = excluded.info, at = excluded.at`,
        values: [nodeId, address, JSON.stringify(info)],
      })
      if (beats++ % FORGET_EVERY === 0) {
        await database.query({ text: `delete from node where at < clock_timestamp() - interval '1 day'` })
      }
    },
    async leave(nodeId) {
      await database.query({ name: 'leave', text: 'delete from node where id = $1', values: [nodeId] })
    },
    async list(withinMs) {
      const rows = await database.query({
        name: 'nodes',
        text: `
          select id, address, info from node
          where at >= clock_timestamp() - $1 * interval '1 millisecond' order by id limit 1000`,
        values: [withinMs],
      })
      return rows.map((row) => ({
        nodeId: row['id'] as string,
        address: row['address'] as string,
        info: JSON.parse(row['info'] as string) as Json,
      }))
    },
  }
}
