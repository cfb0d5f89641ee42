import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'

import type { LambdaError } from '#contracts/errors.ts'
import type { AsyncEvent } from '#contracts/event.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { Store } from '#store/port.ts'

import { createEventQueues } from './event-queues.ts'
import type { EventLease } from './port.ts'

type Options = Partial<Parameters<typeof createEventQueues>[0]>

function world() {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  const begin = async (test: TestContext, options: Options = {}) => {
    const { queueLog, leases } = store
    const queues = createEventQueues({
      queueLog,
      leases,
      clock,
      random: seededRandom(1),
      queues: 4,
      ...options,
    })
    await queues.start()
    test.after(() => queues.stop())
    return queues
  }
  let nextId = 0
  const event = (over: Partial<AsyncEvent> = {}): AsyncEvent => ({
    target: { account: '111122223333', region: 'eu-west-1', name: 'f' },
    qualifier: undefined,
    requestId: `request-${++nextId}`,
    payload: Buffer.from(`payload ${nextId}`),
    acceptedAt: clock.now(),
    functionErrors: 0,
    attempts: 0,
    ...over,
  })
  return { clock, store, begin, event }
}

const never = new AbortController().signal
const idsOf = (leases: readonly EventLease[]) => leases.map(({ event }) => event.requestId).toSorted()
const storedIds = async (store: Store) => {
  const pages = await Promise.all([0, 1, 2, 3].map((queue) => store.queueLog.load(queue, 0n, 10_000)))
  return pages.flat()
}

it('an event is stored when enqueue resolves, and comes back as it went in', async (test) => {
  const { store, begin, event } = world()
  const queues = await begin(test)
  const sent = event({
    qualifier: 'live',
    clientContext: '{"a":1}',
    traceId: 'Root=1-2-3',
    payload: Buffer.from([0, 255]),
  })
  await queues.enqueue(sent)
  assert.equal((await storedIds(store)).length, 1)
  const [lease] = await queues.lease(10, never)
  assert.deepEqual(
    { ...lease?.event, payload: [...(lease?.event.payload ?? [])] },
    { ...sent, payload: [0, 255] },
  )
  assert.equal(queues.depth(), 1)
})

it('complete deletes it for good', async (test) => {
  const { store, begin, event } = world()
  const queues = await begin(test)
  await queues.enqueue(event())
  const [lease] = await queues.lease(1, never)
  assert.ok(lease)
  await queues.complete(lease.receipt)
  await queues.complete(lease.receipt)
  assert.equal(queues.depth(), 0)
  assert.deepEqual(await storedIds(store), [])
})

it('a waiting poller gets an event the moment it is stored', async (test) => {
  const { begin, event } = world()
  const queues = await begin(test)
  const waiting = queues.lease(5, never)
  await queues.enqueue(event())
  assert.equal((await waiting).length, 1)
})

it('hands out each event once, up to the number asked for', async (test) => {
  const { begin, event } = world()
  const queues = await begin(test)
  const sent = Array.from({ length: 10 }, () => event())
  await Promise.all(sent.map((one) => queues.enqueue(one)))
  const parts = [await queues.lease(4, never), await queues.lease(4, never), await queues.lease(4, never)]
  assert.deepEqual(
    parts.map((part) => part.length),
    [4, 4, 2],
  )
  assert.deepEqual(idsOf(parts.flat()), sent.map(({ requestId }) => requestId).toSorted())
})

it('serves all queues in turn, so that a full one does not hold up the others', async (test) => {
  const { begin, event } = world()
  const perName = (name: string) => (name === 'noisy' ? 0 : 3)
  const choice = { choose: ({ name }: { readonly name: string }) => perName(name) }
  const queues = await begin(test, { choice })
  const named = (name: string) => event({ target: { account: '1', region: 'r', name } })
  await Promise.all(Array.from({ length: 50 }, () => queues.enqueue(named('noisy'))))
  await Promise.all([queues.enqueue(named('quiet')), queues.enqueue(named('quiet'))])
  const taken = await queues.lease(6, never)
  assert.equal(taken.filter((lease) => lease.event.target.name === 'quiet').length, 2)
})

