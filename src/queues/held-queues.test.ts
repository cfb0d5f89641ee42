import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { createHeldQueues, type HeldQueues } from './held-queues.ts'

function rig(t: TestContext) {
  const clock = createVirtualClock()
  const { leases, queueLog } = createMemoryStore({ clock })
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const begin = async (): Promise<HeldQueues> => {
    const held = createHeldQueues({ queueLog, leases, clock, logger })
    await held.start()
    t.after(() => held.stop())
    return held
  }
  return { clock, leases, queueLog, begin }
}
const lost = () => {}
const idOf = (held: HeldQueues) => held.nextId() ?? assert.fail('no id')
const append = (held: HeldQueues, queue: number, id = idOf(held)) =>
  held.lane.submit({
    kind: 'append',
    entry: { id, queue, visibleAt: 0, head: '{}', payload: new Uint8Array() },
  })

test('held queues: a queue has one owner, who alone may write, until it is given back', async (t) => {
  const { begin, queueLog } = rig(t)
  const [one, two] = [await begin(), await begin()]
  assert.equal(await one.hold(7, lost), true)
  assert.equal(await one.hold(7, lost), true)
  assert.equal(await two.hold(7, lost), false)
  assert.equal(await append(one, 7), 'committed')
  assert.equal(await append(two, 7), 'fenced')
  await one.release(7)
  assert.equal(await append(one, 7), 'fenced')
  assert.equal(await two.hold(7, lost), true)
  assert.equal(await append(two, 7), 'committed')
  assert.equal((await queueLog.size(7)).entries, 2)
})

test('held queues: leases are renewed as long as the process lives', async (t) => {
  const { begin, clock } = rig(t)
  const held = await begin()
  await held.hold(7, lost)
  await clock.advance(60_000)
  assert.equal(await append(held, 7), 'committed')
})

test('held queues: who loses a queue is told, and has nothing to write any more', async (t) => {
  const { begin, clock, leases } = rig(t)
  const held = await begin()
  const told: number[] = []
  await held.hold(7, () => void told.push(7))
  await held.hold(8, () => void told.push(8))
  await leases.release({ kind: 'queue', key: '7', epoch: 1, until: 0 })
  await clock.advance(3_000)
  assert.deepEqual(told, [7])
  assert.equal(await append(held, 7), 'fenced')
  assert.equal(await append(held, 8), 'committed')
})

test('held queues: ids grow, also when the clock steps back, and no two processes make the same', async (t) => {
  const { begin, clock } = rig(t)
  const [one, two] = [await begin(), await begin()]
  const ids = [idOf(one), idOf(one), idOf(one)]
  assert.deepEqual(
    ids.toSorted((a, b) => Number(a - b)),
    ids,
  )
  assert.equal(new Set([...ids, idOf(two), idOf(two)]).size, 5)
  assert.ok(one.idAt(clock.now()) <= (ids[0] ?? 0n))
  assert.ok(one.idAt(clock.now() + 1) > (ids[2] ?? 0n))
  const ahead = one.idAt(clock.now() + 60_000)
  one.advancePast(ahead)
  assert.ok(idOf(one) > ahead)
})
