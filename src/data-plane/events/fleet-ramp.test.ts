import assert from 'node:assert/strict'
import { it } from 'node:test'

import { fullSpeed, isFleetWide, rampAt, rampedSlots, startRamp } from './fleet-ramp.ts'

const no = () => false

it('a tenth of the slots, doubled every ten seconds', () => {
  let ramp = startRamp(0)
  const slots = [0, 9_999, 10_000, 20_000, 30_000, 40_000].map((now) => {
    ramp = rampAt(ramp, now, no)
    return rampedSlots(ramp, 100)
  })
  assert.deepEqual(slots, [10, 10, 20, 40, 80, 100])
  assert.deepEqual(rampAt(fullSpeed, 1e6, no), fullSpeed)
})

it('waits while it is held, and never falls below one slot', () => {
  const ramp = startRamp(0)
  assert.equal(
    rampedSlots(
      rampAt(ramp, 10_000, () => true),
      100,
    ),
    10,
  )
  assert.equal(rampedSlots(ramp, 3), 1)
})

it('most of at least three functions make a failure of all', () => {
  assert.equal(isFleetWide({ judged: 2, broken: 2 }), false)
  assert.equal(isFleetWide({ judged: 4, broken: 2 }), false)
  assert.equal(isFleetWide({ judged: 3, broken: 2 }), true)
})
