/**
 * One queue in the memory of its owner: what falls due when, what is leased, and which payloads are kept.
 *
 * Every stored event is either known here (an entry) or in the tail: stored with an id beyond the cursor and not read
 * yet. Entries hold their payload only within a window; one that waits long is parked without it and read again when
 * it falls due, so that a backlog of delayed events never keeps fresh ones from being read.
 */
import type { FunctionId } from '#contracts/arn.ts'
import type { AsyncEvent } from '#contracts/event.ts'
import type { Clock } from '#kernel/clock.ts'
import { MIB } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { LogEntry, QueueLog } from '#store/port.ts'

import type { DispatchOutcome } from '#data-plane/events/port.ts'

import type { DispatchGate } from './dispatch-gate.ts'
import { decodeEvent } from './event-codec.ts'
import { createFunctionLanes, type Offered } from './function-lanes.ts'

export interface QueueWindow {
  /** Events whose payload is kept in memory, and the bytes of those payloads. */
  readonly events: number
  readonly bytes: number
}

const DEFAULT_WINDOW: QueueWindow = { events: 20_000, bytes: 64 * MIB }
const PAGE_ROWS = 1000
const PAGE_BYTES = 8 * MIB
/** What is read before the queue is open; the rest follows while it already serves. */
const FIRST_PAGE_ROWS = 64
/** An event that waits longer than this gives up its payload while the window is fuller than this share. */
const PARK_AFTER_MS = 5_000
const PARK_SHARE = 0.5
/** Fresh events of a function that is behind are kept beyond a full window up to this share. */
const FRESH_SHARE = 1.1
/** The tail is read below this share. Above the other, or delayed events alone could keep the tail from being read. */
const REFILL_SHARE = 0.75
const RELOAD_RETRY_MS = 1_000
/** Parked events that are read at a time. */
const MAX_LOADING = 64

type EntryState = 'ready' | 'loading' | 'leased' | 'settling' | 'unreadable'

interface Entry {
  readonly id: bigint
  /** Its function: the lane that it stands in. */
  key: string
  state: EntryState
  visibleAt: number
  /** Undefined while parked. */
  event: AsyncEvent | undefined
  /** Whose slot it has, while it is leased. */
  target: FunctionId | undefined
  /** Monotonic milliseconds at which a lease runs out. */
  leasedUntil: number
}

export interface OwnedQueue {
  readonly queue: number
  readonly epoch: number
  /** Events stored in this queue. */
  readonly depth: number
  readonly leased: number
  /** Reads what is stored. */
  open(): Promise<void>
  /** A new id, greater than every one before. */
  nextId(): bigint
  /** Told once an append is durable. */
  appended(id: bigint, visibleAt: number, event: AsyncEvent): void
  /** The next event that is due, leased to the caller; undefined when none is due and in memory. */
  take(): { readonly id: bigint; readonly event: AsyncEvent } | undefined
  /** When the next event in memory falls due, wall-clock milliseconds. */
  nextDueAt(): number | undefined
  isLeased(id: bigint): boolean
  /** Claims a leased event for settling: false when it is not leased (any more). */
  beginSettling(id: bigint): boolean
  /** Told once a removal is durable. */
  removed(id: bigint, outcome: DispatchOutcome): void
  /** Told once a move is durable. */
  moved(id: bigint, visibleAt: number, event: AsyncEvent, outcome: DispatchOutcome): void
  /** The function's events may be taken again that were refused a slot. */
  resume(key: string): void
  /** What was leased is due again. */
  giveBack(id: bigint): void
  /** Gives back what was leased too long; how many. */
  expireLeases(): number
  /** The queue has another owner, or the program ends: nothing of it is used any more. */
  discard(): void
}

/** Ids are time-ordered and unique in the store: milliseconds, 12 bits within one, 8 bits of queue number. */
const SEQUENCE_BITS = 12n
const QUEUE_BITS = 8n
export const MAX_QUEUES = 256

export const functionKeyOf = ({ account, region, name }: FunctionId) => `${account}/${region}/${name}`

/**
 * `onReady` is called when events may have fallen due that `take` did not give before; `onFreed` when an event of the
 * function has ended, `onCrowded` when it has to wait for others.
 */
