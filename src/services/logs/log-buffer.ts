/** Takes what functions print off the invoke path: bounded, flushed in batches, dropping with a count. */
import type { Clock } from '#kernel/clock.ts'
import { MIB } from '#kernel/units.ts'
import type { LogEvent, LogSink, Metrics } from '#observability/port.ts'

import { EVENT_OVERHEAD_BYTES, type Batch, type GroupKey } from './storage/operations.ts'

export interface LogBuffer extends LogSink {
  /** Stores what is buffered; resolves when nothing is left or `deadlineMs` have passed. */
  drain(deadlineMs: number): Promise<void>
  /** Takes nothing more; what is buffered is lost. */
  stop(): void
}

export interface LogBufferOptions {
  /** Stores batches; the buffer waits for it, so that a slow disk fills the buffer and not the memory. */
  readonly write: (batches: readonly Batch[]) => Promise<unknown>
  readonly clock: Clock
  readonly metrics?: Pick<Metrics, 'count'> | undefined
  readonly onError?: ((error: unknown) => void) | undefined
  /** All that waits, and what one log group may hold of it, so that a flood of one function drops only its own lines. */
  readonly maxBytes?: number
  readonly maxGroupBytes?: number
  /** Longest time that an event waits before it is written. */
  readonly flushAfterMs?: number
}

/** One write is a transaction of this size at most, so that reading never waits long. */
const MAX_WRITE_BYTES = MIB
/** Longer messages are cut: CloudWatch's largest event. */
const MAX_MESSAGE_BYTES = MIB - EVENT_OVERHEAD_BYTES
/** A character in memory costs up to two bytes, and each event an object. */
const weigh = (event: LogEvent) => 2 * event.message.length + 64

interface Pending {
  readonly group: GroupKey
  readonly stream: string
  events: LogEvent[]
  weightBytes: number
  droppedEvents: number
}

export function createLogBuffer(options: LogBufferOptions): LogBuffer {
  const { write, clock, metrics, onError } = options
  const { maxBytes = 64 * MIB, maxGroupBytes = 16 * MIB, flushAfterMs = 100 } = options
  /** In order of arrival; a stream moves to the end when it was written. */
  const pending = new Map<string, Pending>()
  const groupBytes = new Map<string, number>()
  let totalBytes = 0
  let writing: Promise<void> | undefined
  let cancelTimer: (() => void) | undefined
  let stopped = false

  const groupName = ({ account, region, name }: GroupKey) => `${account}/${region}/${name}`
  const addWeight = (group: string, weightBytes: number) => {
    totalBytes += weightBytes
    const after = (groupBytes.get(group) ?? 0) + weightBytes
    if (after > 0) groupBytes.set(group, after)
    else groupBytes.delete(group)
  }

  /** Takes up to `MAX_WRITE_BYTES` out of the buffer. */
  const takeBatches = (): Batch[] => {
    const batches: Batch[] = []
    let weightBytes = 0
    for (const [key, entry] of pending) {
      if (weightBytes >= MAX_WRITE_BYTES) break
      let count = 0
      let entryBytes = 0
      for (const event of entry.events) {
        if (weightBytes + entryBytes >= MAX_WRITE_BYTES) break
        entryBytes += weigh(event)
        count++
      }
      const events = count === entry.events.length ? entry.events : entry.events.slice(0, count)
      entry.events = count === entry.events.length ? [] : entry.events.slice(count)
      entry.weightBytes -= entryBytes
      weightBytes += entryBytes
      addWeight(groupName(entry.group), -entryBytes)
      pending.delete(key)
      if (entry.events.length > 0) pending.set(key, entry)
      else if (entry.droppedEvents > 0) events.push(droppedLine(entry, clock.now()))
      batches.push({ group: entry.group, stream: entry.stream, events })
    }
    return batches
  }

  const writeAll = async () => {
    while (pending.size > 0 && !stopped) {
      const batches = takeBatches()
      try {
        await write(batches)
      } catch (error) {
        // Logs are not worth an endless retry: what could not be stored is gone, and counted.
        metrics?.count(
          'lambent_log_events_lost_total',
          batches.reduce((sum, batch) => sum + batch.events.length, 0),
        )
        onError?.(error)
      }
    }
  }
  const flushSoon = () => {
    cancelTimer ??= clock.after(flushAfterMs, () => void flush())
  }
  const flush = (): Promise<void> => {
    cancelTimer?.()
    cancelTimer = undefined
    writing ??= writeAll().finally(() => {
      writing = undefined
      // Something may have come in after the last look.
      if (pending.size > 0 && !stopped) flushSoon()
    })
    return writing
  }

  return {
    append({ account, region, group: name, stream, events }) {
      if (stopped || events.length === 0) return
      const group = { account, region, name }
      const key = `${groupName(group)}\n${stream}`
      let entry = pending.get(key)
      if (!entry) {
        entry = { group, stream, events: [], weightBytes: 0, droppedEvents: 0 }
        pending.set(key, entry)
      }
      for (const event of events) {
        const weightBytes = weigh(event)
        const full =
          totalBytes + weightBytes > maxBytes ||
          (groupBytes.get(groupName(group)) ?? 0) + weightBytes > maxGroupBytes
        if (full) {
          entry.droppedEvents++
          metrics?.count('lambent_log_events_dropped_total')
          continue
        }
        entry.events.push(cut(event))
        entry.weightBytes += weightBytes
        addWeight(groupName(group), weightBytes)
      }
      if (writing) return
      if (totalBytes >= MAX_WRITE_BYTES) void flush()
      else flushSoon()
    },
    async drain(deadlineMs) {
      let cancel = () => {}
      const deadline = new Promise<void>((resolve) => {
        cancel = clock.after(deadlineMs, resolve)
      })
      const empty = (async () => {
        while (pending.size > 0 && !stopped) await flush()
        await writing
      })()
      await Promise.race([empty, deadline])
      cancel()
    },
    stop() {
      stopped = true
      cancelTimer?.()
      pending.clear()
      groupBytes.clear()
      totalBytes = 0
    },
  }
}

/** Stands in the log where lines are missing. */
const droppedLine = ({ droppedEvents }: Pending, now: number): LogEvent => ({
  timestamp: now,
  message: `[lambent] ${droppedEvents} log events were dropped: they came faster than they could be stored`,
})

function cut(event: LogEvent): LogEvent {
  if (event.message.length <= MAX_MESSAGE_BYTES / 3) return event
  const bytes = Buffer.from(event.message)
  if (bytes.byteLength <= MAX_MESSAGE_BYTES) return event
  // A character may be cut in two; its rest is left away.
  const message = bytes
    .subarray(0, MAX_MESSAGE_BYTES)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
  return { timestamp: event.timestamp, message }
}
