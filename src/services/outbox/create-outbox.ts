/** The outbox on the store's queue log. One queue, owned by one process, served from memory. */
import { type Clock, sleep } from '#kernel/clock.ts'
import { MIB } from '#kernel/units.ts'
import type { Logger, Metrics } from '#observability/port.ts'
import { createCommitLane, type LaneAnswer } from '#queues/commit-lane.ts'
import { createDueHeap } from '#queues/due-heap.ts'
import type { Leases, LogEntry, QueueLog } from '#store/port.ts'

import { decodeEnvelope, encodeEnvelope, type Envelope } from './delivery-codec.ts'
import { createOrderedLanes } from './ordered-lanes.ts'
import { type Deliver, OutboxFull, type Outbox, type Outcome } from './port.ts'
import { createQueueLease } from './queue-lease.ts'
import { createReadyLanes } from './ready-lanes.ts'

const MAX_DEPTH = 100_000
/** Payloads kept in memory; others are read when their turn comes. */
const WINDOW_BYTES = 32 * MIB
const CONCURRENCY = 64
const PER_LANE = 16
const PAGE_ROWS = 500
const PAGE_BYTES = 8 * MIB
/** After a failure that says nothing about the target. */
const RETRY_MS = 1_000
/** Timers are set no further ahead. */
const MAX_WAIT_MS = 60_000

interface Entry {
  readonly id: bigint
  envelope: Envelope
  dueAt: number
  state: 'waiting' | 'ready' | 'running'
  payload: Uint8Array | undefined
}

/** Ids are unique in the store: milliseconds, 12 bits within one, 8 bits of queue number, as those of the event queues. */
const SEQUENCE_BITS = 12n
const QUEUE_BITS = 8n

