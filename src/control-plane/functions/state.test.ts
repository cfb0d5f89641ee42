import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { FunctionState, FunctionVersion } from '#contracts/function.ts'
import { mayFollow } from '#kernel/lifecycle.ts'

import { failed, NEXT_FUNCTION_STATE, prepared } from './state.ts'

const STATES = Object.keys(NEXT_FUNCTION_STATE) as FunctionState[]
const ALLOWED = new Set([
  'Pending -> Active',
  'Pending -> ActiveNonInvocable',
  'Pending -> Failed',
  'Active -> Deactivating',
  'Deactivating -> Deactivated',
  'Deactivated -> Pending',
])
const version = (state: FunctionState): FunctionVersion => ({
  account: '000000000000',
  region: 'us-east-1',
  name: 'fn',
  version: '$LATEST',
  packageType: 'Zip',
  role: '',
  description: '',
  timeoutSeconds: 3,
  memoryMiB: 128,
  ephemeralStorageMiB: 512,
  architecture: 'x86_64',
  code: { blob: '', codeSha256: '', sizeBytes: 0 },
  layers: [],
  logging: { format: 'Text', group: 'g' },
  tracingMode: 'PassThrough',
  snapStart: 'None',
  state,
  revisionId: 'r1',
  modifiedAt: 0,
  generation: 'g1',
})

for (const from of STATES) {
  for (const to of STATES) {
    const step = `${from} -> ${to}`
    test(`${step} is ${ALLOWED.has(step) ? 'allowed' : 'refused'}`, () => {
      assert.equal(mayFollow<FunctionState>(NEXT_FUNCTION_STATE, from, to), ALLOWED.has(step))
    })
  }
}

test('a step that is not in the table is a programming error', () => {
  assert.throws(() => prepared(version('Failed'), 'r2'), /does not go from Failed to Active/)
})

test('a failed update leaves the state as it is', () => {
  const { state, lastUpdateStatus } = failed(version('Active'), new Error('x'), 'r2')
  assert.deepEqual([state, lastUpdateStatus], ['Active', 'Failed'])
})
