import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decideScale, type ScaleState } from '#data-plane/managed-instances/decide-scale.ts'

const state: ScaleState = {
  limits: { minEnvironments: 1, maxEnvironments: 8 },
  target: 2,
  peak: 0,
  places: 10,
  calmPeriods: 0,
  affordable: 100,
}
const CASES: readonly [string, Partial<ScaleState>, { target: number; calmPeriods: number }][] = [
  ['a busy version gets more, half of the places free', { peak: 15 }, { target: 3, calmPeriods: 0 }],
  ['never more than twice as many at once', { peak: 200 }, { target: 4, calmPeriods: 0 }],
  ['never more than the maximum', { target: 6, peak: 200 }, { target: 8, calmPeriods: 0 }],
  ['never more than there are vCPUs for', { peak: 15, affordable: 2 }, { target: 2, calmPeriods: 0 }],
  ['enough is enough', { peak: 12 }, { target: 2, calmPeriods: 0 }],
  ['calm is counted', { peak: 5, calmPeriods: 4 }, { target: 2, calmPeriods: 5 }],
  ['a busy period ends the calm', { peak: 6, calmPeriods: 4 }, { target: 2, calmPeriods: 0 }],
  ['one goes after a long calm', { peak: 5, calmPeriods: 59 }, { target: 1, calmPeriods: 0 }],
  ['never fewer than the minimum', { target: 1, calmPeriods: 59 }, { target: 1, calmPeriods: 0 }],
  [
    'a raised minimum is reached',
    { limits: { minEnvironments: 4, maxEnvironments: 8 } },
    { target: 4, calmPeriods: 0 },
  ],
  [
    'a lowered maximum is kept',
    { target: 6, limits: { minEnvironments: 1, maxEnvironments: 3 }, peak: 40 },
    { target: 3, calmPeriods: 0 },
  ],
  [
    'a version without any starts with one',
    { limits: { minEnvironments: 0, maxEnvironments: 3 }, target: 0, peak: 9 },
    { target: 1, calmPeriods: 0 },
  ],
]

for (const [name, change, expected] of CASES) {
  test(`scale: ${name}`, () => assert.deepEqual(decideScale({ ...state, ...change }), expected))
}
