import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { NEXT_CAPACITY_PROVIDER_STATE, type CapacityProviderState } from '#contracts/capacity-provider.ts'
import { mayFollow } from '#kernel/lifecycle.ts'

const STATES = Object.keys(NEXT_CAPACITY_PROVIDER_STATE) as CapacityProviderState[]
const ALLOWED = new Set([
  'Pending --> Active',
  'Pending --> Failed',
  'Pending --> Deleting',
  'Active --> Deleting',
  'Failed --> Deleting',
])

for (const from of STATES) {
  for (const to of STATES) {
    const step = `${from} --> ${to}`
    test(`capacity provider: ${step} is ${ALLOWED.has(step) ? 'allowed' : 'refused'}`, () => {
      const may = mayFollow<CapacityProviderState>(NEXT_CAPACITY_PROVIDER_STATE, from, to)
      assert.equal(may, ALLOWED.has(step))
    })
  }
}

test('capacity provider: the diagram in the documentation is the table', () => {
  const page = readFileSync(new URL('../../docs/lifecycles/capacity-provider.md', import.meta.url), 'utf8')
  const drawn = [...page.matchAll(/^ {2}(\w+ --> \w+)$/gm)].map(([, step]) => step)
  assert.deepEqual(drawn.toSorted(), [...ALLOWED].toSorted())
})
