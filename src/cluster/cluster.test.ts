import assert from 'node:assert/strict'
import { it } from 'node:test'

import { createMembership } from '#cluster/membership.ts'
import { createRoles } from '#cluster/roles.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

it('nodes see each other come and go', async (test) => {
  const clock = createVirtualClock()
  const { nodes } = createMemoryStore({ clock })
  const [one, two] = ['one', 'two'].map((nodeId) =>
    createMembership({ nodeId, address: '', nodes, clock, logger }),
  )
  assert.ok(one && two)
  test.after(() => one.stop())
  let gone = 0
  one.onGone(() => gone++)
  await one.start()
  assert.equal(one.size, 1)
  await two.start()
  await clock.advance(2_000)
  assert.equal(one.size, 2)
  assert.equal(one.isAlive('two'), true)
  await two.stop()
  for (let second = 0; second < 8; second++) await clock.advance(1_000)
  assert.deepEqual([one.size, one.isAlive('two'), gone], [1, false, 1])
  // Without a farewell its silence has to be long enough.
  await nodes.beat({ nodeId: 'three', address: '', info: null })
  await clock.advance(2_000)
  assert.equal(one.size, 2)
  for (let second = 0; second < 5; second++) await clock.advance(1_000)
  assert.deepEqual([one.size, gone], [1, 2])
})

it('nobody has gone while the store is away', async (test) => {
  const clock = createVirtualClock()
  const { nodes } = createMemoryStore({ clock })
  const one = createMembership({ nodeId: 'one', address: '', nodes, clock, logger })
  test.after(() => one.stop())
  await nodes.beat({ nodeId: 'two', address: '', info: null })
  await one.start()
  const beatBefore = nodes.beat
  nodes.beat = () => Promise.reject(new Error('away'))
  for (let second = 0; second < 20; second++) await clock.advance(1_000)
  assert.equal(one.size, 2)
  nodes.beat = beatBefore
  // It is back, and the other node needs a moment to say that it lives.
  await clock.advance(3_000)
  assert.equal(one.size, 2)
  for (let second = 0; second < 8; second++) await clock.advance(1_000)
  assert.equal(one.size, 1)
})

it('one of the nodes has a role, and another takes over when it stops or falls silent', async (test) => {
  const clock = createVirtualClock()
  const { leases } = createMemoryStore({ clock })
  const doing = new Set<string>()
  const node = (name: string) =>
    createRoles({
      work: {
        sweep: () => ({
          start: async () => void doing.add(name),
          drain: async () => {},
          stop: async () => void doing.delete(name),
        }),
      },
      leases,
      clock,
      logger,
    })
  const [one, two, three] = [node('one'), node('two'), node('three')]
  test.after(() => three.stop())
  await one.start()
  await two.start()
  await three.start()
  await clock.advance(30_000)
  assert.deepEqual([...doing], ['one'])
  assert.deepEqual([one.held, two.held], [['sweep'], []])
  await one.stop()
  await clock.advance(2_000)
  assert.equal(doing.size, 1)
  const second = [...doing][0]
  assert.notEqual(second, 'one')
  await two.stop()
  await clock.advance(2_000)
  assert.deepEqual([...doing], ['three'])
})

it('what was lost is stopped before it is anybody else’s', async () => {
  const clock = createVirtualClock()
  const { leases } = createMemoryStore({ clock })
  let runs = 0
  const roles = createRoles({
    work: {
      sweep: () => ({
        start: async () => void runs++,
        drain: async () => {},
        stop: async () => void runs--,
      }),
    },
    leases,
    clock,
    logger,
  })
  await roles.start()
  leases.renew = () => Promise.reject(new Error('away'))
  for (let second = 0; second < 12; second++) await clock.advance(1_000)
  assert.equal(runs <= 1, true)
  leases.acquire = async () => []
  for (let second = 0; second < 12; second++) await clock.advance(1_000)
  assert.equal(runs, 0)
  await roles.stop()
})
