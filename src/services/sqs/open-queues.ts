/** Queues are opened when they are first used, and closed when nobody has used them for a while. */
import {
  sqsArn,
  sqsRemainsKey,
  SQS_REMAINS,
  SQS_WANTED,
  sqsWantedKey,
  type SqsQueue,
  type SqsRemains,
} from '#contracts/sqs.ts'
import { sleep, type Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import { createHeldQueues } from '#queues/held-queues.ts'
import type { Leases, Meta, QueueLog } from '#store/port.ts'

import { createMemoryBudget } from './queue/memory-budget.ts'
import type { MessageHead } from './queue/message.ts'
import { openMessageQueue, type MessageQueue, type QueueRules } from './queue/message-queue.ts'
import type { KnownQueue, QueueIndex } from './queue-index.ts'
import { isFifo, numberOf, redrivePolicyOf } from './queue-settings.ts'
import { unavailable } from './sqs-errors.ts'

const SWEEP_EVERY_MS = MINUTE_MS
/** Much longer than any request lasts. */
const CLOSE_AFTER_MS = 15 * MINUTE_MS
const PAGE_ROWS = 1000
/** How long a request waits for a queue that another node has, and how often it looks and asks again. */
const TAKE_WITHIN_MS = 5_000
const LOOK_EVERY_MS = 50
const ASK_EVERY = 10
/** A queue stays at least this long where it is, so that two nodes that want it both get something done. */
const KEEP_MS = 250

export interface OpenQueues {
  start(): Promise<void>
  /** Stores what is in flight, and gives every queue back. */
  stop(): Promise<void>
  /** The queue, opened when it is not. Rejects when it can't be had here now. */
  of(queue: SqsQueue): Promise<MessageQueue>
  /** An id that is greater than that of every message so far. */
  nextId(): bigint
  /** Removes what deleted queues have left in the log. */
  clean(): Promise<void>
}

interface Open {
  readonly queue: Promise<MessageQueue>
  readonly since: number
  lastUsedAt: number
}

export function createOpenQueues(deps: {
  readonly meta: Meta
  readonly queueLog: QueueLog
  readonly leases: Leases
  readonly index: QueueIndex
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): OpenQueues {
  const { meta, queueLog, index, clock, logger } = deps
  const held = createHeldQueues(deps)
  const budget = createMemoryBudget()
  const open = new Map<number, Open>()
  /** On their way to another node. */
  const leaving = new Map<number, Promise<void>>()
  let stopWatching = () => {}
  let cancel = () => {}
  let cleaning: Promise<void> = Promise.resolve()
  let isStopped = false

  const close = (number: number) => {
    const one = open.get(number)
    if (!one) return
    open.delete(number)
    one.queue.then(
      (queue) => queue.discard(),
      () => {},
    )
  }
  const giveBack = async (number: number) => {
    await held.release(number)
    await held.release(number + 1)
  }
  const hold = async (number: number) => {
    const lost = () => close(number)
    return (await held.hold(number, lost)) && (await held.hold(number + 1, lost))
  }
  /** Takes the queue; when another node has it, asks that one for it. */
  const take = async (number: number): Promise<boolean> => {
    await leaving.get(number)
    if (await hold(number)) return true
    const until = clock.monotonic() + TAKE_WITHIN_MS
    for (let look = 0; clock.monotonic() < until && !isStopped; look++) {
      if (look % ASK_EVERY === 0) {
        await meta.txn([{ key: sqsWantedKey(number), doc: { at: clock.now() } }])
      }
      await sleep(clock, LOOK_EVERY_MS)
      if (!(await hold(number))) continue
      await meta.txn([{ key: sqsWantedKey(number), doc: null }])
      return true
    }
    return false
  }
  /** Stores what is in flight and gives the queue back, to who has asked for it. */
  const handOver = async (number: number) => {
    const one = open.get(number)
    const queue = await one?.queue.catch(() => undefined)
    const keptMs = one ? clock.monotonic() - one.since : KEEP_MS
    if (keptMs < KEEP_MS) await sleep(clock, KEEP_MS - keptMs)
    if (open.get(number) === one) open.delete(number)
    // Nothing is received between the two.
    const saved = queue?.save()
    queue?.discard()
    await saved
    await held.lane.idle()
    await giveBack(number)
  }
  const onWanted = (number: number) => {
    const isMine = held.isHeld(number) || held.isHeld(number + 1)
    if (!isMine || leaving.has(number) || isStopped) return
    const left = handOver(number)
      .catch((error: unknown) => logger.warn('A queue could not be given to another node', { number, error }))
      .finally(() => leaving.delete(number))
    leaving.set(number, left)
  }

  /** By document: it is asked for every message. */
  const rules = new WeakMap<SqsQueue, QueueRules>()
  const rulesOf = (queue: SqsQueue): QueueRules => {
    const policy = redrivePolicyOf(queue)
    const source = sqsArn(queue, queue.name)
    return {
      retentionMs: numberOf(queue, 'MessageRetentionPeriod') * 1000,
      deduplicatesGroups: queue.attributes['DeduplicationScope'] === 'messageGroup',
      get deadLetters() {
        // Without its dead-letter queue a message stays where it is.
        const target = policy && index.byArn(policy.deadLetterTargetArn)
        if (!policy || !target) return undefined
        return {
          maxReceives: policy.maxReceiveCount,
          deliver: async (head: MessageHead, payload: Uint8Array) => {
            const letters = await of(target.doc)
            // In standard queues retention goes on from when the message was first sent; in FIFO queues it starts anew.
            const sentAt = isFifo(target.doc) ? clock.now() : head.sentAt
            await letters.accept({ ...head, sentAt, deadLetterSource: source }, payload)
          },
        }
      },
    }
  }
  const currentRules = (queue: SqsQueue) => {
    const now: KnownQueue | undefined = index.find(queue, queue.name)
    const doc = now?.doc.number === queue.number ? now.doc : queue
    let known = rules.get(doc)
    if (!known) rules.set(doc, (known = rulesOf(doc)))
    return known
  }

  const openOne = async (queue: SqsQueue): Promise<MessageQueue> => {
    const { number } = queue
    if (isStopped || !(await take(number))) throw unavailable('The queue is not available here now')
    return await openMessageQueue({
      ...deps,
      number,
      isFifo: isFifo(queue),
      purgedThrough: BigInt(queue.purgedThrough ?? 0),
      rules: () => currentRules(queue),
      held,
      budget,
    })
  }
  const of = (queue: SqsQueue): Promise<MessageQueue> => {
    const known = open.get(queue.number)
    if (known) {
      known.lastUsedAt = clock.monotonic()
      return known.queue
    }
    const opening = openOne(queue)
    const now = clock.monotonic()
    const one: Open = { queue: opening, since: now, lastUsedAt: now }
    open.set(queue.number, one)
    opening.catch(() => {
      if (open.get(queue.number) === one) open.delete(queue.number)
    })
    return opening
  }

  const closeIdle = async (number: number, { queue: opening, lastUsedAt }: Open) => {
    if (clock.monotonic() - lastUsedAt < CLOSE_AFTER_MS) return
    const queue = await opening
    if (queue.counts().notVisible > 0) return
    close(number)
    await giveBack(number)
  }
  const sweep = async () => {
    for (const [number, one] of open) {
      const queue = await one.queue
      queue.sweep()
      await closeIdle(number, one)
    }
  }
  const sweepLater = () => {
    cancel = clock.after(SWEEP_EVERY_MS, () => {
      sweep()
        .catch((error: unknown) => logger.warn('Queues could not be swept', { error }))
        .finally(() => {
          if (!isStopped) sweepLater()
        })
    })
  }

  const removeAll = async (number: number) => {
    for (let after = 0n; !isStopped;) {
      const page = await queueLog.load(number, after, PAGE_ROWS)
      const last = page.at(-1)
      if (!last) return
      await Promise.all(page.map(({ id }) => held.lane.submit({ kind: 'remove', queue: number, id })))
      after = last.id
    }
  }
  const cleanAll = async () => {
    for (;;) {
      const rows = await meta.list(SQS_REMAINS, '', PAGE_ROWS)
      if (rows.length === 0 || isStopped) return
      for (const row of rows) {
        const { number } = row.doc as unknown as SqsRemains
        close(number)
        if (!(await take(number))) return
        await removeAll(number)
        await removeAll(number + 1)
        await giveBack(number)
        if (isStopped) return
        await meta.txn([{ key: sqsRemainsKey(number), doc: null }])
      }
    }
  }
  const clean = () => {
    cleaning = cleaning.then(cleanAll).catch((error: unknown) => {
      if (!isStopped) logger.warn('What deleted queues have left could not be removed', { error })
    })
    return cleaning
  }
  index.onGone(({ number }) => {
    close(number)
    // Whoever has deleted it cleans up.
    void giveBack(number).catch(() => {})
  })

  return {
    of,
    clean,
    nextId() {
      const id = held.nextId()
      if (id === undefined) throw unavailable('No queue can be changed now')
      return id
    },
    async start() {
      await held.start()
      stopWatching = meta.watch(await meta.rev(), (changes) => {
        for (const { key, doc } of changes) {
          if (doc !== null && key.startsWith(SQS_WANTED)) onWanted(Number(key.slice(SQS_WANTED.length)))
        }
      })
      sweepLater()
      void clean()
    },
    async stop() {
      if (isStopped) return
      isStopped = true
      cancel()
      stopWatching()
      await Promise.all([cleaning, ...leaving.values()])
      const queues = await Promise.allSettled([...open.values()].map(({ queue }) => queue))
      const opened = queues.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      await Promise.allSettled(opened.map((queue) => queue.save()))
      for (const queue of opened) queue.discard()
      open.clear()
      await held.stop()
    },
  }
}
