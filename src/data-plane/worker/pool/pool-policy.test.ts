import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  allot,
  demandAfterTake,
  MAX_READY,
  nextStep,
  noDemand,
  wantedReady,
  type Demand,
} from '#data-plane/worker/pool/pool-policy.ts'
import { HOUR_MS, MINUTE_MS } from '#kernel/units.ts'

function taken(count: number, from: Demand, now: number): Demand {
  let demand = from
  for (let index = 0; index < count; index++) demand = demandAfterTake(demand, now + index)
  return demand
}

test('pool: a shape that has just been heard of gets two, later one, in the end none', () => {
  const demand = noDemand(0)
  assert.equal(wantedReady(demand, 1000), 2)
  assert.equal(wantedReady(demand, 31 * MINUTE_MS), 1)
  assert.equal(wantedReady(demand, 6 * HOUR_MS), 0)
})

test('pool: what was taken in a short time is wanted again, and forgotten by halves', () => {
  const demand = taken(12, noDemand(0), 0)
  assert.equal(wantedReady(demand, 100), 13)
  assert.equal(wantedReady(demand, 5 * MINUTE_MS), 8)
  assert.equal(wantedReady(demand, 25 * MINUTE_MS), 2)
})

test('pool: slow takes are not added up', () => {
  let demand = noDemand(0)
  for (let index = 0; index < 50; index++) demand = demandAfterTake(demand, index * 11_000)
  assert.equal(wantedReady(demand, 550_000), 2)
})

test('pool: no burst makes it grow beyond its bound', () => {
  assert.equal(wantedReady(taken(500, noDemand(0), 0), 1), MAX_READY)
})

test('pool: memory is divided fairly, and the shapes heard of last come first', () => {
  const shape = (key: string, wanted: number, seenAt: number, sizeMiB = 16) => ({
    key,
    wanted,
    seenAt,
    sizeMiB,
  })
  assert.deepEqual(
    [...allot([shape('old', 8, 1), shape('new', 8, 2)], 16 * 7)],
    [
      ['new', 4],
      ['old', 3],
    ],
  )
  assert.deepEqual([...allot([shape('one', 2, 1), shape('many', 20, 2)], 16 * 100)].toSorted(), [
    ['many', 20],
    ['one', 2],
  ])
  // Nothing for those that there is no memory for.
  assert.deepEqual([...allot([shape('first', 1, 9), shape('second', 1, 1)], 20)], [['first', 1]])
  assert.deepEqual([...allot([shape('any', 5, 1)], 0)], [])
})

test('pool: surplus goes before anything boots, then the neediest share first', () => {
  const supply = (key: string, ready: number, allotted: number, coming = 0) => ({
    key,
    ready,
    coming,
    allotted,
  })
  assert.deepEqual(nextStep([supply('a', 1, 4), supply('b', 3, 2)]), { do: 'drop', key: 'b' })
  assert.deepEqual(nextStep([supply('a', 6, 8), supply('b', 0, 1)]), { do: 'boot', key: 'b' })
  assert.deepEqual(nextStep([supply('a', 6, 8, 2), supply('b', 1, 1)]), { do: 'nothing' })
})
