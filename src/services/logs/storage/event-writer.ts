import type { GroupStore } from './group-store.ts'
import type { LogDatabase } from './log-database.ts'
import { EVENT_OVERHEAD_BYTES, type Batch, type GroupKey, type LogOperations } from './operations.ts'
import type { StreamStore } from './stream-store.ts'

export interface EventWriter {
  put(args: LogOperations['putEvents']['args']): LogOperations['putEvents']['result']
  append(args: LogOperations['append']['args']): number
}

export function createEventWriter(
  { sql, transaction }: LogDatabase,
  groups: GroupStore,
  streams: StreamStore,
): EventWriter {
  // Beyond every sequence that was ever given out, also when the newest events were deleted since.
  const newest = Number(sql('select coalesce(max(sequence), 0) as newest from event').get()?.['newest'])
  let sequence = Math.max(newest, Date.now() * 1000)

  const store = (groupId: number, streamId: number, { events }: Batch, ingestedAt: number) => {
    const insert = sql(
      'insert into event (sequence, group_id, stream_id, timestamp, ingested_at, message) values (?, ?, ?, ?, ?, ?)',
    )
    let first = Number.POSITIVE_INFINITY
    let last = Number.NEGATIVE_INFINITY
    let sizeBytes = 0
    for (const { timestamp, message } of events) {
      insert.run(++sequence, groupId, streamId, timestamp, ingestedAt, message)
      first = Math.min(first, timestamp)
      last = Math.max(last, timestamp)
      sizeBytes += Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES
    }
    if (events.length === 0) return
    sql(
      `update log_stream set first_event_at = min(coalesce(first_event_at, ?1), ?1),
         last_event_at = max(coalesce(last_event_at, ?2), ?2), last_ingested_at = ?3 where id = ?4`,
    ).run(first, last, ingestedAt, streamId)
    sql('update log_group set stored_bytes = stored_bytes + ? where id = ?').run(sizeBytes, groupId)
  }

  const ensureGroup = (group: GroupKey, createdAt: number): number => {
    const defaults = {
      logClass: 'STANDARD',
      kmsKeyId: undefined,
      tags: {},
      deletionProtected: false,
    } as const
    const id = groups.idOf(group) ?? groups.create({ ...group, ...defaults, createdAt })
    if (id === undefined) throw new Error('The log group could not be created')
    return id
  }
  const ensureStream = (groupId: number, name: string, createdAt: number): number => {
    const id = streams.idOf(groupId, name) ?? streams.create(groupId, name, createdAt)
    if (id === undefined) throw new Error('The log stream could not be created')
    return id
  }

  return {
    put(args) {
      const groupId = groups.idOf(args.group)
      if (groupId === undefined) return 'no-group'
      const streamId = streams.idOf(groupId, args.stream)
      if (streamId === undefined) return 'no-stream'
      transaction(() => store(groupId, streamId, args, args.ingestedAt))
      return 'stored'
    },
    append: ({ batches, ingestedAt }) =>
      transaction(() => {
        let count = 0
        for (const batch of batches) {
          const groupId = ensureGroup(batch.group, ingestedAt)
          store(groupId, ensureStream(groupId, batch.stream, ingestedAt), batch, ingestedAt)
          count += batch.events.length
        }
        return count
      }),
  }
}