export function createOwnedQueue(options: {
  readonly queue: number
  readonly epoch: number
  readonly queueLog: QueueLog
  readonly clock: Clock
  readonly leaseTimeoutMs: number
  readonly window?: QueueWindow
  readonly logger?: Logger | undefined
  readonly gate: DispatchGate
  readonly onReady: () => void
  readonly onFreed: (key: string) => void
  readonly onCrowded: (key: string) => void
  readonly onRemoved: (key: string) => void
}): OwnedQueue {
  const { queue, epoch, queueLog, clock, leaseTimeoutMs, logger, gate } = options
  const { onReady, onFreed, onCrowded, onRemoved } = options
  const window = options.window ?? DEFAULT_WINDOW
  const entries = new Map<bigint, Entry>()
  const lanes = createFunctionLanes()
  const leased = new Map<bigint, Entry>()
  let depth = 0
  let windowEvents = 0
  let windowBytes = 0
  let cursor = 0n
  let lastTick = 0n
  let appends = 0
  let refilling = false
  let loading = 0
  let discarded = false
  /** What left while a page was read, which may still have it. */
  const goneMeanwhile = new Set<bigint>()

  const tail = () => depth - entries.size
  const isWindow = (share: number) =>
    windowEvents < window.events * share && windowBytes < window.bytes * share
  const keep = (entry: Entry, event: AsyncEvent) => {
    entry.event = event
    windowEvents++
    windowBytes += event.payload.byteLength
  }
  const drop = (entry: Entry) => {
    if (!entry.event) return
    windowEvents--
    windowBytes -= entry.event.payload.byteLength
    entry.event = undefined
  }
  const enqueueReady = (entry: Entry, isFresh = false) => {
    entry.state = 'ready'
    entry.key = lanes.push(entry.key, entry.visibleAt, entry.id, isFresh)
  }
  /** Gives the slot back. */
  const free = (entry: Entry, outcome: DispatchOutcome) => {
    if (!leased.delete(entry.id) || !entry.target) return
    gate.end(entry.target, entry.key, outcome)
    entry.target = undefined
    onFreed(entry.key)
  }
  const readable = ({ id, head, payload }: LogEntry): AsyncEvent | undefined => {
    try {
      return decodeEvent(head, payload)
    } catch (error) {
      // Kept in the store: somebody may want to look at it, or a newer version may read it.
      logger?.error('A stored event cannot be read and is left where it is', { queue, id: String(id), error })
      return undefined
    }
  }
  const shouldPark = (visibleAt: number) => visibleAt - clock.now() > PARK_AFTER_MS && !isWindow(PARK_SHARE)
  const admit = (id: bigint, visibleAt: number, event: AsyncEvent | undefined, isFresh = false) => {
    const entry: Entry = {
      id,
      key: '',
      state: 'unreadable',
      visibleAt,
      event: undefined,
      target: undefined,
      leasedUntil: 0,
    }
    entries.set(id, entry)
    if (!event) return
    entry.key = functionKeyOf(event.target)
    if (!shouldPark(visibleAt)) keep(entry, event)
    enqueueReady(entry, isFresh)
  }
  /** Reads from the tail until the window is full or nothing is left there. */
  const refill = async (rows = PAGE_ROWS) => {
    if (refilling || discarded) return
    refilling = true
    try {
      while (tail() > 0 && isWindow(1) && !discarded) {
        const appendsBefore = appends
        const page = await queueLog.load(queue, cursor, rows, PAGE_BYTES)
        if (discarded) return
        for (const stored of page) {
          if (!entries.has(stored.id) && !goneMeanwhile.has(stored.id))
            admit(stored.id, stored.visibleAt, readable(stored))
          if (stored.id > cursor) cursor = stored.id
        }
        goneMeanwhile.clear()
        if (page.length > 0) {
          onReady()
          if (rows !== PAGE_ROWS) return
        } else if (appends === appendsBefore) {
          logger?.warn('A queue holds fewer events than were counted', { queue, missing: tail() })
          depth = entries.size
        }
      }
    } catch (error) {
      if (discarded) return
      logger?.warn('A queue could not be read and is tried again', { queue, error })
      clock.after(RELOAD_RETRY_MS, refillLater)
    } finally {
      refilling = false
      goneMeanwhile.clear()
    }
  }
  const refillLater = () => void refill()
  /** Fetches the payload of a parked event that has fallen due. */
  const unpark = async (entry: Entry) => {
    entry.state = 'loading'
    loading++
    try {
      const [stored] = await queueLog.load(queue, entry.id - 1n, 1)
      if (discarded || entries.get(entry.id) !== entry) return
      const event = stored?.id === entry.id ? readable(stored) : undefined
      if (event) {
        keep(entry, event)
        enqueueReady(entry)
      } else entry.state = 'unreadable'
    } catch (error) {
      if (discarded) return
      logger?.warn('An event could not be read and is tried again', { queue, id: String(entry.id), error })
      entry.visibleAt = clock.now() + RELOAD_RETRY_MS
      enqueueReady(entry)
    } finally {
      loading--
    }
    onReady()
  }
  const forget = (id: bigint, outcome: DispatchOutcome) => {
    const entry = entries.get(id)
    if (!entry) return
    free(entry, outcome)
    onRemoved(entry.key)
    drop(entry)
    entries.delete(id)
    if (refilling) goneMeanwhile.add(id)
    depth--
    if (tail() > 0 && isWindow(REFILL_SHARE)) refillLater()
  }

  const comeBack = (entry: Entry) => {
    free(entry, 'none')
    entry.visibleAt = clock.now()
    enqueueReady(entry)
  }

  return {
    queue,
    epoch,
    get depth() {
      return depth
    },
    get leased() {
      return leased.size
    },
    async open() {
      const { entries: stored, lastId } = await queueLog.size(queue)
      depth = stored
      lastTick = lastId >> QUEUE_BITS
      await refill(FIRST_PAGE_ROWS)
      refillLater()
    },
    nextId() {
      const now = BigInt(Math.floor(clock.now())) << SEQUENCE_BITS
      // Grows also when the clock steps back, so that the cursor never passes an id that is still to come.
      lastTick = now > lastTick ? now : lastTick + 1n
      return (lastTick << QUEUE_BITS) | BigInt(queue)
    },
    appended(id, visibleAt, event) {
      if (discarded) return
      appends++
      const nothingBehind = tail() <= 0
      depth++
      if (entries.has(id)) return
      if (nothingBehind && !refilling && isWindow(1)) {
        admit(id, visibleAt, event)
        if (id > cursor) cursor = id
        return
      }
      // So that a function that is behind does what is new, and not only what nobody waits for any more.
      if (isWindow(FRESH_SHARE) && lanes.isBehind(functionKeyOf(event.target), clock.now()))
        admit(id, visibleAt, event, true)
      refillLater()
    },
    take() {
      // Most queues, most of the time, and all of them are asked for every event.
      if (lanes.isEmpty) return undefined
      let taken: { readonly id: bigint; readonly event: AsyncEvent } | undefined
      const now = clock.now()
      const offer = (id: bigint, at: number | undefined): Offered => {
        const entry = entries.get(id)
        if (entry?.state !== 'ready' || entry.visibleAt > now) return 'gone'
        if (at !== undefined && entry.visibleAt !== at) return 'gone'
        if (!entry.event) {
          // Taken up again by the end of one of the reads.
          if (loading >= MAX_LOADING) return 'stop'
          void unpark(entry)
          return 'gone'
        }
        const { target } = entry.event
        const verdict = gate.begin(target, entry.key)
        if (verdict === 'crowded') {
          if (gate.free() === 0) return 'stop'
          onCrowded(entry.key)
          return 'held'
        }
        if (typeof verdict === 'number') return now + Math.max(1, verdict - clock.monotonic())
        if (verdict === 'held') return 'held'
        entry.state = 'leased'
        entry.target = target
        entry.leasedUntil = clock.monotonic() + leaseTimeoutMs
        leased.set(entry.id, entry)
        taken = { id, event: entry.event }
        return 'taken'
      }
      lanes.next(now, offer)
      return taken
    },
    nextDueAt: () => (loading >= MAX_LOADING ? undefined : lanes.nextDueAt()),
    isLeased: (id) => leased.get(id)?.state === 'leased',
    beginSettling(id) {
      const entry = leased.get(id)
      if (!entry || entry.state !== 'leased') return false
      entry.state = 'settling'
      return true
    },
    removed: forget,
    resume: lanes.resume,
    moved(id, visibleAt, event, outcome) {
      const entry = entries.get(id)
      if (!entry) return
      free(entry, outcome)
      drop(entry)
      entry.visibleAt = visibleAt
      if (!shouldPark(visibleAt)) keep(entry, event)
      enqueueReady(entry)
      if (tail() > 0 && isWindow(REFILL_SHARE)) refillLater()
    },
    giveBack(id) {
      const entry = leased.get(id)
      if (entry?.state === 'leased') comeBack(entry)
    },
    expireLeases() {
      let expired = 0
      for (const entry of leased.values()) {
        if (entry.state !== 'leased' || entry.leasedUntil > clock.monotonic()) continue
        comeBack(entry)
        expired++
      }
      return expired
    },
    discard() {
      discarded = true
      for (const entry of leased.values()) free(entry, 'none')
      entries.clear()
      leased.clear()
      depth = 0
    },
  }
}
