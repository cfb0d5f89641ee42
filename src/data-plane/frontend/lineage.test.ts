import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Lineage } from '#contracts/trace-header.ts'
import { isLoop, lineageMarker, nextLineage } from '#data-plane/frontend/lineage.ts'

/** How many invocations run before the chain is stopped; Infinity when it never is. */
function runsUntilStopped(functionAt: (step: number) => string): number {
  let lineage: Lineage | undefined
  for (let step = 0; step < 5000; step++) {
    lineage = nextLineage(lineage, functionAt(step))
    if (isLoop(lineage)) return step
  }
  return Number.POSITIVE_INFINITY
}

test('lineage: a function that invokes itself runs sixteen times', () => {
  assert.equal(
    runsUntilStopped(() => 'a'),
    16,
  )
})

test('lineage: a loop is found whatever its length and however the chain came into it', () => {
  for (let lead = 0; lead <= 20; lead++) {
    for (let length = 1; length <= 20; length++) {
      const runs = runsUntilStopped((step) =>
        step < lead ? `lead-${step}` : `loop-${(step - lead) % length}`,
      )
      // Sixteen rounds, after at most a few more until the watch has got into it.
      assert.ok(runs >= 16 * length, `${lead}+${length}: ${runs}`)
      assert.ok(runs <= lead + 16 * length + 2 * (lead + length) + 2, `${lead}+${length}: ${runs}`)
    }
  }
})

test('lineage: a long chain of different functions is none', () => {
  assert.equal(
    runsUntilStopped((step) => `f-${step}`),
    Number.POSITIVE_INFINITY,
  )
})

test('lineage: counters end where the header does', () => {
  const full = { requests: 32_767, marker: 'a', loops: 255 }
  assert.deepEqual(nextLineage(full, 'a'), full)
  assert.deepEqual(nextLineage(full, 'b'), full)
})

test('lineage: functions have eight digits, different ones as a rule', () => {
  const id = { account: '000000000000', region: 'us-east-1', name: 'one' }
  assert.match(lineageMarker(id), /^[0-9a-f]{8}$/)
  assert.notEqual(lineageMarker(id), lineageMarker({ ...id, name: 'two' }))
  assert.equal(lineageMarker(id), lineageMarker({ ...id }))
})
