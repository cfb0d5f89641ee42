import assert from 'node:assert/strict'
import { it } from 'node:test'

import { afterFailure, afterSuccess, newLimit, pauseMs, type AdaptiveLimit } from './adaptive-limit.ts'

const repeat = (limit: AdaptiveLimit, times: number, step: (so: AdaptiveLimit) => AdaptiveLimit) => {
  let so = limit
  for (let n = 0; n < times; n++) so = step(so)
  return so
}

it('grows by one after as many successes as may run at once', () => {
  assert.equal(newLimit.limit, 5)
  assert.equal(repeat(newLimit, 4, afterSuccess).limit, 5)
  assert.equal(repeat(newLimit, 5, afterSuccess).limit, 6)
  assert.equal(repeat(newLimit, 5 + 6 + 7, afterSuccess).limit, 8)
})

it('halves with each failure, down to one', () => {
  assert.deepEqual(
    [1, 2, 3, 4].map((times) => repeat(newLimit, times, afterFailure).limit),
    [2, 1, 1, 1],
  )
})

it('at one the pace falls: pauses double up to five seconds, and a success ends them', () => {
  const atFloor = repeat(newLimit, 2, afterFailure)
  assert.equal(pauseMs(atFloor), 0)
  assert.deepEqual(
    [1, 2, 3, 7, 20].map((times) => pauseMs(repeat(atFloor, times, afterFailure))),
    [50, 100, 200, 3200, 5000],
  )
  const recovered = afterSuccess(repeat(atFloor, 9, afterFailure))
  assert.deepEqual([recovered.limit, pauseMs(recovered)], [1, 0])
  assert.equal(afterSuccess(recovered).limit, 2)
})
