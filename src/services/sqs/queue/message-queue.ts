/** One queue while it is open: sends, receives, deletes and hides messages by SQS's rules. */
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { HeldQueues } from '#queues/held-queues.ts'
import type { QueueLog } from '#store/port.ts'

import {
  expiredHandle,
  invalidHandle,
  invalidValue,
  messageIsGone,
  notInFlight,
  tooManyInFlight,
  unavailable,
} from '../sqs-errors.ts'
import { createDeduplication, DEDUPLICATION_MS, type Accepted } from './deduplication.ts'
import type { Entry } from './entry.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { MessageHead, Received } from './message.ts'
import { createMessageIndex } from './message-index.ts'
import { createReceiveAttempts } from './receive-attempts.ts'
import { decodeReceipt, encodeReceipt, MAX_RECEIPT } from './receipt-handle.ts'
import { createStoredMessages } from './stored-messages.ts'
import { createWaitingReceivers } from './waiting-receivers.ts'

/** AWS's quota, of standard queues and (since November 2024) of FIFO queues. */
const MAX_IN_FLIGHT = 120_000
/** From the first reception on, whatever is asked for. */
const MAX_VISIBILITY_MS = 12 * HOUR_MS
/** A move that failed is tried again when the message is received next, which is not before this. */
const RETRY_MOVE_MS = 1_000

/** What the queue's attributes say now. */
export interface QueueRules {
  readonly retentionMs: number
  /** Deduplicate each message group by itself. */
  readonly deduplicatesGroups: boolean
  /** Undefined: no message is ever a dead letter. */
  readonly deadLetters: { readonly maxReceives: number; readonly deliver: Deliver } | undefined
}

/** Gives a message to another queue. Durable there when it resolves. */
type Deliver = (head: MessageHead, payload: Uint8Array) => Promise<void>

export interface ReceivedMessage extends Received {
  readonly id: bigint
  readonly head: MessageHead
  readonly payload: Uint8Array
  readonly handle: string
}

export interface QueueCounts {
  readonly visible: number
  readonly notVisible: number
  readonly delayed: number
}

export interface MessageQueue {
  /** In a FIFO queue a duplicate is answered like the first one. */
  send(head: MessageHead, payload: Uint8Array, delayMs: number): Promise<Accepted>
  /** Takes what comes from another queue, duplicate or not. */
  accept(head: MessageHead, payload: Uint8Array): Promise<void>
  /** Waits up to `waitMs` for the first message. Empty when there is none, or `signal` aborts. */
  receive(wanted: {
    readonly max: number
    readonly visibilityMs: number
    readonly waitMs: number
    readonly attemptId?: string | undefined
    readonly signal: AbortSignal
  }): Promise<readonly ReceivedMessage[]>
  /** Durable when it resolves. */
  remove(handle: string): Promise<void>
  changeVisibility(handle: string, visibilityMs: number): Promise<void>
  /** Every message with an id up to this one is gone. */
  purge(through: bigint): void
  counts(): QueueCounts
  /** Moves up to `max` visible messages elsewhere; how many. Rejects with what `deliver` says of the first that fails. */
  move(max: number, deliver: Deliver): Promise<number>
  /** Removes what is older than the retention. */
  sweep(): void
  /** Stores what is in flight until when, so that a restart does not show it early. */
  save(): Promise<void>
  /** The queue has another owner, or is deleted, or the program ends: nothing of it is used any more. */
  discard(): void
}

export interface MessageQueueOptions {
  /** Of its messages in the log; the next number is that of its deduplication. */
  readonly number: number
  readonly isFifo: boolean
  readonly purgedThrough: bigint
  readonly rules: () => QueueRules
  readonly held: HeldQueues
  readonly queueLog: QueueLog
  readonly budget: MemoryBudget
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly maxInFlight?: number
}