export function createOutbox(options: {
  /** For logs and metrics. */
  readonly name: string
  /** Number of its queue in the log: nobody else's, below 64 (the ids of named queues have the rest), and never changed. */
  readonly queue: number
  readonly queueLog: QueueLog
  readonly leases: Leases
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics?: Metrics
  readonly deliver: Deliver
  readonly maxDepth?: number
  readonly perLane?: number
  /** Deliveries of all lanes that run at once. */
  readonly concurrency?: number
}): Outbox {
  const { name, queue, queueLog, clock, logger, metrics, deliver } = options
  const { maxDepth = MAX_DEPTH, concurrency = CONCURRENCY } = options
  const entries = new Map<bigint, Entry>()
  /** What is stored about something, in the order of the ids. */
  const abouts = new Map<string, readonly bigint[]>()
  const ordered = createOrderedLanes()
  const due = createDueHeap()
  const lanes = createReadyLanes(options.perLane ?? PER_LANE)
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  let isOpen = false
  let isDraining = false
  let windowBytes = 0
  let adding = 0
  let lastTick = 0n
  /** Grows each time the queue is lost: what ran before may settle nothing any more. */
  let term = 0
  let cancelLook = () => {}

  const nextId = () => {
    const now = BigInt(Math.floor(clock.now())) << SEQUENCE_BITS
    lastTick = now > lastTick ? now : lastTick + 1n
    return (lastTick << QUEUE_BITS) | BigInt(queue)
  }
  const keep = (id: bigint, envelope: Envelope, dueAt: number, payload: Uint8Array) => {
    const isKept = windowBytes + payload.byteLength <= WINDOW_BYTES
    if (isKept) windowBytes += payload.byteLength
    const entry: Entry = { id, envelope, dueAt, state: 'waiting', payload: isKept ? payload : undefined }
    entries.set(id, entry)
    if (envelope.isOrdered) ordered.add(envelope.lane, id)
    wait(entry)
    const { about } = envelope
    if (about !== undefined) abouts.set(about, [...(abouts.get(about) ?? []), id])
  }
  const forget = (entry: Entry) => {
    if (!entries.delete(entry.id)) return
    windowBytes -= entry.payload?.byteLength ?? 0
    const { about, isOrdered, lane } = entry.envelope
    if (isOrdered) {
      const next = entries.get(ordered.remove(lane, entry.id) ?? 0n)
      if (next?.state === 'waiting' && next.dueAt <= clock.now()) makeReady(next)
    }
    if (about === undefined) return
    const left = (abouts.get(about) ?? []).filter((id) => id !== entry.id)
    if (left.length === 0) abouts.delete(about)
    else abouts.set(about, left)
  }
  /** In an ordered lane only the first is: the others follow when it is done. */
  const makeReady = (entry: Entry) => {
    const { lane, isOrdered } = entry.envelope
    if (isOrdered && !ordered.isFirst(lane, entry.id)) return
    entry.state = 'ready'
    lanes.add(lane, entry.id)
  }
  /** Everything that has fallen due becomes ready; the rest sets the next alarm. */
  const look = () => {
    cancelLook()
    for (let next = due.peek(); next; next = due.peek()) {
      if (next.at > clock.now()) {
        cancelLook = clock.after(Math.min(MAX_WAIT_MS, next.at - clock.now()), look)
        break
      }
      due.pop()
      const entry = entries.get(next.id)
      if (entry?.state === 'waiting' && entry.dueAt === next.at) makeReady(entry)
    }
    pump()
  }
  const wait = (entry: Entry) => {
    entry.state = 'waiting'
    due.push({ at: entry.dueAt, id: entry.id })
  }
  const pump = () => {
    while (isOpen && !isDraining && !stopping.signal.aborted && running.size < concurrency) {
      const next = lanes.take()
      if (!next) return
      const entry = entries.get(next.id)
      if (!entry) {
        lanes.done(next.lane)
        continue
      }
      entry.state = 'running'
      const done = run(entry, term).finally(() => {
        running.delete(done)
        lanes.done(next.lane)
        pump()
      })
      running.add(done)
    }
  }

  const payloadOf = async (entry: Entry): Promise<Uint8Array> => {
    if (entry.payload) return entry.payload
    const [stored] = await queueLog.load(queue, entry.id - 1n, 1)
    if (stored?.id !== entry.id) throw new Error('A stored delivery is not there any more')
    return stored.payload
  }
  const attempt = async (entry: Entry): Promise<Outcome> => {
    const { head, acceptedAt, attempts } = entry.envelope
    try {
      const payload = await payloadOf(entry)
      return await deliver({ head, payload, acceptedAt, attempts }, stopping.signal)
    } catch (error) {
      if (!stopping.signal.aborted) logger.error('A delivery could not be attempted', { outbox: name, error })
      return { do: 'retry', dueAt: clock.now() + RETRY_MS, head }
    }
  }
  const run = async (entry: Entry, startedIn: number) => {
    const outcome = await attempt(entry)
    // It stays stored as it was.
    if (stopping.signal.aborted) return
    for (;;) {
      if (startedIn !== term) return
      try {
        if (await settle(entry, outcome)) return
      } catch (error) {
        logger.warn('The outcome of a delivery could not be stored and is tried again', {
          outbox: name,
          error,
        })
      }
      await sleep(clock, RETRY_MS, stopping.signal).catch(() => {})
      if (stopping.signal.aborted) return
    }
  }
  /** False: not written, the lease is being taken again. */
  const settle = async (entry: Entry, outcome: Outcome): Promise<boolean> => {
    const { id, envelope } = entry
    if (outcome.do === 'done') {
      if ((await commits.submit({ kind: 'remove', queue, id })) !== 'committed') return false
      forget(entry)
      return true
    }
    const { head, dueAt } = outcome
    const next: Envelope = { ...envelope, head, attempts: envelope.attempts + 1 }
    const move = { id, queue, visibleAt: dueAt, head: encodeEnvelope(next) }
    if ((await commits.submit({ kind: 'move', move })) !== 'committed') return false
    entry.envelope = next
    metrics?.count('lambent_outbox_retries_total', 1, { outbox: name })
    entry.dueAt = dueAt
    wait(entry)
    look()
    return true
  }

  const read = (stored: LogEntry) => {
    try {
      keep(stored.id, decodeEnvelope(stored.head), stored.visibleAt, stored.payload)
    } catch (error) {
      // Kept in the store: a newer version may read it.
      logger.error('A stored delivery cannot be read and is left where it is', { outbox: name, error })
    }
  }
  const open = async () => {
    for (let after = 0n; ;) {
      const page = await queueLog.load(queue, after, PAGE_ROWS, PAGE_BYTES)
      for (const stored of page) read(stored)
      const last = page.at(-1)
      if (!last) break
      after = last.id
      const tick = last.id >> QUEUE_BITS
      if (tick > lastTick) lastTick = tick
    }
    isOpen = true
    look()
  }
  const close = () => {
    isOpen = false
    term++
    entries.clear()
    abouts.clear()
    ordered.clear()
    lanes.clear()
    windowBytes = 0
  }
  const lease = createQueueLease({
    queue,
    leases: options.leases,
    clock,
    logger,
    onTaken: open,
    onLost: close,
  })
  const commits = createCommitLane({ queueLog, epochOf: () => (isOpen ? lease.epoch() : undefined) })

  const append = async (entry: LogEntry, envelope: Envelope): Promise<LaneAnswer> => {
    const startedIn = term
    const answer = await commits.submit({ kind: 'append', entry })
    // Lost meanwhile: its next owner reads it from the store.
    if (answer === 'committed' && startedIn === term) {
      keep(entry.id, envelope, entry.visibleAt, entry.payload)
    }
    return answer
  }

  return {
    start: () => lease.start(),
    async add(deliveries) {
      if (deliveries.length === 0) return
      if (entries.size + adding + deliveries.length > maxDepth) throw new OutboxFull('The outbox is full')
      const acceptedAt = clock.now()
      adding += deliveries.length
      try {
        const answers = await Promise.all(
          deliveries.map(({ lane, isOrdered = false, about, head, payload, dueAt = acceptedAt }) => {
            const envelope: Envelope = { lane, isOrdered, about, acceptedAt, attempts: 0, head }
            const entry = { id: nextId(), queue, visibleAt: dueAt, head: encodeEnvelope(envelope), payload }
            return append(entry, envelope)
          }),
        )
        if (answers.includes('full')) throw new OutboxFull('Too much waits to be stored')
        if (answers.includes('fenced')) throw new OutboxFull('The outbox has no owner now')
        look()
      } finally {
        adding -= deliveries.length
      }
    },
    holds: (about) => abouts.has(about),
    headOf: (about) => entries.get(abouts.get(about)?.at(-1) ?? 0n)?.envelope.head,
    depth: () => entries.size,
    async drain(deadlineMs) {
      isDraining = true
      const deadline = Promise.withResolvers<void>()
      const cancel = clock.after(deadlineMs, deadline.resolve)
      await Promise.race([Promise.all(running), deadline.promise])
      cancel()
    },
    async stop() {
      if (!stopping.signal.aborted) stopping.abort(new Error('The outbox was stopped'))
      cancelLook()
      await lease.stop()
      close()
    },
  }
}
