import assert from 'node:assert/strict'
import { test } from 'node:test'

import { exited } from '#data-plane/worker/error-documents.ts'
import { initFailure, verdictOf } from '#data-plane/worker/verdict.ts'

const exit = (code: number | null, signal: string | null = null, outOfMemory = false) => ({
  code,
  signal,
  outOfMemory,
})

test('verdict: the wording of every exit', () => {
  const cases = [
    [exit(0), 'Runtime exited without providing a reason', 'Runtime.ExitError'],
    [exit(null), 'Runtime exited without providing a reason', 'Runtime.ExitError'],
    [exit(127), 'Runtime exited with error: exit status 127', 'Runtime.ExitError'],
    [exit(null, 'SIGKILL'), 'Runtime exited with error: signal: killed', 'Runtime.ExitError'],
    [exit(null, 'SIGSEGV'), 'Runtime exited with error: signal: segmentation fault', 'Runtime.ExitError'],
    [exit(null, 'SIGRTMIN'), 'Runtime exited with error: signal: SIGRTMIN', 'Runtime.ExitError'],
    [exit(null, 'SIGKILL', true), 'Runtime exited with error: signal: killed', 'Runtime.OutOfMemory'],
    [exit(137, null, true), 'Runtime exited with error: signal: killed', 'Runtime.OutOfMemory'],
  ] as const
  for (const [how, message, reported] of cases) {
    const failure = exited(how)
    assert.equal(failure.message, message)
    assert.equal(failure.errorType, 'Runtime.ExitError')
    assert.deepEqual(failure.report, { status: 'error', errorType: reported })
  }
})

test('verdict: payloads of the runtime are never touched', () => {
  const payload = Buffer.from('not json at all \u0000')
  assert.equal(verdictOf({ kind: 'response', payload }).payload('id'), payload)
  assert.equal(verdictOf({ kind: 'error', errorType: 'E', payload }).payload('id'), payload)
  assert.equal(initFailure({ kind: 'error', errorType: 'E', payload }, 3).payload('id'), payload)
})

test('verdict: only what leaves no usable process resets the environment', () => {
  const payload = Buffer.from('')
  assert.equal(verdictOf({ kind: 'response', payload }).reset, false)
  assert.equal(verdictOf({ kind: 'error', errorType: 'E', payload }).reset, false)
  assert.equal(verdictOf({ kind: 'too-large', sizeBytes: 1 }).reset, false)
  assert.equal(verdictOf({ kind: 'exited', exit: exit(1) }).reset, true)
  assert.equal(initFailure({ kind: 'timeout' }, 3).reset, true)
})
