import assert from 'node:assert/strict'
import { it } from 'node:test'

import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { afterArrival, isNoisy, noArrivals, rateAt } from './sideline.ts'
import { createSidelines } from './sidelines.ts'

it('the rate follows arrivals, second by second', () => {
  let rate = noArrivals
  for (let second = 0; second < 20; second++)
    for (let n = 0; n < 50; n++) rate = afterArrival(rate, second * 1000 + n)
  assert.ok(Math.abs(rateAt(rate, 20_000) - 50) < 0.1)
  assert.ok(rateAt(rate, 21_000) < 31)
  assert.ok(rateAt(rate, 40_000) < 0.01)
})

it('noisy is who has more stored than its share does in ten seconds, or sends more than its share and falls behind', () => {
  const quiet = { outstanding: 10, perSecond: 10, capacity: 500 }
  assert.equal(isNoisy(quiet), false)
  assert.equal(isNoisy({ ...quiet, outstanding: 500 }), true)
  assert.equal(isNoisy({ ...quiet, perSecond: 60 }), false)
  assert.equal(isNoisy({ ...quiet, perSecond: 60, outstanding: 60 }), true)
  assert.equal(isNoisy({ outstanding: 999, perSecond: 1, capacity: 1e6 }), false)
  assert.equal(isNoisy({ outstanding: 1000, perSecond: 1, capacity: 1e6 }), true)
  assert.equal(isNoisy({ outstanding: 30, perSecond: 1, capacity: 1 }), false)
})

function world(queues = [32, 33]) {
  const clock = createVirtualClock()
  const depths = new Map<number, number>()
  const sidelines = createSidelines({ queues, clock, capacity: () => 100 })
  const depthOf = (queue: number) => depths.get(queue) ?? 0
  const flood = (key: string, events = 200) => {
    for (let n = 0; n < events; n++) sidelines.arrived(key)
  }
  return {
    clock,
    depths,
    sidelines,
    depthOf,
    flood,
    queueOf: (key: string) => sidelines.queueFor(key, depthOf),
  }
}

it('gives each noisy function a queue of its own, the emptiest first, and shares when there are no more', () => {
  const { depths, flood, queueOf } = world()
  depths.set(32, 7)
  for (const key of ['a', 'b', 'c']) flood(key)
  assert.equal(queueOf('quiet'), undefined)
  assert.equal(queueOf('a'), 33)
  assert.equal(queueOf('b'), 32)
  assert.equal(queueOf('c'), 33)
  assert.equal(queueOf('a'), 33)
})

it('takes it back when it was quiet for a minute', async () => {
  const { clock, sidelines, flood, queueOf } = world([32])
  flood('a')
  assert.equal(queueOf('a'), 32)
  for (let n = 0; n < 200; n++) sidelines.done('a')
  await clock.advance(59_000)
  assert.equal(queueOf('a'), 32)
  await clock.advance(1_000)
  assert.equal(queueOf('a'), undefined)
  flood('b')
  assert.equal(queueOf('b'), 32)
})

it('does without one when none can be had', () => {
  const { sidelines, flood } = world()
  flood('a')
  assert.equal(
    sidelines.queueFor('a', () => undefined),
    undefined,
  )
})
