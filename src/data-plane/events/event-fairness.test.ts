import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'

import type { AsyncEvent } from '#contracts/event.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { createDispatchGate } from './dispatch-gate.ts'
import { createEventQueues } from './event-queues.ts'

type Options = Partial<Parameters<typeof createEventQueues>[0]>
const never = new AbortController().signal

async function world(test: TestContext, options: Options = {}) {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  const { queueLog, leases } = store
  let nextId = 0
  const start = async () => {
    const queues = createEventQueues({
      queueLog,
      leases,
      clock,
      random: seededRandom(1),
      queues: 2,
      gate: createDispatchGate({ slots: 10, clock }),
      ...options,
    })
    await queues.start()
    test.after(() => queues.stop())
    return queues
  }
  const event = (name: string): AsyncEvent => ({
    target: { account: '111122223333', region: 'eu-west-1', name },
    qualifier: undefined,
    requestId: `${name}-${++nextId}`,
    payload: Buffer.from('{}'),
    acceptedAt: clock.now(),
    functionErrors: 0,
    attempts: 0,
  })
  return { clock, store, start, event }
}

it('one function does not get all slots, and another one finds some', async (test) => {
  const { start, event } = await world(test)
  const queues = await start()
  for (let n = 0; n < 20; n++) await queues.enqueue(event('noisy'))
  const first = await queues.lease(10, never)
  assert.equal(first.length, 5)
  await queues.enqueue(event('quiet'))
  const [quiet] = await queues.lease(5, never)
  assert.equal(quiet?.event.target.name, 'quiet')
  // A place that becomes free goes on being used.
  const waiting = queues.lease(4, never)
  await Promise.all(first.map(({ receipt }) => queues.complete(receipt)))
  assert.ok((await waiting).length > 0)
})

it('a function that waits for others goes on when they leave', async (test) => {
  const { start, event } = await world(test)
  const queues = await start()
  for (const name of ['a', 'b']) for (let n = 0; n < 9; n++) await queues.enqueue(event(name))
  const running = [...(await queues.lease(10, never))]
  let done = 0
  while (done < 18) {
    const lease = running.shift()
    assert.ok(lease, `it stands still with ${queues.depth()} left`)
    await queues.complete(lease.receipt)
    done++
    if (running.length === 0 && done < 18) running.push(...(await queues.lease(10 - running.length, never)))
  }
  assert.equal(queues.depth(), 0)
})

it('a noisy function gets a queue of its own, and others go on using the shared ones', async (test) => {
  const { start, event } = await world(test, { sidelineQueues: 2 })
  const queues = await start()
  await Promise.all(Array.from({ length: 300 }, () => queues.enqueue(event('noisy'))))
  for (let n = 0; n < 100; n++) await queues.enqueue(event('noisy'))
  await queues.enqueue(event('quiet'))
  const leases = [...(await queues.lease(10, never))]
  for (let next = leases.shift(); queues.depth() > 0; next = leases.shift()) {
    assert.ok(next)
    if (next.event.target.name === 'quiet') assert.ok(next.receipt.queue < 2)
    else if (Number(next.event.requestId.split('-')[1]) > 300) assert.ok(next.receipt.queue >= 2)
    await queues.complete(next.receipt)
    if (leases.length === 0 && queues.depth() > 0) leases.push(...(await queues.lease(5, never)))
  }
})

it('the slots of queues that were lost are free again', async (test) => {
  const { clock, start, event, store } = await world(test)
  const queues = await start()
  for (let n = 0; n < 3; n++) await queues.enqueue(event('f'))
  assert.equal((await queues.lease(3, never)).length, 3)
  // Somebody else takes them while this one is asleep.
  await clock.advance(0)
  const lost = store.leases.renew
  store.leases.renew = async () => []
  await clock.advance(5_000)
  store.leases.renew = lost
  await clock.advance(60_000)
  assert.equal((await queues.lease(5, never)).length, 3)
})

it('what is new of a function that is behind runs before its backlog, also when that fills the memory', async (test) => {
  const { clock, start, event } = await world(test, { window: { events: 20, bytes: 1e6 } })
  const queues = await start()
  const old = Array.from({ length: 100 }, () => event('f'))
  for (const one of old) await queues.enqueue(one)
  await clock.advance(61_000)
  const fresh = event('f')
  await queues.enqueue(fresh)
  const [first] = await queues.lease(1, never)
  assert.equal(first?.event.requestId, fresh.requestId)
  assert.ok(first)
  await queues.complete(first.receipt)
  // And everything runs once.
  const seen = new Set([fresh.requestId])
  while (queues.depth() > 0) {
    for (const { event: given, receipt } of await queues.lease(10, never)) {
      assert.equal(seen.has(given.requestId), false, 'it ran already')
      seen.add(given.requestId)
      await queues.complete(receipt)
    }
  }
  assert.equal(seen.size, 101)
})