it('a retried event stays away until its time, with its new counters', async (test) => {
  const { clock, begin, event } = world()
  const queues = await begin(test)
  await queues.enqueue(event())
  const [lease] = await queues.lease(1, never)
  assert.ok(lease)
  const due = clock.now() + 60_000
  await queues.retry(lease.receipt, due, { ...lease.event, attempts: 1, functionErrors: 1 })
  const again: EventLease[] = []
  void queues.lease(1, never).then((leases) => again.push(...leases))
  await clock.advance(59_999)
  assert.equal(again.length, 0)
  await clock.advance(1)
  assert.deepEqual(
    again.map((each) => [each.event.attempts, each.event.functionErrors]),
    [[1, 1]],
  )
  assert.equal(queues.depth(), 1)
})

it('lease is empty when its signal aborts, and an aborted waiter takes no event with it', async (test) => {
  const { begin, event } = world()
  const queues = await begin(test)
  const controller = new AbortController()
  const waiting = queues.lease(1, controller.signal)
  controller.abort()
  assert.deepEqual(await waiting, [])
  await queues.enqueue(event())
  assert.equal((await queues.lease(1, never)).length, 1)
  assert.deepEqual(await queues.lease(1, controller.signal), [])
})

it('an event whose holder never settles it comes back after the lease time', async (test) => {
  const { clock, begin, event } = world()
  const queues = await begin(test, { leaseTimeoutMs: 30_000 })
  await queues.enqueue(event())
  const [first] = await queues.lease(1, never)
  const second = queues.lease(1, never)
  await clock.advance(40_000)
  const [again] = await second
  assert.ok(first && again)
  assert.equal(again.event.requestId, first.event.requestId)
})

it('a new start finds what was waiting, delayed or leased', async (test) => {
  const { clock, store, begin, event } = world()
  const before = await begin(test)
  const sent = [event(), event(), event()]
  for (const one of sent) await before.enqueue(one)
  const [leased, delayed] = await before.lease(2, never)
  assert.ok(leased && delayed)
  await before.retry(delayed.receipt, clock.now() + 60_000, { ...delayed.event, attempts: 1 })
  await before.stop()
  assert.equal((await storedIds(store)).length, 3)

  const after = await begin(test)
  assert.equal(after.depth(), 3)
  const now = await after.lease(9, never)
  assert.equal(now.length, 2)
  const later = after.lease(9, never)
  await clock.advance(60_000)
  assert.deepEqual(
    idsOf([...now, ...(await later)]),
    sent.map(({ requestId }) => requestId),
  )
  assert.equal((await later)[0]?.event.attempts, 1)
})

it('a backlog larger than the window is read bit by bit and loses nothing', async (test) => {
  const { begin, event } = world()
  const choice = { choose: () => 0 }
  const first = await begin(test, { choice, window: { events: 20, bytes: 1_000_000 } })
  const sent = Array.from({ length: 300 }, () => event())
  await Promise.all(sent.slice(0, 150).map((one) => first.enqueue(one)))
  await first.stop()
  const queues = await begin(test, { choice, window: { events: 20, bytes: 1_000_000 } })
  const seen: string[] = []
  for (let at = 150; seen.length < 300;) {
    for (const one of sent.slice(at, (at += 40))) await queues.enqueue(one)
    for (const lease of await queues.lease(50, never)) {
      seen.push(lease.event.requestId)
      await queues.complete(lease.receipt)
    }
  }
  assert.deepEqual(seen.toSorted(), sent.map(({ requestId }) => requestId).toSorted())
  assert.equal(queues.depth(), 0)
})

