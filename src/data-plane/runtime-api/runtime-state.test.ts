import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { mayFollow } from '#kernel/lifecycle.ts'
import type { RuntimeState } from '#data-plane/runtime-api/runtime-state.ts'
import { RUNTIME_MAY_CALL } from '#data-plane/runtime-api/runtime-state.ts'

const STATES = Object.keys(RUNTIME_MAY_CALL) as RuntimeState[]

const diagram = readFileSync(new URL('../../../docs/lifecycles/runtime-session.md', import.meta.url), 'utf8')
const drawn = new Set(
  [...diagram.matchAll(/^ {2}(\w+) --> (\w+): (?!\(host\))/gm)].map(([, from, to]) => `${from} ${to}`),
)

for (const from of STATES) {
  for (const to of STATES) {
    const allowed = drawn.has(`${from} ${to}`)
    test(`a runtime in ${from} ${allowed ? 'may' : 'may not'} bring about ${to}, as the diagram says`, () => {
      assert.equal(mayFollow(RUNTIME_MAY_CALL, from, to), allowed)
    })
  }
}
