import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createMemoryPromises } from '#data-plane/worker/memory-promises.ts'

test('memory: promises up to the limit, then a 429 until something is given back', () => {
  const memory = createMemoryPromises(1000)
  const giveBack = memory.promise(600)
  assert.throws(() => memory.promise(401), {
    code: 'TooManyRequestsException',
    status: 429,
    fault: 'platform',
  })
  memory.promise(400)
  giveBack()
  giveBack()
  assert.equal(memory.promisedMiB, 400)
})

test('memory: what this host never has is not worth a retry', () => {
  const memory = createMemoryPromises(1000)
  assert.throws(() => memory.promise(1001), { code: 'ServiceException', status: 500 })
})
