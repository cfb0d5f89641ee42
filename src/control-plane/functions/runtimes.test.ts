import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assertRuntime } from './runtimes.ts'

test('current runtimes are accepted', () => {
  for (const runtime of [
    'nodejs20.x',
    'nodejs26.x',
    'python3.9',
    'python3.15',
    'provided.al2',
    'java8.al2023',
  ]) {
    assertRuntime(runtime)
  }
})

test('runtimes that AWS has blocked and runtimes that never were are told apart', () => {
  for (const runtime of [
    'java8',
    'go1.x',
    'provided',
    'ruby2.7',
    'nodejs14.x',
    'python3.7',
    'dotnetcore3.1',
  ]) {
    assert.throws(() => assertRuntime(runtime), /no longer supported for creating or updating/)
  }
  for (const runtime of ['PYTHON3.12', 'nodejs', 'constructor', '']) {
    assert.throws(() => assertRuntime(runtime), { code: 'InvalidParameterValueException' })
  }
})
