import assert from 'node:assert/strict'
import { it } from 'node:test'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import type { DispatchOutcome } from '#data-plane/events/port.ts'

import { createDispatchGate, type Verdict } from './dispatch-gate.ts'

function world(slots = 20, isUnderPressure = () => false) {
  const clock = createVirtualClock()
  const gate = createDispatchGate({ slots, clock, isUnderPressure })
  const target = (name: string, account = 'a') => ({ account, region: 'r', name })
  const begin = (name: string, account = 'a'): Verdict =>
    gate.begin(target(name, account), `${account}/${name}`)
  const end = (name: string, outcome: DispatchOutcome = 'ran', account = 'a') =>
    gate.end(target(name, account), `${account}/${name}`, outcome)
  const run = (name: string, outcome: DispatchOutcome, times = 1) => {
    for (let n = 0; n < times; n++) {
      if (begin(name) === 'taken') end(name, outcome)
    }
  }
  /** How many it gets until it gets none, and why it gets none. */
  const fill = (name: string, account = 'a') => {
    for (let taken = 0; ; taken++) {
      const verdict = begin(name, account)
      if (verdict !== 'taken') return [taken, verdict] as const
    }
  }
  return { clock, gate, begin, end, run, fill }
}

it('a function begins with five at once and gets more by working', () => {
  const { end, run, fill } = world()
  assert.deepEqual(fill('f'), [5, 'held'])
  for (let n = 0; n < 5; n++) end('f')
  run('f', 'ran', 100)
  const [taken, verdict] = fill('f')
  // 30 % stay idle for others.
  assert.deepEqual([taken, verdict], [14, 'crowded'])
})

it('others get what is left, two at a time when it is little', () => {
  const { gate, run, fill } = world()
  for (const name of ['f', 'g', 'h']) run(name, 'ran', 200)
  fill('f')
  assert.deepEqual(fill('g'), [2, 'crowded'])
  assert.deepEqual(fill('h'), [2, 'crowded'])
  assert.deepEqual(fill('i'), [2, 'crowded'])
  assert.equal(gate.free(), 0)
})

it('accounts share in the same way once there are two', () => {
  const { fill } = world()
  for (const name of ['f', 'g', 'h', 'i']) fill(name)
  assert.deepEqual(fill('f', 'b'), [2, 'crowded'])
  assert.deepEqual(fill('g', 'b'), [0, 'crowded'])
})

it('throttles halve the limit and then slow the pace, and never open the breaker', async () => {
  const { clock, begin, end, run } = world()
  run('f', 'throttled', 3)
  const paused = begin('f')
  assert.equal(paused, 50)
  await clock.advance(50)
  for (let n = 0; n < 40; n++) {
    run('f', 'throttled')
    await clock.advance(5000)
  }
  assert.equal(begin('f'), 'taken')
  assert.equal(begin('f'), 'held')
  end('f', 'ran')
  assert.equal(begin('f'), 'taken')
})

it('a function that breaks is left alone for five seconds, then probed', async () => {
  const { clock, begin, end, run } = world()
  for (let n = 0; n < 10; n++) {
    run('f', 'broken')
    await clock.advance(5000)
  }
  run('f', 'broken')
  const open = begin('f')
  assert.equal(typeof open, 'number')
  await clock.advance(10_000)
  assert.equal(begin('f'), 'taken')
  assert.equal(begin('f'), 'held')
  end('f', 'ran')
  assert.equal(begin('f'), 'taken')
})

it('when most functions break everything is slowed, and nothing opened', async () => {
  const { clock, gate, begin, run } = world()
  const names = ['f', 'g', 'h', 'i']
  for (let n = 0; n < 12; n++) {
    for (const name of names) run(name, 'broken')
    await clock.advance(5001)
  }
  assert.equal(gate.free(), 2)
  assert.equal(begin('f'), 'taken')
  await clock.advance(60_000)
  for (let n = 0; n < 30; n++) for (const name of names) run(name, 'ran')
  await clock.advance(60_000)
  gate.free()
  await clock.advance(10_000)
  assert.ok(gate.free() > 2, 'it recovers')
})

it('after an outage it begins with a tenth, and waits under pressure', async () => {
  let pressed = true
  const { clock, gate } = world(100, () => pressed)
  gate.startSlowly()
  assert.equal(gate.free(), 10)
  await clock.advance(10_000)
  assert.equal(gate.free(), 10)
  pressed = false
  const free: number[] = []
  for (let n = 0; n < 4; n++) {
    await clock.advance(10_000)
    free.push(gate.free())
  }
  assert.deepEqual(free, [20, 40, 80, 100])
})
