import type { LogDatabase } from './log-database.ts'
import { EVENT_OVERHEAD_BYTES, type LogOperations } from './operations.ts'

const DAY_MS = 86_400_000

type Sweep = (args: LogOperations['sweep']['args']) => LogOperations['sweep']['result']

/** A sweep is a short transaction; the caller repeats it as long as it removed as much as it was allowed to. */
export function createSweeper({ sql, transaction }: LogDatabase): Sweep {
  const remove = (condition: string, values: readonly number[], limit: number) => {
    const rows = sql(
      `delete from event where sequence in (select sequence from event where ${condition} limit ?)
       returning group_id, length(cast(message as blob)) as size_bytes`,
    ).all(...values, limit)
    const freed = new Map<number, number>()
    for (const row of rows) {
      const groupId = Number(row['group_id'])
      freed.set(groupId, (freed.get(groupId) ?? 0) + Number(row['size_bytes']) + EVENT_OVERHEAD_BYTES)
    }
    for (const [groupId, sizeBytes] of freed) {
      sql('update log_group set stored_bytes = stored_bytes - ? where id = ?').run(sizeBytes, groupId)
    }
    return rows.length
  }
  const emptyTrash = (limit: number) => {
    let removed = 0
    for (const row of sql('select kind, id from trash').all()) {
      const [kind, id] = [String(row['kind']), Number(row['id'])]
      removed += remove(`${kind === 'group' ? 'group_id' : 'stream_id'} = ?`, [id], limit - removed)
      if (removed >= limit) return removed
      if (kind === 'group') sql('delete from log_stream where group_id = ?').run(id)
      sql('delete from trash where kind = ? and id = ?').run(kind, id)
    }
    return removed
  }
  return ({ now, limit }) =>
    transaction(() => {
      let removed = emptyTrash(limit)
      const groups = sql('select id, retention_days from log_group where retention_days is not null').all()
      for (const row of groups) {
        if (removed >= limit) break
        const before = now - Number(row['retention_days']) * DAY_MS
        removed += remove('group_id = ? and timestamp < ?', [Number(row['id']), before], limit - removed)
      }
      return { removed }
    })
}
