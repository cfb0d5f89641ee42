import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assertRuntime, assertSnapStart } from './runtimes.ts'

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

test('SnapStart is for Java, Python and .NET from the first releases that AWS names', () => {
  for (const runtime of ['java11', 'java25', 'java17.al2023', 'python3.12', 'python3.14', 'dotnet8']) {
    assertSnapStart(runtime)
  }
  for (const runtime of ['java8.al2', 'python3.11', 'nodejs24.x', 'dotnet6', undefined]) {
    assert.throws(() => assertSnapStart(runtime), /is not supported for SnapStart enabled functions\.$/)
  }
})