/** The queue's leases must be held. */
export async function openMessageQueue(options: MessageQueueOptions): Promise<MessageQueue> {
  const { number, isFifo, rules, held, queueLog, clock, random, logger } = options
  const maxInFlight = options.maxInFlight ?? MAX_IN_FLIGHT
  const index = createMessageIndex({ isFifo })
  const receivers = createWaitingReceivers({ clock })
  const pump = () => {
    index.promote(clock.now())
    receivers.serve(index.counts.visible, index.nextDueAt(), pump)
  }
  const stored = createStoredMessages({ ...options, index, onMore: pump })
  const deduplication = createDeduplication({ number: number + 1, held, queueLog, clock })
  const attempts = createReceiveAttempts({ clock })

  const keyOf = ({ group = '', deduplicationId }: MessageHead) =>
    deduplicationId === undefined
      ? undefined
      : rules().deduplicatesGroups
        ? `${group}\n${deduplicationId}`
        : deduplicationId

  /** Off the queue for good, with a trace where duplicates are still to be recognised. */
  const takeAway = async (entry: Entry): Promise<void> => {
    const key = isFifo ? keyOf(entry.head) : undefined
    stored.drop(entry)
    // One after the other in one lane: the record is not later on the disk than the deletion.
    const kept = key === undefined ? undefined : deduplication.keep(key, entry.head, entry.id)
    await Promise.all([kept, stored.remove(entry.id)])
  }
  const removeEntry = (entry: Entry): Promise<void> => {
    if (entry.gone) return entry.gone
    const { visibleAt } = entry
    index.leave(entry)
    entry.gone = takeAway(entry).catch((error: unknown) => {
      entry.gone = undefined
      if (index.get(entry.id) === entry) index.hide(entry, visibleAt, clock.now())
      pump()
      throw error
    })
    return entry.gone
  }
  const moveEntry = async (entry: Entry, deliver: Deliver): Promise<boolean> => {
    index.leave(entry)
    try {
      const [payload] = await stored.payloads([entry])
      if (payload) await deliver(entry.head, payload)
      await takeAway(entry)
      return payload !== undefined
    } catch (error) {
      if (index.get(entry.id) === entry) index.hide(entry, clock.now() + RETRY_MOVE_MS, clock.now())
      pump()
      throw error
    }
  }
  const isExpired = ({ head }: Entry) => head.sentAt + rules().retentionMs <= clock.now()
  const expire = (entry: Entry) =>
    void removeEntry(entry).catch((error: unknown) =>
      logger.warn('A message that has expired could not be removed', { number, error }),
    )

  /** What is taken now: marked as in flight, dead letters sent on their way. */
  const take = (max: number, visibilityMs: number): readonly Entry[] => {
    const now = clock.now()
    index.promote(now)
    const { deadLetters } = rules()
    const taken: Entry[] = []
    const blocked = new Set<string | undefined>()
    for (let wanted = max; wanted > 0; wanted = max - taken.length) {
      const some = index.take(Math.min(wanted, maxInFlight - index.counts.inFlight), now + visibilityMs)
      if (some.length === 0) break
      for (const entry of some) {
        if (isExpired(entry)) {
          expire(entry)
        } else if (deadLetters && entry.receives >= deadLetters.maxReceives) {
          blocked.add(entry.head.group)
          moveEntry(entry, deadLetters.deliver).catch((error: unknown) =>
            logger.warn('A dead letter could not be moved and stays in its queue', { number, error }),
          )
        } else if (isFifo && blocked.has(entry.head.group)) {
          // Behind a dead letter, which may stay after all.
          index.hide(entry, now, now)
        } else {
          entry.receives++
          entry.firstReceivedAt ??= now
          entry.receipt = Math.floor(random.next() * MAX_RECEIPT)
          taken.push(entry)
        }
      }
    }
    void stored.refill()
    return taken
  }
  const handleOf = ({ id, receipt = 0 }: Entry) => encodeReceipt({ number, id, receipt })

  /** The messages with their payloads; what is gone from the log by now is left out. */
  const deliver = async (entries: readonly Entry[]): Promise<readonly ReceivedMessage[]> => {
    let payloads
    try {
      payloads = await stored.payloads(entries)
    } catch (error) {
      for (const entry of entries) {
        const isHere = index.get(entry.id) === entry && entry.state === 'inFlight'
        if (isHere) index.hide(entry, clock.now(), clock.now())
      }
      throw error
    }
    return entries.flatMap((entry, at) => {
      const { id, head, receives, firstReceivedAt, visibleAt } = entry
      const payload = payloads[at]
      if (!payload) {
        logger.warn('A message is not in the log any more', { number, id: String(id) })
        stored.forget(id)
        return []
      }
      stored.drop(entry)
      // The first reception is not worth a write: after a crash the message counts as never received.
      if (receives > 1) void stored.save(entry).catch(() => {})
      else if (visibleAt <= clock.now()) pump()
      return [{ id, head, receives, firstReceivedAt, payload, handle: handleOf(entry) }]
    })
  }

  let isDiscarded = false
  /** Nothing may be acknowledged for a queue that somebody else has by now. */
  const assertHere = () => {
    if (isDiscarded) throw unavailable('The queue is not here any more, try again')
  }
  const receiptOf = (handle: string) => {
    assertHere()
    const receipt = decodeReceipt(handle)
    if (receipt?.number !== number) throw invalidHandle(handle)
    return receipt
  }

  await stored.open(options.purgedThrough)
  if (isFifo) {
    await deduplication.open()
    await stored.scan(held.idAt(clock.now() - DEDUPLICATION_MS), (head, id) => {
      const key = keyOf(head)
      if (key !== undefined) deduplication.found(key, head, id)
    })
  }

  return {
    async send(head, payload, delayMs) {
      assertHere()
      const send = async () => ({
        messageId: head.messageId,
        id: await stored.append(head, payload, clock.now() + delayMs),
      })
      const key = isFifo ? keyOf(head) : undefined
      return key === undefined ? await send() : await deduplication.once(key, send)
    },
    async accept(head, payload) {
      assertHere()
      await stored.append(head, payload, clock.now())
    },
    async receive({ max, visibilityMs, waitMs, attemptId, signal }) {
      assertHere()
      const again = attemptId === undefined ? undefined : attempts.find(attemptId, index)
      if (again) {
        for (const entry of again) index.hide(entry, clock.now() + visibilityMs, clock.now())
        return await deliver(again)
      }
      const until = clock.monotonic() + waitMs
      for (;;) {
        let entries = signal.aborted ? [] : take(max, visibilityMs)
        if (entries.length === 0 && stored.tail > 0) {
          await stored.refill()
          entries = signal.aborted ? [] : take(max, visibilityMs)
        }
        if (entries.length > 0) {
          if (attemptId !== undefined) attempts.keep(attemptId, entries)
          const messages = await deliver(entries)
          if (messages.length > 0) return messages
        }
        const leftMs = until - clock.monotonic()
        if (leftMs <= 0 || signal.aborted) {
          const isFull = index.counts.inFlight >= maxInFlight && waitMs === 0 && !isFifo
          if (isFull && index.counts.visible > 0) throw tooManyInFlight()
          return []
        }
        const waiting = receivers.wait(leftMs, signal)
        receivers.serve(0, index.nextDueAt(), pump)
        if (!(await waiting)) return []
      }
    },
    async remove(handle) {
      const { id, receipt } = receiptOf(handle)
      index.promote(clock.now())
      const entry = index.get(id)
      if (!entry) {
        const isInTail = await stored.isInTail(id)
        assertHere()
        if (isInTail) await stored.remove(id)
        return
      }
      if (entry.gone) return await entry.gone
      if (entry.receipt !== undefined) {
        // In the words of the API reference: the request succeeds, but the message is not deleted.
        if (entry.receipt !== receipt && !isFifo) return
        if (isFifo && (entry.receipt !== receipt || entry.state !== 'inFlight')) throw expiredHandle(handle)
      }
      if (entry.state === 'leaving') return
      await removeEntry(entry)
    },
    async changeVisibility(handle, visibilityMs) {
      const { id, receipt } = receiptOf(handle)
      const now = clock.now()
      index.promote(now)
      const entry = index.get(id)
      if (!entry || entry.state === 'leaving') throw messageIsGone(handle)
      if (entry.receipt === undefined) {
        // Received from the process before this one.
        entry.receipt = receipt
        entry.receives = Math.max(1, entry.receives)
        entry.firstReceivedAt ??= now
      } else if (entry.receipt !== receipt) throw notInFlight()
      if (isFifo && entry.state !== 'inFlight' && entry.visibleAt <= now && entry.receives > 0) {
        throw expiredHandle(handle)
      }
      if (now + visibilityMs > (entry.firstReceivedAt ?? now) + MAX_VISIBILITY_MS) {
        throw invalidValue(
          visibilityMs / 1000,
          'VisibilityTimeout',
          `Total VisibilityTimeout for the message is beyond the limit [${MAX_VISIBILITY_MS / 1000} seconds]`,
        )
      }
      index.hide(entry, now + visibilityMs, now)
      pump()
    },
    purge(through) {
      stored.purge(through)
      attempts.clear()
    },
    counts() {
      index.promote(clock.now())
      const { visible, inFlight, delayed } = index.counts
      return { visible: visible + stored.tail, notVisible: inFlight, delayed }
    },
    async move(max, deliverTo) {
      assertHere()
      index.promote(clock.now())
      const entries = index.take(max, clock.now() + RETRY_MOVE_MS)
      void stored.refill()
      const outcomes = await Promise.allSettled(entries.map((entry) => moveEntry(entry, deliverTo)))
      const failed = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failed) throw failed.reason
      return entries.length
    },
    sweep() {
      deduplication.sweep()
      for (const entry of index.values()) {
        if (entry.state !== 'leaving' && isExpired(entry)) expire(entry)
      }
    },
    async save() {
      const hidden = [...index.values()].filter(({ state }) => state === 'inFlight')
      await Promise.allSettled(hidden.map((entry) => stored.save(entry)))
    },
    discard() {
      isDiscarded = true
      receivers.dismiss()
      stored.discard()
    },
  }
}
