/**
 * What a FIFO queue has accepted within the last five minutes. While a message lies in its queue, its head says so; once
 * it is deleted before its time, a small record in a log of its own does, so that a restart forgets nothing.
 */
import { hash } from 'node:crypto'

import type { Clock } from '#kernel/clock.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { HeldQueues } from '#queues/held-queues.ts'
import type { LogEntry, QueueLog } from '#store/port.ts'

import { throttled, unavailable } from '../sqs-errors.ts'
import type { MessageHead } from './message.ts'

export const DEDUPLICATION_MS = 5 * MINUTE_MS
/** Accepted messages that one queue remembers: a thousand a second. AWS's quota without high throughput is 300 calls. */
const MAX_REMEMBERED = 300_000
const PAGE_ROWS = 1000

/** What the sender of a duplicate is told. */
export interface Accepted {
  readonly messageId: string
  readonly id: bigint
}

interface Remembered {
  readonly accepted: Promise<Accepted> | Accepted
  readonly untilMs: number
}

export interface Deduplication {
  /** Reads what deleted messages have left behind. */
  open(): Promise<void>
  /** A stored message that is found again. */
  found(key: string, head: MessageHead, id: bigint): void
  /**
   * Sends, unless a message with this key was accepted within five minutes or is being sent: then that one is answered.
   * A key whose message could not be sent is forgotten.
   */
  once(key: string, send: () => Promise<Accepted>): Promise<Accepted>
  /** Resolves when the record of a message that is about to be deleted is durable; at once when its time is over. */
  keep(key: string, head: MessageHead, id: bigint): Promise<void>
  /** Forgets what is older than five minutes. */
  sweep(): void
}

/** Sixteen bytes stand for keys of up to 256 characters. */
const shortened = (key: string) => hash('sha256', key, 'base64').slice(0, 22)

export function createDeduplication(options: {
  /** Number of the log queue for the records. */
  readonly number: number
  readonly held: HeldQueues
  readonly queueLog: QueueLog
  readonly clock: Clock
}): Deduplication {
  const { number, held, queueLog, clock } = options
  const remembered = new Map<string, Remembered>()
  /** In the order of their ends. */
  let records: { readonly id: bigint; readonly untilMs: number }[] = []

  const live = (key: string) => {
    const one = remembered.get(key)
    return one && one.untilMs > clock.now() ? one : undefined
  }
  const remember = (key: string, one: Remembered) => {
    // Moved to the end: the sweep stops at the first that is still good.
    remembered.delete(key)
    remembered.set(key, one)
  }
  const drop = (id: bigint) =>
    // A record that stays for longer is swept by the next start.
    void held.lane.submit({ kind: 'remove', queue: number, id }).catch(() => {})
  const restore = ({ id, head, visibleAt }: LogEntry) => {
    if (visibleAt <= clock.now()) return drop(id)
    const { k, m, i } = JSON.parse(head) as { readonly k: string; readonly m: string; readonly i: string }
    remember(k, { accepted: { messageId: m, id: BigInt(i) }, untilMs: visibleAt })
    records.push({ id, untilMs: visibleAt })
  }
  const sweep = () => {
    const now = clock.now()
    for (const [key, { untilMs }] of remembered) {
      if (untilMs > now) break
      remembered.delete(key)
    }
    const live = records.findIndex(({ untilMs }) => untilMs > now)
    const ended = live < 0 ? records : records.slice(0, live)
    for (const { id } of ended) drop(id)
    records = records.slice(ended.length)
  }

  return {
    async open() {
      for (let after = 0n; ;) {
        const page = await queueLog.load(number, after, PAGE_ROWS)
        for (const entry of page) restore(entry)
        const last = page.at(-1)
        if (!last) break
        after = last.id
      }
      records.sort((a, b) => a.untilMs - b.untilMs)
    },
    found(key, { messageId, sentAt }, id) {
      const untilMs = sentAt + DEDUPLICATION_MS
      const short = shortened(key)
      if (untilMs > clock.now() && !live(short)) remember(short, { accepted: { messageId, id }, untilMs })
    },
    async once(key, send) {
      const short = shortened(key)
      const before = live(short)
      if (before) return await before.accepted
      if (remembered.size >= MAX_REMEMBERED) {
        sweep()
        if (remembered.size >= MAX_REMEMBERED)
          throw throttled('The queue takes no more messages now, try again')
      }
      const sending = send()
      const one = { accepted: sending, untilMs: clock.now() + DEDUPLICATION_MS }
      remember(short, one)
      try {
        const accepted = await sending
        // Without the promise, and in its place still.
        if (remembered.get(short) === one) remembered.set(short, { ...one, accepted })
        return accepted
      } catch (error) {
        if (remembered.get(short) === one) remembered.delete(short)
        throw error
      }
    },
    async keep(key, { messageId, sentAt }, id) {
      const untilMs = sentAt + DEDUPLICATION_MS
      if (untilMs <= clock.now()) return
      const recordId = held.nextId()
      if (recordId === undefined) throw unavailable('No message can be stored now')
      const head = JSON.stringify({ k: shortened(key), m: messageId, i: String(id) })
      const entry = { id: recordId, queue: number, visibleAt: untilMs, head, payload: NOTHING }
      const answer = await held.lane.submit({ kind: 'append', entry })
      if (answer !== 'committed') throw unavailable('The deletion could not be stored')
      records.push({ id: recordId, untilMs })
    },
    sweep,
  }
}

const NOTHING = new Uint8Array()
