/** The synchronous heart of the SQLite driver: reads, and groups of commits that share one transaction. */
import type { DatabaseSync } from 'node:sqlite'

import { prefixEnd } from '#store/embedded/keys.ts'
import type { LeaseRow } from '#store/embedded/leases.ts'
import { QUEUE_LEASE_KIND } from '#store/port.ts'
import type { Operation, Operations, StoredEntry, TextRow } from '#store/sqlite/protocol.ts'

/** Rows of one page of the change feed, unless one transaction has more. */
const CHANGE_PAGE_ROWS = 1000

export type Outcome = { readonly result: unknown } | { readonly error: unknown }

export interface Engine {
  readonly rev: number
  leases(): readonly LeaseRow[]
  read(call: Operation): unknown
  /**
   * Applies all calls in one transaction with one fsync; a call that fails is undone alone. When the transaction
   * itself fails, nothing is written and it throws.
   */
  commit(calls: readonly Operation[]): readonly Outcome[]
}

export function createEngine(database: DatabaseSync): Engine {
  const sql = (text: string) => database.prepare(text)
  /**
   * For `run`, which always reports the connection's last row id: a log id may need more than 53 bits, and a number
   * that cannot hold it would throw.
   */
  const action = (text: string) => {
    const statement = sql(text)
    statement.setReadBigInts(true)
    return statement
  }
  const begin = action('begin immediate')
  const commit = action('commit')
  const savepoint = action('savepoint one')
  const release = action('release one')
  const undo = action('rollback to one')
  const saveRev = action("update state set value = ? where name = 'rev'")

  const getMeta = sql('select key, rev, doc as text from meta where key = ?')
  const revOf = sql('select rev from meta where key = ?')
  const listFrom = sql('select key, rev, doc as text from meta where key >= ? order by key limit ?')
  const listBetween = sql(
    'select key, rev, doc as text from meta where key >= ? and key < ? order by key limit ?',
  )
  const listAfter = sql('select key, rev, doc as text from meta where key > ? order by key limit ?')
  const listAfterBefore = sql(
    'select key, rev, doc as text from meta where key > ? and key < ? order by key limit ?',
  )
  const putMeta = action(
    'insert into meta (key, rev, doc) values (?1, ?2, ?3) on conflict (key) do update set rev = ?2, doc = ?3',
  )
  const deleteMeta = action('delete from meta where key = ?')
  const putTombstone = action(
    'insert into tombstone (key, rev) values (?1, ?2) on conflict (key) do update set rev = ?2',
  )
  const deleteTombstone = action('delete from tombstone where key = ?')
  /** The revision at which a page of changes ends. */
  const pageEnd = sql(
    `select rev from (
       select rev from meta where rev > ?1 union all select rev from tombstone where rev > ?1 order by rev
     ) limit 1 offset ?2`,
  )
  const changesBetween = sql(
    `select key, rev, doc as text from meta where rev > ?1 and rev <= ?2
     union all select key, rev, null from tombstone where rev > ?1 and rev <= ?2 order by rev`,
  )
  const loadLog = sql(
    'select id, queue, visible_at, head, payload from log where queue = ? and id > ? order by id limit ?',
  )
  loadLog.setReadBigInts(true)
  const sizeLog = sql('select count(*) as entries, coalesce(max(id), 0) as last from log where queue = ?')
  sizeLog.setReadBigInts(true)
  const appendLog = action('insert into log (id, queue, visible_at, head, payload) values (?, ?, ?, ?, ?)')
  const removeLog = action('delete from log where id = ? and queue = ?')
  const moveLog = action('update log set visible_at = ?, head = ? where id = ? and queue = ?')
  const epochOf = sql('select epoch from lease where kind = ? and key = ?')
  const putLease = action(
    'insert into lease (kind, key, epoch) values (?1, ?2, ?3) on conflict (kind, key) do update set epoch = ?3',
  )

  let rev = Number(sql("select value from state where name = 'rev'").get()?.['value'])
  /** Revision of the newest transaction of the group that is being applied. */
  let groupRev = rev

  const list = ({ prefix, after, limit }: Operations['list']['args']) => {
    const end = prefixEnd(prefix)
    const most = Math.max(0, limit)
    // `after` counts only where it lies beyond the prefix's beginning; both compare as UTF-8 in SQLite.
    const inside = Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0 && after !== ''
    const start = inside ? after : prefix
    if (end === undefined) return (inside ? listAfter : listFrom).all(start, most)
    return (inside ? listAfterBefore : listBetween).all(start, end, most)
  }
  const changes = (after: number): Operations['changes']['result'] => {
    const last = pageEnd.get(after, CHANGE_PAGE_ROWS - 1)
    // Without a full page, everything up to now is in it.
    const upTo = last ? Number(last['rev']) : rev
    return { rows: changesBetween.all(after, upTo) as unknown as readonly TextRow[], upTo }
  }
  const load = ({ queue, afterId, limit, maxBytes }: Operations['load']['args']) => {
    const entries: StoredEntry[] = []
    let bytes = 0
    for (const row of loadLog.iterate(queue, afterId, Math.max(0, limit))) {
      const payload = row['payload'] as Uint8Array
      entries.push({
        id: row['id'] as bigint,
        queue: Number(row['queue']),
        visibleAt: Number(row['visible_at']),
        head: row['head'] as string,
        payload,
      })
      bytes += payload.byteLength
      if (bytes >= maxBytes) break
    }
    return entries
  }
  const size = (queue: number): Operations['size']['result'] => {
    const row = sizeLog.get(queue)
    return { entries: Number(row?.['entries']), lastId: row?.['last'] as bigint }
  }

  const txn = ({ writes }: Operations['txn']['args']): Operations['txn']['result'] => {
    for (const { key, ifRev } of writes) {
      if (ifRev !== undefined && Number(revOf.get(key)?.['rev'] ?? 0) !== ifRev) return 'conflict'
    }
    if (writes.length === 0) return { rev: groupRev, skipped: [] }
    const mine = groupRev + 1
    const skipped: string[] = []
    for (const { key, text } of writes) {
      if (text !== null) {
        putMeta.run(key, mine, text)
        deleteTombstone.run(key)
      } else if (deleteMeta.run(key).changes > 0) {
        putTombstone.run(key, mine)
      } else skipped.push(key)
    }
    groupRev = mine
    return { rev: mine, skipped }
  }
  const log = (call: Operations['log']['args']): Operations['log']['result'] => {
    const fencedOut = new Set(call.lapsed)
    for (const { queue, epoch } of call.fences) {
      if (Number(epochOf.get(QUEUE_LEASE_KIND, String(queue))?.['epoch']) !== epoch) fencedOut.add(queue)
    }
    let offset = 0
    for (const { id, queue, visibleAt, head, payloadBytes } of call.append) {
      const payload = call.payloads.subarray(offset, (offset += payloadBytes))
      if (!fencedOut.has(queue)) appendLog.run(id, queue, Math.round(visibleAt), head, payload)
    }
    for (const { id, queue, visibleAt, head } of call.move) {
      if (!fencedOut.has(queue)) moveLog.run(Math.round(visibleAt), head, id, queue)
    }
    for (const { id, queue } of call.remove) {
      if (!fencedOut.has(queue)) removeLog.run(id, queue)
    }
    return { fencedOut: [...fencedOut] }
  }
  const apply = (call: Operation): unknown => {
    if (call.op === 'txn') return txn(call)
    if (call.op === 'log') return log(call)
    if (call.op !== 'leases') throw new TypeError(`"${call.op}" writes nothing`)
    for (const { kind, key, epoch } of call.rows) putLease.run(kind, key, epoch)
    return null
  }
  const applyAlone = (call: Operation): Outcome => {
    const before = groupRev
    savepoint.run()
    try {
      const result = apply(call)
      release.run()
      return { result }
    } catch (error) {
      groupRev = before
      // SQLite has undone the whole group already (disk full, for example): none of it may be acknowledged.
      if (!database.isTransaction) throw error
      undo.run()
      release.run()
      return { error }
    }
  }

  return {
    get rev() {
      return rev
    },
    leases: () => sql('select kind, key, epoch from lease').all() as unknown as readonly LeaseRow[],
    read(call) {
      if (call.op === 'get') return getMeta.get(call.key) ?? null
      if (call.op === 'list') return list(call)
      if (call.op === 'changes') return changes(call.after)
      if (call.op === 'load') return load(call)
      if (call.op === 'size') return size(call.queue)
      if (call.op === 'rev') return rev
      throw new TypeError(`"${call.op}" is no read`)
    },
    commit(calls) {
      groupRev = rev
      begin.run()
      try {
        const outcomes = calls.map(applyAlone)
        if (groupRev !== rev) saveRev.run(groupRev)
        commit.run()
        rev = groupRev
        return outcomes
      } catch (error) {
        groupRev = rev
        if (database.isTransaction) database.exec('rollback')
        throw error
      }
    },
  }
}
