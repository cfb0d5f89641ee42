import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { createOutbox } from './create-outbox.ts'
import { type Deliver, OutboxFull } from './port.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (payload: Uint8Array) => new TextDecoder().decode(payload)

function setUp(t: TestContext, maxDepth?: number) {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  t.after(() => store.close())
  const open = async (deliver: Deliver) => {
    const outbox = createOutbox({
      name: 'test',
      queue: 200,
      queueLog: store.queueLog,
      leases: store.leases,
      clock,
      logger,
      deliver,
      perLane: 2,
      ...(maxDepth !== undefined && { maxDepth }),
    })
    await outbox.start()
    return outbox
  }
  return { clock, store, open }
}

test('outbox: hands out what is due, retries it, and forgets what is done', async (t) => {
  const { clock, open } = setUp(t)
  const seen: string[] = []
  const outbox = await open(async ({ head, payload, attempts }) => {
    seen.push(`${String(head)} ${textOf(payload)} ${attempts}`)
    return attempts < 2 ? { do: 'retry', dueAt: clock.now() + 1000, head: 'again' } : { do: 'done' }
  })
  await outbox.add([{ lane: 'a', about: 'x', head: 'first', payload: bytes('p') }])
  await clock.advance(0)
  assert.deepEqual(seen, ['first p 0'])
  assert.ok(outbox.holds('x'))
  await clock.advance(999)
  assert.equal(seen.length, 1)
  await clock.advance(2000)
  assert.deepEqual(seen.slice(1), ['again p 1', 'again p 2'])
  assert.deepEqual([outbox.depth(), outbox.holds('x')], [0, false])
  await outbox.stop()
})

test('outbox: keeps what was not delivered over a restart, delayed or in flight', async (t) => {
  const { clock, open } = setUp(t)
  const first = await open(() => new Promise(() => {}))
  await first.add([
    { lane: 'a', head: 'stuck', payload: bytes('1') },
    { lane: 'a', head: 'later', payload: bytes('2'), dueAt: clock.now() + 60_000 },
  ])
  await clock.advance(0)
  // Waits for the lease.
  const seen: string[] = []
  const second = await open(async ({ head }) => {
    seen.push(String(head))
    return { do: 'done' }
  })
  await clock.advance(30_000)
  assert.deepEqual(seen, [])
  await first.stop()
  await clock.advance(5_000)
  assert.deepEqual(seen, ['stuck'])
  await clock.advance(60_000)
  assert.deepEqual(seen, ['stuck', 'later'])
  assert.equal(second.depth(), 0)
})

test('outbox: one lane does not hold up another', async (t) => {
  const { clock, open } = setUp(t)
  const running = new Map<string, number>()
  const outbox = await open((delivery) => {
    const lane = String(delivery.head)
    running.set(lane, (running.get(lane) ?? 0) + 1)
    return new Promise(() => {})
  })
  await outbox.add([
    ...Array.from({ length: 20 }, () => ({ lane: 'slow', head: 'slow', payload: bytes('') })),
    { lane: 'fast', head: 'fast', payload: bytes('') },
  ])
  await clock.advance(0)
  assert.deepEqual(Object.fromEntries(running), { slow: 2, fast: 1 })
})

test('outbox: refuses more than its bound, before it stores any', async (t) => {
  const { open } = setUp(t, 3)
  const outbox = await open(() => new Promise(() => {}))
  const one = { lane: 'a', head: null, payload: bytes('') }
  await outbox.add([one, one])
  await assert.rejects(outbox.add([one, one]), OutboxFull)
  await outbox.add([one])
  assert.equal(outbox.depth(), 3)
})

test('outbox: an ordered lane keeps its order, also of what is tried again and over a restart', async (t) => {
  const { clock, open } = setUp(t)
  const seen: string[] = []
  let isBroken = true
  const deliver: Deliver = async ({ head }) => {
    seen.push(String(head))
    return isBroken ? { do: 'retry', dueAt: clock.now() + 10_000, head } : { do: 'done' }
  }
  const one = (head: string) => ({ lane: 'a', isOrdered: true, about: head, head, payload: bytes('') })
  const first = await open(deliver)
  await first.add([one('1'), one('2')])
  await clock.advance(1_000)
  await first.add([one('3'), { lane: 'b', head: 'other', payload: bytes('') }])
  await clock.advance(0)
  assert.deepEqual(seen, ['1', 'other'])
  assert.equal(first.headOf('2'), '2')
  await first.stop()
  const second = await open(deliver)
  await clock.advance(4_000)
  await second.add([one('4')])
  await clock.advance(1_000)
  assert.deepEqual(seen, ['1', 'other'])
  isBroken = false
  await clock.advance(10_000)
  assert.deepEqual(
    seen.filter((head) => head !== 'other'),
    ['1', '1', '2', '3', '4'],
  )
  await second.stop()
})