it('events that wait long do not keep fresh ones out of the window', async (test) => {
  const { clock, begin, event } = world()
  const queues = await begin(test, { choice: { choose: () => 0 }, window: { events: 20, bytes: 1_000_000 } })
  const throttled = Array.from({ length: 100 }, () => event())
  await Promise.all(throttled.map((one) => queues.enqueue(one)))
  for (let delayed = 0; delayed < 100;) {
    for (const lease of await queues.lease(100, never)) {
      await queues.retry(lease.receipt, clock.now() + 300_000, { ...lease.event, attempts: 1 })
      delayed++
    }
  }
  const fresh = event()
  await queues.enqueue(fresh)
  assert.deepEqual(idsOf(await queues.lease(100, never)), [fresh.requestId])
  const seen: string[] = []
  const back = (async () => {
    while (seen.length < 100 && queues.depth() > 0) {
      for (const { event: got, receipt } of await queues.lease(100, never)) {
        assert.equal(got.payload.byteLength > 0 && got.attempts, 1)
        seen.push(got.requestId)
        await queues.complete(receipt)
      }
    }
  })()
  await clock.advance(300_000)
  await back
  assert.deepEqual(seen.toSorted(), throttled.map(({ requestId }) => requestId).toSorted())
})

it('refuses with a 429 when the queues of a function are full', async (test) => {
  const { begin, event } = world()
  const queues = await begin(test, { maxQueueDepth: 5 })
  const answers = await Promise.allSettled(Array.from({ length: 13 }, () => queues.enqueue(event())))
  const refused = answers.filter((answer) => answer.status === 'rejected')
  assert.equal(refused.length, 3)
  for (const { reason } of refused) {
    const { code, status, members } = reason as LambdaError
    assert.deepEqual(
      [code, status, members['Reason']],
      ['TooManyRequestsException', 429, 'CallerRateLimitExceeded'],
    )
  }
  // Room is made by finishing.
  const [lease] = await queues.lease(1, never)
  assert.ok(lease)
  await queues.complete(lease.receipt)
  await queues.enqueue(event())
})

it('a ServiceException, not an acknowledgement, when the engine fails', async (test) => {
  const { store, begin, event } = world()
  let broken = false
  const queueLog: Store['queueLog'] = {
    load: (...values) => store.queueLog.load(...values),
    size: (queue) => store.queueLog.size(queue),
    commit: (batch) => (broken ? Promise.reject(new Error('no space')) : store.queueLog.commit(batch)),
  }
  const queues = await begin(test, { queueLog })
  broken = true
  await assert.rejects(queues.enqueue(event()), { code: 'ServiceException' })
  broken = false
  await queues.enqueue(event())
  assert.equal(queues.depth(), 1)
})

it('goes on storing the outcome of an event until the engine takes it', async (test) => {
  const { clock, store, begin, event } = world()
  let failures = 0
  const queueLog: Store['queueLog'] = {
    load: (...values) => store.queueLog.load(...values),
    size: (queue) => store.queueLog.size(queue),
    commit: (batch) =>
      failures-- > 0 ? Promise.reject(new Error('no space')) : store.queueLog.commit(batch),
  }
  const queues = await begin(test, { queueLog })
  await queues.enqueue(event())
  const [lease] = await queues.lease(1, never)
  assert.ok(lease)
  failures = 4
  const completed = queues.complete(lease.receipt)
  await clock.advance(5_000)
  await completed
  assert.deepEqual(await storedIds(store), [])
})

it('an owner that lost its queues stores nothing any more, and the new owner has all events', async (test) => {
  const { clock, store, begin, event } = world()
  // The old owner's program hangs: its timers do not fire while everybody else's time goes on.
  const frozen = { ...clock, monotonic: () => 0, after: () => () => {} }
  const old = await begin(test, { clock: frozen })
  await old.enqueue(event())
  const [lease] = await old.lease(1, never)
  assert.ok(lease)
  await clock.advance(20_000)
  const fresh = await begin(test)
  const [again] = await fresh.lease(1, never)
  assert.equal(again?.event.requestId, lease.event.requestId)
  await old.complete(lease.receipt)
  assert.equal((await storedIds(store)).length, 1)
  await assert.rejects(old.enqueue(event()), { name: 'LambdaError' })
  assert.equal((await storedIds(store)).length, 1)
  assert.ok(again)
  await fresh.complete(again.receipt)
  assert.deepEqual(await storedIds(store), [])
})

