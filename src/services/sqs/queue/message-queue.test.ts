import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createHeldQueues } from '#queues/held-queues.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { QueueLog } from '#store/port.ts'

import { createMemoryBudget } from './memory-budget.ts'
import { openMessageQueue, type MessageQueueOptions } from './message-queue.ts'

const NEVER = new AbortController().signal
const logger = { debug() {}, info() {}, warn() {}, error() {} }

async function rig(
  t: TestContext,
  {
    wrap,
    memoryBytes,
    ...options
  }: Partial<MessageQueueOptions> & {
    readonly wrap?: (log: QueueLog) => QueueLog
    readonly memoryBytes?: number
  } = {},
) {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  const queueLog = wrap?.(store.queueLog) ?? store.queueLog
  const held = createHeldQueues({ queueLog, leases: store.leases, clock, logger })
  await held.start()
  t.after(() => held.stop())
  for (const number of [1000, 1001]) assert.ok(await held.hold(number, () => {}))
  const queue = await openMessageQueue({
    number: 1000,
    isFifo: false,
    purgedThrough: 0n,
    rules: () => ({ retentionMs: 3_600_000, deduplicatesGroups: false, deadLetters: undefined }),
    held,
    queueLog,
    budget: createMemoryBudget(memoryBytes),
    clock,
    random: seededRandom(1),
    logger,
    ...options,
  })
  const send = (text: string, group?: string) =>
    queue.send(
      { messageId: text, senderId: 's', sentAt: clock.now(), ...(group !== undefined && { group }) },
      Buffer.from(text),
      0,
    )
  const receive = (max = 10, waitMs = 0) =>
    queue.receive({ max, visibilityMs: 30_000, waitMs, signal: NEVER })
  const texts = async (max?: number) =>
    (await receive(max)).map(({ payload }) => Buffer.from(payload).toString())
  return { clock, queue, send, receive, texts, queueLog: store.queueLog }
}

test('message queue: beyond its bound of messages in flight a standard queue says so, to who does not wait', async (t) => {
  const { send, receive, texts, queue, clock } = await rig(t, { maxInFlight: 3 })
  for (const text of ['1', '2', '3', '4']) await send(text)
  const taken = await receive()
  assert.equal(taken.length, 3)
  await assert.rejects(receive(), { code: 'OverLimit' })
  const waiting = receive(10, 5_000)
  await queue.remove(taken[0]?.handle ?? '')
  await clock.advance(1)
  assert.deepEqual(
    (await waiting).map(({ head }) => head.messageId),
    ['4'],
  )
  await queue.remove(taken[1]?.handle ?? '')
  assert.deepEqual(await texts(), [])
})

test('message queue: beyond the bound of memory messages lie in the log and come out whole and in order', async (t) => {
  const { send, texts, queue } = await rig(t, { memoryBytes: 10_000 })
  const sent = Array.from({ length: 500 }, (_, at) => `${at} ${'x'.repeat(200)}`)
  for (const text of sent) await send(text)
  assert.equal(queue.counts().visible, 500)
  const found: string[] = []
  for (let some = await texts(); some.length > 0; some = await texts()) found.push(...some)
  assert.deepEqual(found, sent)
})

test('message queue: what the log can not store is not acknowledged, and what it can not delete comes back', async (t) => {
  let isBroken = false
  const { send, receive, texts, queue } = await rig(t, {
    wrap: (log) => ({
      load: log.load,
      size: log.size,
      commit: async (batch) => {
        if (isBroken) throw new Error('The disk is full')
        return await log.commit(batch)
      },
    }),
  })
  await send('a')
  const [a] = await receive()
  isBroken = true
  await assert.rejects(send('b'), { code: 'ServiceUnavailable' })
  await assert.rejects(queue.remove(a?.handle ?? ''), { code: 'ServiceUnavailable' })
  assert.deepEqual(queue.counts(), { visible: 0, notVisible: 1, delayed: 0 })
  isBroken = false
  assert.deepEqual(await texts(), [])
  await queue.remove(a?.handle ?? '')
  assert.deepEqual(queue.counts(), { visible: 0, notVisible: 0, delayed: 0 })
})

test('message queue: messages that can not be read now are not lost', async (t) => {
  let isBroken = false
  const { send, receive, texts } = await rig(t, {
    memoryBytes: 1,
    wrap: (log) => ({
      commit: log.commit,
      size: log.size,
      load: async (...wanted) => {
        if (isBroken) throw new Error('The disk does not answer')
        return await log.load(...wanted)
      },
    }),
  })
  await send('a')
  isBroken = true
  await assert.rejects(receive(), /does not answer/)
  isBroken = false
  assert.deepEqual(await texts(), ['a'])
})

test('message queue: whatever is sent, received, dropped and deleted, each message is accounted for', async (t) => {
  for (const isFifo of [false, true]) {
    const { send, receive, queue, clock } = await rig(t, { isFifo, memoryBytes: 20_000 })
    const random = seededRandom(7)
    const [sent, deleted] = [new Set<string>(), new Set<string>()]
    const held = new Map<string, string>()
    for (let step = 0; step < 2_000; step++) {
      const dice = random.next()
      if (dice < 0.4) {
        const name = String(step)
        sent.add(name)
        await send(name, `group ${step % 5}`)
      } else if (dice < 0.7) {
        for (const { head, handle } of await receive(1 + Math.floor(dice * 10))) {
          assert.ok(!deleted.has(head.messageId), 'what was deleted comes back')
          held.set(head.messageId, handle)
        }
      } else if (dice < 0.95) {
        const [first] = held
        if (!first) continue
        held.delete(first[0])
        // Of a FIFO queue its handle may have expired.
        await queue.remove(first[1]).then(
          () => deleted.add(first[0]),
          () => {},
        )
      } else {
        await clock.advance(40_000)
        held.clear()
      }
    }
    await clock.advance(40_000)
    const { visible, notVisible } = queue.counts()
    assert.deepEqual([visible, notVisible], [sent.size - deleted.size, 0])
  }
})
