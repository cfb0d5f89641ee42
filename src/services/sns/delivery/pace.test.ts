import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createPace } from './pace.ts'

test('sns pace: an endpoint gets its moments one after the other, and loses none by resting', () => {
  const pace = createPace()
  const at = (now: number) => pace.next('a', 10, now)
  assert.deepEqual([at(1000), at(1000), at(1000), at(1050)], [1000, 1100, 1200, 1300])
  assert.equal(pace.next('b', 10, 1000), 1000)
  assert.equal(at(9000), 9000)
  assert.equal(at(9000), 9100)
})