it('keeps its queues for hours by renewing the leases', async (test) => {
  const { clock, begin, event } = world()
  const queues = await begin(test)
  await clock.advance(600_000)
  await queues.enqueue(event())
  assert.equal((await queues.lease(1, never)).length, 1)
})

it('an event that cannot be read is left in the store and harms no other', async (test) => {
  const { clock, store, begin, event } = world()
  await store.leases.define('queue', ['0'])
  const [lease] = await store.leases.acquire('queue', 1)
  assert.ok(lease)
  const entry = { id: 77n, queue: 0, visibleAt: clock.now(), head: '{"v":99}', payload: new Uint8Array(1) }
  const fences = [{ queue: 0, epoch: lease.epoch }]
  await store.queueLog.commit({ fences, append: [entry], remove: [], move: [] })
  await store.leases.release(lease)
  const queues = await begin(test, { choice: { choose: () => 0 } })
  const sent = event()
  await queues.enqueue(sent)
  assert.deepEqual(idsOf(await queues.lease(9, never)), [sent.requestId])
  assert.equal((await storedIds(store)).length, 2)
})

it('drain waits for what is leased, takes nothing new, and ends at its deadline', async (test) => {
  const { clock, begin, event } = world()
  const queues = await begin(test)
  await queues.enqueue(event())
  await queues.enqueue(event())
  const [one, two] = await queues.lease(2, never)
  assert.ok(one && two)
  let drained = false
  const draining = queues.drain(60_000).then(() => (drained = true))
  await queues.complete(one.receipt)
  await clock.advance(30_000)
  assert.equal(drained, false)
  await assert.rejects(queues.enqueue(event()), { code: 'ServiceException' })
  assert.deepEqual(await queues.lease(1, never), [])
  // The ownership outlives the drain: the outcome still counts.
  await queues.complete(two.receipt)
  await draining
  assert.equal(queues.depth(), 0)

  const late = await begin(test)
  await late.stop()
  await late.stop()
  await late.drain(1)
})

it('owns no more than its share, and hands over what another node is to have', async (test) => {
  const { clock, begin, event } = world()
  let nodes = 1
  const share = () => nodes
  const one = await begin(test, { nodes: share })
  for (let n = 0; n < 40; n++) {
    await one.enqueue(event({ target: { account: '1', region: 'r', name: `f${n}` } }))
  }
  const before = one.depth()
  nodes = 2
  const starting = begin(test, { nodes: share, random: seededRandom(2) })
  for (let beat = 0; beat < 20; beat++) await clock.advance(500)
  const two = await starting
  assert.equal(before, 40)
  assert.equal(one.depth() + two.depth(), 40)
  assert.ok(one.depth() > 0 && two.depth() > 0, `${one.depth()} and ${two.depth()}`)
  await two.enqueue(event())
  assert.equal(one.depth() + two.depth(), 41)
})

it('keeps a queue of which something runs until that is settled', async (test) => {
  const { clock, begin, event } = world()
  let nodes = 1
  const one = await begin(test, { nodes: () => nodes })
  await one.enqueue(event())
  const [lease] = await one.lease(1, never)
  assert.ok(lease)
  nodes = 4
  for (let beat = 0; beat < 4; beat++) await clock.advance(500)
  assert.equal(one.mayBegin(lease.receipt), true)
  await one.complete(lease.receipt)
  assert.equal(one.depth(), 0)
})

it('an event of a queue that was lost meanwhile must not begin', async (test) => {
  const { clock, store, begin, event } = world()
  const one = await begin(test)
  await one.enqueue(event())
  const [lease] = await one.lease(1, never)
  assert.ok(lease)
  assert.equal(one.mayBegin(lease.receipt), true)
  // As after a pause of the process: the time of the lease is over before anything was renewed.
  const renew = store.leases.renew
  store.leases.renew = async () => []
  await clock.advance(60_000)
  store.leases.renew = renew
  assert.equal(one.mayBegin(lease.receipt), false)
})
