import assert from 'node:assert/strict'
import { it } from 'node:test'

import {
  afterOutcome,
  breakerAllows,
  closedBreaker,
  endProbe,
  isBroken,
  startProbe,
  type Breaker,
} from './circuit-breaker.ts'

const feed = (outcomes: string, mayTrip = true, breaker: Breaker = closedBreaker) =>
  [...outcomes].reduce((so, outcome) => afterOutcome(so, outcome === 'x', 1000, mayTrip), breaker)

it('says nothing before ten outcomes, then opens for five seconds at half of them', () => {
  assert.equal(breakerAllows(feed('xxxxxxxxx'), 1000), 'yes')
  assert.equal(breakerAllows(feed('xxxxxxxxxx'), 1000), 6000)
  assert.equal(breakerAllows(feed('.....xxxxx'), 1000), 6000)
  assert.equal(breakerAllows(feed('......xxxx'), 1000), 'yes')
})

it('looks at the last twenty only', () => {
  assert.equal(isBroken(feed('.'.repeat(20) + 'x'.repeat(9))), false)
  assert.equal(isBroken(feed('.'.repeat(500) + 'x'.repeat(10))), true)
  assert.equal(isBroken(feed('x'.repeat(9) + '.'.repeat(20))), false)
})

it('after the time one event probes: closed when it works, ten seconds more when not', () => {
  const opened = feed('xxxxxxxxxx')
  assert.equal(breakerAllows(opened, 5999), 6000)
  assert.equal(breakerAllows(opened, 6000), 'probe')
  const probing = startProbe(opened)
  assert.equal(breakerAllows(probing, 6001), 'wait')
  assert.equal(breakerAllows(afterOutcome(probing, false, 7000, true), 7000), 'yes')
  assert.equal(breakerAllows(afterOutcome(probing, true, 7000, true), 7000), 17_000)
  assert.equal(breakerAllows(endProbe(probing), 7000), 'probe')
})

it('opens nothing when most functions break', () => {
  assert.equal(breakerAllows(feed('xxxxxxxxxxxx', false), 1000), 'yes')
})
