import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import { NEXT_MAPPING_STATE, type EventSourceMapping, type MappingState } from '#contracts/mapping.ts'

import { assertSteady, goalOf, stepTo, updatingState } from './mapping-lifecycle.ts'

const STATES = Object.keys(NEXT_MAPPING_STATE) as MappingState[]
const ARN = 'arn:aws:sqs:us-east-1:000000000000:queue'
const mapping = (state: MappingState, enabled = true): EventSourceMapping => ({
  account: '000000000000',
  region: 'us-east-1',
  uuid: 'u',
  source: { kind: 'sqs', arn: ARN, fifo: false },
  functionName: 'fn',
  settings: { batchSize: 10 },
  enabled,
  state,
  stateTransitionReason: 'USER_INITIATED',
  tags: {},
  generation: 'g',
  modifiedAt: 1,
})

for (const from of STATES) {
  for (const to of STATES) {
    const allowed = (NEXT_MAPPING_STATE[from] as readonly MappingState[]).includes(to)
    test(`mapping: ${from} -> ${to} is ${allowed ? 'allowed' : 'refused'}`, () => {
      if (allowed) {
        const after = stepTo(mapping(from), to, 2)
        assert.deepEqual([after.state, after.modifiedAt], [to, 2])
      } else assert.throws(() => stepTo(mapping(from), to, 2), TypeError)
    })
  }
}

test('mapping: each state on the way has a goal that the table allows', () => {
  for (const state of STATES) {
    for (const enabled of [true, false]) {
      const goal = goalOf(mapping(state, enabled))
      if (state === 'Enabled' || state === 'Disabled') assert.equal(goal, undefined)
      else if (state === 'Deleting') assert.equal(goal, 'gone')
      else if ((state === 'Enabling') === enabled || state === 'Creating' || state === 'Updating') {
        assert.ok(goal && goal !== 'gone')
        stepTo(mapping(state, enabled), goal, 2)
      }
    }
  }
})

test('mapping: an update leads to where the table lets it go', () => {
  for (const state of ['Enabled', 'Disabled'] as const) {
    for (const enabled of [true, false]) {
      const before = mapping(state, state === 'Enabled')
      const to = updatingState(before, enabled)
      assert.equal(to, enabled === before.enabled ? 'Updating' : enabled ? 'Enabling' : 'Disabling')
      stepTo(before, to, 2)
    }
  }
})

test('mapping: refuses requests while one is being carried out', () => {
  for (const state of STATES) {
    if (state === 'Enabled' || state === 'Disabled') {
      assertSteady(mapping(state), 'delete')
      continue
    }
    assert.throws(
      () => assertSteady(mapping(state), 'update'),
      (error) =>
        error instanceof LambdaError &&
        error.code === 'ResourceInUseException' &&
        error.message === 'Cannot update the event source mapping because it is in use.',
    )
  }
})

test('mapping: the diagram in the documentation is the table', () => {
  const page = readFileSync(
    new URL('../../../docs/lifecycles/event-source-mapping.md', import.meta.url),
    'utf8',
  )
  const drawn = [...page.matchAll(/^ {2}(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} ${to}`)
  const listed = STATES.flatMap((from) => NEXT_MAPPING_STATE[from].map((to) => `${from} ${to}`))
  assert.deepEqual(drawn.toSorted(), listed.toSorted())
})
