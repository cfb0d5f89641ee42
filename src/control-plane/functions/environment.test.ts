import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createSealer } from '#kernel/sealed.ts'

import { openVariables, sealVariables } from './environment.ts'

const id = { account: '000000000000', region: 'us-east-1', name: 'fn' }
const sealer = createSealer(new Uint8Array(32).fill(1))

test('the same variables keep their sealed text, others get a new one', () => {
  const sealed = sealVariables(sealer, id, { KEY: 'value' })
  assert.equal(sealVariables(sealer, id, { KEY: 'value' }, sealed), sealed)
  assert.notEqual(sealVariables(sealer, id, { KEY: 'other' }, sealed), sealed)
  assert.deepEqual(openVariables(sealer, id, sealed), { KEY: 'value' })
})

test('variables do not open for another function, with another key, or when they were changed', () => {
  const sealed = sealVariables(sealer, id, { KEY: 'value' })
  assert.equal(openVariables(sealer, { ...id, name: 'other' }, sealed), undefined)
  assert.equal(openVariables(createSealer(new Uint8Array(32).fill(2)), id, sealed), undefined)
  assert.equal(openVariables(sealer, id, `AAAA${sealed.slice(4)}`), undefined)
})

test('variables whose key is lost can be set anew', () => {
  const lost = sealVariables(createSealer(new Uint8Array(32).fill(2)), id, { KEY: 'value' })
  const sealed = sealVariables(sealer, id, { KEY: 'value' }, lost)
  assert.deepEqual(openVariables(sealer, id, sealed), { KEY: 'value' })
})
