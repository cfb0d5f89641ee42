/** The queue log in PostgreSQL: one statement for a batch, which checks the fences and writes in the same moment. */
import { checkLogCommit } from '#store/embedded/log-commit.ts'
import type { LogCommit, LogEntry, QueueLog } from '#store/port.ts'
import { QUEUE_LEASE_KIND } from '#store/port.ts'
import type { Database, Row } from '#store/postgres/database.ts'
import { isDuplicate } from '#store/postgres/postgres-errors.ts'

/**
 * The lock on the leases keeps them from changing hands between the check and the commit. In the order of their keys, as
 * everybody takes them. Heads and payloads come as one row of bytes, each by its place and length.
 */
const COMMIT = `
  with held as materialized (
    select lease.key::int as queue
    from lease join unnest($1::text[], $2::bigint[]) as f (key, epoch) on f.key = lease.key and f.epoch = lease.epoch
    where lease.kind = '${QUEUE_LEASE_KIND}' and lease.expires > clock_timestamp()
    order by lease.key for share of lease
  ), appended as (
    insert into log (id, queue, visible_at, head, payload)
    select a.id, a.queue, a.visible_at,
      convert_from(substring($3::bytea from a.at for a.head), 'UTF8'),
      substring($3::bytea from a.at + a.head for a.payload)
    from unnest($4::bigint[], $5::int[], $6::bigint[], $7::int[], $8::int[], $9::int[])
      as a (id, queue, visible_at, at, head, payload)
    where a.queue = any (array(select queue from held))
  ), moved as (
    update log set visible_at = m.visible_at, head = m.head
    from unnest($10::bigint[], $11::int[], $12::bigint[], $13::text[]) as m (id, queue, visible_at, head)
    where log.id = m.id and log.queue = m.queue and m.queue = any (array(select queue from held))
  ), removed as (
    delete from log using unnest($14::bigint[], $15::int[]) as r (id, queue)
    where log.id = r.id and log.queue = r.queue and r.queue = any (array(select queue from held))
  )
  select queue from held`

/** Of the first entries only: by their length, so that a page of large payloads is never read whole. */
const LOAD = `
  select log.id, log.queue, log.visible_at, log.head, log.payload from (
    select id, sum(octet_length(payload)) over (order by id rows unbounded preceding) - octet_length(payload) as before
    from (select id, payload from log where queue = $1 and id > $2 order by id limit $3) as first
  ) as page join log on log.id = page.id where page.before < $4 order by log.id`

/**
 * What one statement can't do to a row twice is done here: a move or a removal of what the same batch appends, and a
 * removal of what it moves.
 */
function fold(batch: LogCommit): LogCommit {
  const removed = new Set(batch.remove.map(({ queue, id }) => `${queue}/${id}`))
  const moves = new Map(batch.move.map((move) => [`${move.queue}/${move.id}`, move]))
  const appended = new Set<string>()
  const append = batch.append.flatMap((entry): LogEntry[] => {
    const name = `${entry.queue}/${entry.id}`
    appended.add(name)
    if (removed.has(name)) return []
    const move = moves.get(name)
    return [move ? { ...entry, visibleAt: move.visibleAt, head: move.head } : entry]
  })
  const move = [...moves].flatMap(([name, one]) => (removed.has(name) || appended.has(name) ? [] : [one]))
  return { ...batch, append, move }
}

function valuesOf({ fences, append, move, remove }: LogCommit): readonly unknown[] {
  const pieces: Uint8Array[] = []
  const lengths: number[][] = []
  let at = 1
  for (const { head, payload } of append) {
    const text = Buffer.from(head)
    pieces.push(text, payload)
    lengths.push([at, text.byteLength, payload.byteLength])
    at += text.byteLength + payload.byteLength
  }
  return [
    fences.map(({ queue }) => String(queue)),
    fences.map(({ epoch }) => epoch),
    Buffer.concat(pieces),
    append.map(({ id }) => id),
    append.map(({ queue }) => queue),
    append.map(({ visibleAt }) => Math.round(visibleAt)),
    ...[0, 1, 2].map((n) => lengths.map((row) => row[n])),
    move.map(({ id }) => id),
    move.map(({ queue }) => queue),
    move.map(({ visibleAt }) => Math.round(visibleAt)),
    move.map(({ head }) => head),
    remove.map(({ id }) => id),
    remove.map(({ queue }) => queue),
  ]
}

const entryOf = (row: Row): LogEntry => ({
  id: row['id'] as bigint,
  queue: row['queue'] as number,
  visibleAt: Number(row['visible_at']),
  head: row['head'] as string,
  payload: Uint8Array.from(row['payload'] as Buffer),
})

export function createPostgresLog({ database }: { readonly database: Database }): QueueLog {
  const commitOnce = async (batch: LogCommit, onRetry: () => void) => {
    const rows = await database.query({ name: 'commit', text: COMMIT, values: valuesOf(batch) }, onRetry)
    return new Set(rows.map((row) => row['queue'] as number))
  }
  /** Entries of the batch that are stored. */
  const stored = async ({ append }: LogCommit) => {
    const rows = await database.query({
      name: 'stored',
      text: 'select id from log where id = any($1::bigint[])',
      values: [append.map(({ id }) => id)],
    })
    return new Set(rows.map((row) => row['id'] as bigint))
  }
  return {
    async commit(given) {
      checkLogCommit(given)
      const batch = fold(given)
      let wasRetried = false
      const onRetry = () => {
        wasRetried = true
      }
      const fencedOut = (held: ReadonlySet<number>) => ({
        fencedOut: batch.fences.flatMap(({ queue }) => (held.has(queue) ? [] : [queue])),
      })
      try {
        return fencedOut(await commitOnce(batch, onRetry))
      } catch (error) {
        // An id is given once, by the owner: that it exists says that the attempt whose answer was lost has succeeded.
        if (!wasRetried || !isDuplicate(error)) throw error
        const there = await stored(batch)
        const rest = batch.append.filter(({ id }) => !there.has(id))
        const held = await commitOnce({ ...batch, append: rest }, onRetry)
        for (const { id, queue } of batch.append) if (there.has(id)) held.add(queue)
        return fencedOut(held)
      }
    },
    async load(queue, afterId, limit, maxBytes = Number.MAX_SAFE_INTEGER) {
      const most = Math.min(Number.MAX_SAFE_INTEGER, Math.max(1, maxBytes))
      const values = [queue, afterId, Math.max(0, limit), most]
      return (await database.query({ name: 'load', text: LOAD, values })).map(entryOf)
    },
    async size(queue) {
      const [row] = await database.query({
        name: 'size',
        text: 'select count(*) as entries, coalesce(max(id), 0) as last from log where queue = $1',
        values: [queue],
      })
      return { entries: Number(row?.['entries'] ?? 0), lastId: (row?.['last'] as bigint | undefined) ?? 0n }
    },
  }
}
