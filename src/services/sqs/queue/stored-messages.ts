/**
 * The messages of one queue: in the log all of them, in memory what is known of those that come next. Everything beyond
 * the last that was read is the tail, which is read as the messages before it are taken.
 */
import type { Clock } from '#kernel/clock.ts'
import { MIB } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { HeldQueues } from '#queues/held-queues.ts'
import type { LogEntry, QueueLog } from '#store/port.ts'

import { unavailable } from '../sqs-errors.ts'
import type { Entry } from './entry.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { decodeHead, encodeHead, NEVER_RECEIVED, type MessageHead } from './message.ts'
import type { MessageIndex } from './message-index.ts'

const PAGE_ROWS = 1000
const PAGE_BYTES = 4 * MIB
/** What is read before the queue is open; the rest follows while it already serves. */
const FIRST_PAGE_ROWS = 64
/** Messages are known, and the tail is read, while fewer are visible than this. */
const MAX_VISIBLE = 10_000
/** As far as AWS looks for groups that are not blocked. */
const MAX_VISIBLE_FIFO = 120_000
/** Visible, delayed and in flight. */
const MAX_KNOWN = 250_000
/** Known of every queue, however full the memory is. */
const LEAST_VISIBLE = 100
/** What is known of a message, without its payload. */
const ENTRY_BYTES = 600
const RETRY_MS = 1_000

export interface StoredMessages {
  /** Messages in the tail. */
  readonly tail: number
  /** Reads what is stored, after removing what a purge has left. */
  open(purgedThrough: bigint): Promise<void>
  /** Durable, and known to the queue, when it resolves. */
  append(head: MessageHead, payload: Uint8Array, visibleAt: number): Promise<bigint>
  /** Durable when it resolves; then it is known no more. */
  remove(id: bigint): Promise<void>
  /** Whether a message that is not known lies in the tail. */
  isInTail(id: bigint): Promise<boolean>
  /** The payloads of these, from memory or from the log; undefined for what is gone. */
  payloads(entries: readonly Entry[]): Promise<readonly (Uint8Array | undefined)[]>
  /** It is not in the log any more. */
  forget(id: bigint): void
  /** Lets go of the payload: it is in flight, and most of these never come back. */
  drop(entry: Entry): void
  /** Stores what was received and until when it is hidden. Resolves when it is durable. */
  save(entry: Entry): Promise<void>
  /** Forgets every message up to this id, and removes them from the log. */
  purge(through: bigint): void
  /** Calls `each` for the heads of messages from this id on. */
  scan(from: bigint, each: (head: MessageHead, id: bigint) => void): Promise<void>
  /** Reads from the tail when there is room; resolves when there is something new, or nothing to read. */
  refill(): Promise<void>
  discard(): void
}

