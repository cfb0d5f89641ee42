import type { LogDatabase } from './log-database.ts'
import type { LogOperations, StreamRecord } from './operations.ts'

export interface StreamStore {
  /** The new stream's id; undefined when the name is taken. */
  create(groupId: number, name: string, createdAt: number): number | undefined
  idOf(groupId: number, name: string): number | undefined
  idsWithPrefix(groupId: number, prefix: string): ReadonlySet<number>
  /** Undefined when the stream was deleted. Cached: to be cleared with `forget` when a stream goes. */
  nameOf(id: number): string | undefined
  remove(groupId: number, name: string): boolean
  list(groupId: number, query: Omit<LogOperations['listStreams']['args'], 'group'>): readonly StreamRecord[]
}

/** Names kept at hand while reading; an environment has one stream for as long as it lives. */
const MAX_CACHED_NAMES = 10_000

const optional = (value: unknown) => (value === null ? undefined : Number(value))

export function createStreamStore({ sql, transaction }: LogDatabase): StreamStore {
  const names = new Map<number, string>()
  return {
    create(groupId, name, createdAt) {
      const { changes, lastInsertRowid } = sql(
        'insert into log_stream (group_id, name, created_at) values (?, ?, ?) on conflict do nothing',
      ).run(groupId, name, createdAt)
      return changes === 0 ? undefined : Number(lastInsertRowid)
    },
    idOf(groupId, name) {
      const row = sql('select id from log_stream where group_id = ? and name = ?').get(groupId, name)
      return row && Number(row['id'])
    },
    idsWithPrefix(groupId, prefix) {
      const rows = sql(
        'select id from log_stream where group_id = ? and name >= ? and substr(name, 1, length(?)) = ?',
      ).all(groupId, prefix, prefix, prefix)
      return new Set(rows.map((row) => Number(row['id'])))
    },
    nameOf(id) {
      const known = names.get(id)
      if (known !== undefined) return known
      const row = sql('select name from log_stream where id = ?').get(id)
      if (!row) return undefined
      if (names.size >= MAX_CACHED_NAMES) names.clear()
      names.set(id, String(row['name']))
      return String(row['name'])
    },
    remove(groupId, name) {
      const row = sql('select id from log_stream where group_id = ? and name = ?').get(groupId, name)
      if (!row) return false
      const id = Number(row['id'])
      names.delete(id)
      transaction(() => {
        sql('delete from log_stream where id = ?').run(id)
        sql(`insert into trash (kind, id) values ('stream', ?) on conflict do nothing`).run(id)
      })
      return true
    },
    list(groupId, { prefix, order, descending, after, limit }) {
      const sign = descending ? '<' : '>'
      const direction = descending ? 'desc' : 'asc'
      const byEvent = order === 'last-event'
      const position = byEvent
        ? `(coalesce(last_event_at, 0), name) ${sign} (?, ?)`
        : `(name, '') ${sign} (?, ?)`
      const sorting = byEvent
        ? `coalesce(last_event_at, 0) ${direction}, name ${direction}`
        : `name ${direction}`
      const rows = sql(
        `select * from log_stream
         where group_id = ? and substr(name, 1, length(?)) = ? ${after ? `and ${position}` : ''}
         order by ${sorting} limit ?`,
      ).all(
        groupId,
        prefix,
        prefix,
        ...(after ? (byEvent ? [after.lastEventAt, after.name] : [after.name, '']) : []),
        limit,
      )
      return rows.map((row) => ({
        name: String(row['name']),
        createdAt: Number(row['created_at']),
        firstEventAt: optional(row['first_event_at']),
        lastEventAt: optional(row['last_event_at']),
        lastIngestedAt: optional(row['last_ingested_at']),
      }))
    },
  }
}
