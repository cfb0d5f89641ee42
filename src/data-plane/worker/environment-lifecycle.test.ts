import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { NEXT_ENVIRONMENT_STATE, type EnvironmentState } from '#contracts/environment.ts'
import { createEnvironmentLifecycle } from '#data-plane/worker/environment-lifecycle.ts'

const STATES = Object.keys(NEXT_ENVIRONMENT_STATE) as EnvironmentState[]

for (const from of STATES) {
  for (const to of STATES) {
    const allowed = (NEXT_ENVIRONMENT_STATE[from] as readonly EnvironmentState[]).includes(to)
    test(`environment: ${from} -> ${to} is ${allowed ? 'allowed' : 'refused'}`, () => {
      const lifecycle = createEnvironmentLifecycle(from)
      assert.equal(lifecycle.may(to), allowed)
      if (allowed) {
        lifecycle.to(to)
        assert.equal(lifecycle.state, to)
      } else {
        assert.throws(() => lifecycle.to(to), TypeError)
        assert.equal(lifecycle.state, from)
      }
    })
  }
}

test('environment: the diagram in the documentation is the table', () => {
  const page = readFileSync(new URL('../../../docs/lifecycles/environment.md', import.meta.url), 'utf8')
  const drawn = [...page.matchAll(/^ {2}(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} ${to}`)
  const listed = STATES.flatMap((from) => NEXT_ENVIRONMENT_STATE[from].map((to) => `${from} ${to}`))
  assert.deepEqual(drawn.toSorted(), listed.toSorted())
})