export function createStoredMessages(options: {
  readonly number: number
  readonly isFifo: boolean
  readonly index: MessageIndex
  readonly held: HeldQueues
  readonly queueLog: QueueLog
  readonly budget: MemoryBudget
  readonly clock: Clock
  readonly logger: Logger
  /** There may be more to take than before. */
  readonly onMore: () => void
}): StoredMessages {
  const { number, isFifo, index, held, queueLog, budget, clock, logger, onMore } = options
  const maxVisible = isFifo ? MAX_VISIBLE_FIFO : MAX_VISIBLE
  let depth = 0
  let cursor = 0n
  let purged = 0n
  let appends = 0
  let refilling: Promise<void> | undefined
  let isDiscarded = false

  const tail = () => Math.max(0, depth - index.size)
  const keep = (entry: Entry, payload: Uint8Array) => {
    if (!budget.take(payload.byteLength)) return
    // A small view would keep the large buffer it came in alive for as long as the message waits.
    const isWhole = payload.byteLength === payload.buffer.byteLength
    entry.payload = isWhole ? payload : Uint8Array.from(payload)
  }
  const drop = (entry: Entry) => {
    if (!entry.payload) return
    budget.give(entry.payload.byteLength)
    entry.payload = undefined
  }
  const forget = (id: bigint) => {
    // What was purged is not counted any more.
    if (id > purged) depth = Math.max(0, depth - 1)
    const entry = index.get(id)
    if (!entry) return
    drop(entry)
    index.remove(entry)
    budget.give(ENTRY_BYTES)
  }
  const forgetAll = () => {
    for (const entry of index.values()) drop(entry)
    budget.give(index.size * ENTRY_BYTES)
    index.clear()
  }
  const removeLater = (id: bigint) =>
    void held.lane.submit({ kind: 'remove', queue: number, id }).catch((error: unknown) => {
      logger.warn('A message that is gone could not be removed from the log', { number, error })
    })

  const admit = ({ id, head: text, payload, visibleAt }: LogEntry) => {
    try {
      const { head, received } = decodeHead(text)
      const entry: Entry = {
        id,
        head,
        ...received,
        state: 'delayed',
        visibleAt,
        receipt: undefined,
        payload: undefined,
        gone: undefined,
      }
      index.add(entry, clock.now())
      budget.add(ENTRY_BYTES)
      if (entry.state !== 'inFlight') keep(entry, payload)
    } catch (error) {
      // Kept in the log: a newer version may read it.
      depth--
      logger.error('A stored message cannot be read and is left where it is', {
        number,
        id: String(id),
        error,
      })
    }
  }
  const hasRoom = () => {
    const { visible } = index.counts
    return visible < maxVisible && index.size < MAX_KNOWN && (!budget.isFull || visible < LEAST_VISIBLE)
  }

  const readTail = (rows: number): Promise<void> => {
    refilling ??= readPages(rows).finally(() => (refilling = undefined))
    return refilling
  }
  const readPages = async (rows: number) => {
    try {
      while (tail() > 0 && hasRoom() && !isDiscarded) {
        const appendsBefore = appends
        const page = await queueLog.load(number, cursor, rows, PAGE_BYTES)
        if (isDiscarded) return
        for (const stored of page) {
          if (stored.id > purged && !index.get(stored.id)) admit(stored)
          if (stored.id > cursor) cursor = stored.id
        }
        if (page.length > 0) {
          onMore()
          if (rows !== PAGE_ROWS) return
        } else if (appends === appendsBefore) {
          depth = index.size
        }
      }
    } catch (error) {
      if (isDiscarded) return
      logger.warn('A queue could not be read and is tried again', { number, error })
      clock.after(RETRY_MS, () => void readTail(PAGE_ROWS))
    }
  }
  const refill = async () => {
    if (!isDiscarded && tail() > 0 && hasRoom()) await readTail(PAGE_ROWS)
  }
  /** Removes everything up to this id from the log. */
  const clear = async (through: bigint) => {
    for (let after = 0n; ;) {
      const page = await queueLog.load(number, after, PAGE_ROWS, PAGE_BYTES)
      const old = page.filter(({ id }) => id <= through)
      await Promise.all(old.map(({ id }) => held.lane.submit({ kind: 'remove', queue: number, id })))
      const last = old.at(-1)
      if (!last || old.length < page.length) return
      after = last.id
    }
  }
  const appended = (entry: LogEntry) => {
    if (isDiscarded) return
    if (entry.id <= purged) return removeLater(entry.id)
    appends++
    const isNothingBehind = tail() <= 0
    depth++
    if (index.get(entry.id)) return
    if (isNothingBehind && !refilling && hasRoom()) {
      admit(entry)
      if (entry.id > cursor) cursor = entry.id
    } else void refill()
    onMore()
  }

  return {
    get tail() {
      return tail()
    },
    async open(purgedThrough) {
      purged = purgedThrough
      if (purged > 0n) await clear(purged)
      const { entries, lastId } = await queueLog.size(number)
      depth = entries
      held.advancePast(lastId > purged ? lastId : purged)
      await readTail(FIRST_PAGE_ROWS)
      void refill()
    },
    async append(head, payload, visibleAt) {
      const id = held.nextId()
      if (id === undefined) throw unavailable('No message can be stored now')
      const text = encodeHead(head, NEVER_RECEIVED)
      const entry: LogEntry = { id, queue: number, visibleAt, head: text, payload }
      let answer
      try {
        answer = await held.lane.submit({ kind: 'append', entry })
      } catch (error) {
        throw unavailable('The message could not be stored', error)
      }
      if (answer !== 'committed') throw unavailable('The queue takes no messages now')
      appended(entry)
      return id
    },
    async remove(id) {
      let answer
      try {
        answer = await held.lane.submit({ kind: 'remove', queue: number, id })
      } catch (error) {
        throw unavailable('The deletion could not be stored', error)
      }
      if (answer !== 'committed') throw unavailable('The deletion could not be stored')
      if (isDiscarded) return
      forget(id)
      void refill()
      onMore()
    },
    async isInTail(id) {
      if (id <= cursor || id <= purged) return false
      const [stored] = await queueLog.load(number, id - 1n, 1)
      return stored?.id === id
    },
    async payloads(entries) {
      const found = entries.map(({ payload }) => payload)
      const absent = entries.filter(({ payload }) => !payload)
      const [first] = absent
      if (!first) return found
      // Those that lie one after the other come with one read.
      const stored = new Map<bigint, Uint8Array>()
      const page = await queueLog.load(number, first.id - 1n, absent.length)
      for (const { id, payload } of page) stored.set(id, payload)
      const others = absent.filter(({ id }) => !stored.has(id) && id !== first.id)
      for (const { id } of others) {
        const [one] = await queueLog.load(number, id - 1n, 1)
        if (one?.id === id) stored.set(id, one.payload)
      }
      return entries.map(({ id }, at) => found[at] ?? stored.get(id))
    },
    forget,
    drop,
    async save({ id, head, receives, firstReceivedAt, visibleAt }) {
      const text = encodeHead(head, { receives, firstReceivedAt })
      await held.lane.submit({ kind: 'move', move: { id, queue: number, visibleAt, head: text } })
    },
    purge(through) {
      purged = through
      forgetAll()
      depth = 0
      if (through > cursor) cursor = through
      clear(through).catch((error: unknown) => {
        // Whoever opens the queue next does it.
        if (!isDiscarded) logger.warn('What was purged could not be removed from the log', { number, error })
      })
    },
    async scan(from, each) {
      for (let after = from; ;) {
        const page = await queueLog.load(number, after, PAGE_ROWS, PAGE_BYTES)
        for (const { id, head } of page) {
          try {
            each(decodeHead(head).head, id)
          } catch {
            // Said when it is read to be given out.
          }
        }
        const last = page.at(-1)
        if (!last) return
        after = last.id
      }
    },
    refill,
    discard() {
      isDiscarded = true
      forgetAll()
    },
  }
}
