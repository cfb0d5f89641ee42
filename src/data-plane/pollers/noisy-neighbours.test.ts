import assert from 'node:assert/strict'
import { it } from 'node:test'

import { runNoisyNeighbours } from '../../../test/support/noisy-neighbours.ts'

// All of it, for longer and without one part or another: npm run bench -- --only fairness.
const briefly = { noiseMs: 2_000, watchMs: 4_000, seed: 7 }
const figures = (result: object) =>
  JSON.stringify(result, (_key, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 1000) / 1000 : value,
  )

for (const [noise, factor] of [
  ['flood', 3],
  ['slow', 10],
  ['throttled', 2],
] as const) {
  it(`500 tenants do not notice another one: ${noise}, ${factor} times what all slots do`, async (t) => {
    const result = await runNoisyNeighbours({ ...briefly, noise, factor })
    t.diagnostic(figures(result))
    assert.ok(result.p99Ms <= 100, figures(result))
    assert.equal(result.affected, 0)
    assert.ok(noise === 'slow' || result.noisyDone > 150, 'the noisy one gets on too')
    // Of the thousands of its events a few attempts find out that it is throttled.
    assert.ok(result.wasted < 300, figures(result))
  })
}
