import { parseFilterPattern } from '../filter/filter-pattern.ts'
import type { GroupStore } from './group-store.ts'
import type { LogDatabase } from './log-database.ts'
import {
  EVENT_OVERHEAD_BYTES,
  type Boundary,
  type EventPage,
  type EventQuery,
  type StoredEvent,
} from './operations.ts'
import type { StreamStore } from './stream-store.ts'

/** Which rows are walked: one stream's by its own index, or the group's with a look at each stream. */
interface Walk {
  readonly column: 'stream_id' | 'group_id'
  readonly id: number
  /** Undefined: every stream that still exists. */
  readonly only: ReadonlySet<number> | undefined
}

export function createEventReader(
  database: LogDatabase,
  groups: GroupStore,
  streams: StreamStore,
): (query: EventQuery) => EventPage {
  const findWalk = (groupId: number, wanted: EventQuery['streams']): Walk | undefined => {
    if (wanted === undefined) return { column: 'group_id', id: groupId, only: undefined }
    if ('prefix' in wanted) {
      return { column: 'group_id', id: groupId, only: streams.idsWithPrefix(groupId, wanted.prefix) }
    }
    const ids = wanted.names.map((name) => streams.idOf(groupId, name))
    const found = ids.filter((id) => id !== undefined)
    if (found.length < ids.length) return undefined
    const [single] = found
    if (single !== undefined && found.length === 1) {
      return { column: 'stream_id', id: single, only: undefined }
    }
    return { column: 'group_id', id: groupId, only: new Set(found) }
  }

  return (query) => {
    const groupId = groups.idOf(query.group)
    if (groupId === undefined) return { kind: 'no-group' }
    const walk = findWalk(groupId, query.streams)
    if (!walk) return { kind: 'no-stream' }
    return readPage(database, walk, query, streams)
  }
}

const behind = ({ timestamp, sequence }: Boundary): Boundary => ({ timestamp, sequence: sequence + 1 })

function readPage({ sql }: LogDatabase, walk: Walk, query: EventQuery, streams: StreamStore): EventPage {
  const { direction, startTime, endTime, limit, maxBytes, scan } = query
  const matches = parseFilterPattern(query.pattern)
  const forward = direction === 'forward'
  // The range and the place to go on at, whichever is narrower.
  const edge = { timestamp: forward ? startTime : endTime, sequence: 0 }
  const from = query.from ? (forward ? later(query.from, edge) : earlier(query.from, edge)) : edge
  const rows = sql(
    forward
      ? `select sequence, stream_id, timestamp, ingested_at, message from event
         where ${walk.column} = ? and (timestamp, sequence) >= (?, ?) and timestamp < ?
         order by timestamp, sequence`
      : `select sequence, stream_id, timestamp, ingested_at, message from event
         where ${walk.column} = ? and (timestamp, sequence) < (?, ?) and timestamp >= ?
         order by timestamp desc, sequence desc`,
  ).iterate(walk.id, from.timestamp, from.sequence, forward ? endTime : startTime)

  const events: StoredEvent[] = []
  let next: Boundary = from
  let pageBytes = 0
  let scannedEvents = 0
  let scannedBytes = 0
  for (const row of rows) {
    const event = { timestamp: Number(row['timestamp']), sequence: Number(row['sequence']) }
    // The work is limited before the event is looked at, so that `next` is where it was not.
    const scannedEnough = scan && (scannedEvents >= scan.events || scannedBytes >= scan.bytes)
    if (events.length >= limit || scannedEnough) return { kind: 'page', events, next, exhausted: false }
    const message = String(row['message'])
    const streamId = Number(row['stream_id'])
    const sizeBytes = Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES
    scannedEvents++
    scannedBytes += sizeBytes
    const stream = walk.only && !walk.only.has(streamId) ? undefined : streams.nameOf(streamId)
    if (stream !== undefined && matches(message)) {
      if (events.length > 0 && pageBytes + sizeBytes > maxBytes) {
        return { kind: 'page', events, next, exhausted: false }
      }
      pageBytes += sizeBytes
      events.push({ ...event, message, stream, ingestedAt: Number(row['ingested_at']) })
    }
    next = forward ? behind(event) : event
  }
  return { kind: 'page', events, next, exhausted: true }
}

const compare = (a: Boundary, b: Boundary) => a.timestamp - b.timestamp || a.sequence - b.sequence
const later = (a: Boundary, b: Boundary) => (compare(a, b) >= 0 ? a : b)
const earlier = (a: Boundary, b: Boundary) => (compare(a, b) <= 0 ? a : b)
