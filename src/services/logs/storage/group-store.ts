import type { LogDatabase } from './log-database.ts'
import type { GroupChange, GroupKey, GroupRecord, LogClass, LogOperations } from './operations.ts'

export interface GroupStore {
  /** The new group's id; undefined when the name is taken. */
  create(group: LogOperations['createGroup']['args']): number | undefined
  idOf(key: GroupKey): number | undefined
  get(key: GroupKey): GroupRecord | undefined
  update(key: GroupKey, change: GroupChange): LogOperations['updateGroup']['result']
  remove(key: GroupKey): 'deleted' | 'missing' | 'protected'
  list(args: LogOperations['listGroups']['args']): readonly GroupRecord[]
}

type Row = Record<string, unknown>

const toRecord = (row: Row): GroupRecord => ({
  name: String(row['name']),
  createdAt: Number(row['created_at']),
  logClass: row['class'] as LogClass,
  retentionDays: row['retention_days'] === null ? undefined : Number(row['retention_days']),
  kmsKeyId: row['kms_key_id'] === null ? undefined : String(row['kms_key_id']),
  deletionProtected: row['deletion_protected'] === 1,
  tags: JSON.parse(String(row['tags'])) as Record<string, string>,
  storedBytes: Math.max(0, Number(row['stored_bytes'])),
})

export function createGroupStore({ sql, transaction }: LogDatabase): GroupStore {
  const rowOf = ({ account, region, name }: GroupKey): Row | undefined =>
    sql('select * from log_group where account = ? and region = ? and name = ?').get(account, region, name)
  const store: GroupStore = {
    create(group) {
      const { changes, lastInsertRowid } = sql(
        `insert into log_group (account, region, name, created_at, class, kms_key_id, deletion_protected, tags)
         values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
      ).run(
        group.account,
        group.region,
        group.name,
        group.createdAt,
        group.logClass,
        group.kmsKeyId ?? null,
        group.deletionProtected ? 1 : 0,
        JSON.stringify(group.tags),
      )
      return changes === 0 ? undefined : Number(lastInsertRowid)
    },
    idOf(key) {
      const row = rowOf(key)
      return row && Number(row['id'])
    },
    get(key) {
      const row = rowOf(key)
      return row && toRecord(row)
    },
    update(key, { addTags, removeTags = [], maxTags, ...change }) {
      const row = rowOf(key)
      if (!row) return 'missing'
      const before = toRecord(row)
      const tags = Object.fromEntries(
        Object.entries({ ...before.tags, ...addTags }).filter(([name]) => !removeTags.includes(name)),
      )
      if (maxTags !== undefined && Object.keys(tags).length > maxTags) return 'too-many-tags'
      const next = { ...before, ...change }
      sql('update log_group set retention_days = ?, deletion_protected = ?, tags = ? where id = ?').run(
        next.retentionDays ?? null,
        next.deletionProtected ? 1 : 0,
        JSON.stringify(tags),
        Number(row['id']),
      )
      return 'updated'
    },
    remove(key) {
      const row = rowOf(key)
      if (!row) return 'missing'
      if (row['deletion_protected'] === 1) return 'protected'
      const id = Number(row['id'])
      transaction(() => {
        sql('delete from log_group where id = ?').run(id)
        sql(`insert into trash (kind, id) values ('group', ?) on conflict do nothing`).run(id)
      })
      return 'deleted'
    },
    list({ account, region, prefix, contains, logClass, after, limit }) {
      const rows = sql(
        `select * from log_group
         where account = ? and region = ? and name > ? and name >= ? and substr(name, 1, length(?)) = ?
           and (? = '' or instr(name, ?) > 0) and (? = '' or class = ?)
         order by name limit ?`,
      ).all(
        account,
        region,
        after,
        prefix,
        prefix,
        prefix,
        contains,
        contains,
        logClass ?? '',
        logClass ?? '',
        limit,
      )
      return rows.map(toRecord)
    },
  }
  return store
}
