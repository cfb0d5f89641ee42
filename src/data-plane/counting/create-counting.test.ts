import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { LambdaError } from '#contracts/errors.ts'
import { createCounting } from '#data-plane/counting/create-counting.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

const id = (name: string, account = '000000000000') => ({ account, region: 'us-east-1', name })
const reasonOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    const { code, status, message, members } = error as LambdaError
    assert.deepEqual([code, status, message], ['TooManyRequestsException', 429, 'Rate Exceeded.'])
    return members['Reason']
  }
  return undefined
}
const setup = (accountConcurrency: number, requestRatePerConcurrency = Number.POSITIVE_INFINITY) => {
  const clock = createVirtualClock()
  return { clock, counting: createCounting({ clock, accountConcurrency, requestRatePerConcurrency }) }
}

test('counting: the account limit counts all functions and a release makes room once', () => {
  const { counting } = setup(2)
  const first = counting.admit(id('a'))
  counting.admit(id('b'))
  assert.equal(
    reasonOf(() => counting.admit(id('c'))),
    'ConcurrentInvocationLimitExceeded',
  )
  first()
  first()
  counting.admit(id('c'))
  assert.equal(
    reasonOf(() => counting.admit(id('a'))),
    'ConcurrentInvocationLimitExceeded',
  )
  assert.equal(counting.inFlight(id('a')), 2)
})

test('counting: accounts and regions do not share', () => {
  const { counting } = setup(1)
  counting.admit(id('a'))
  counting.admit(id('a', '111111111111'))
  counting.admit({ ...id('a'), region: 'eu-west-1' })
  assert.equal(counting.inFlight({ account: '000000000000', region: 'eu-west-1' }), 1)
})

test('counting: a reservation shrinks the pool of the others and bounds its own function', () => {
  const { counting } = setup(3)
  counting.setReserved(id('r'), 2)
  counting.admit(id('a'))
  assert.equal(
    reasonOf(() => counting.admit(id('b'))),
    'ConcurrentInvocationLimitExceeded',
  )
  counting.admit(id('r'))
  counting.admit(id('r'))
  assert.equal(
    reasonOf(() => counting.admit(id('r'))),
    'ReservedFunctionConcurrentInvocationLimitExceeded',
  )
})

test('counting: a reservation of zero refuses always', () => {
  const { counting } = setup(3)
  counting.setReserved(id('r'), 0)
  assert.equal(
    reasonOf(() => counting.admit(id('r'))),
    'ReservedFunctionConcurrentInvocationLimitExceeded',
  )
})

test('counting: what runs moves between the pools when a reservation comes and goes', () => {
  const { counting } = setup(3)
  const leases = [counting.admit(id('r')), counting.admit(id('r'))]
  counting.setReserved(id('r'), 2)
  counting.admit(id('a'))
  assert.equal(
    reasonOf(() => counting.admit(id('a'))),
    'ConcurrentInvocationLimitExceeded',
  )
  counting.setReserved(id('r'), undefined)
  assert.equal(
    reasonOf(() => counting.admit(id('a'))),
    'ConcurrentInvocationLimitExceeded',
  )
  for (const release of leases) release()
  counting.admit(id('a'))
  counting.admit(id('a'))
  assert.equal(
    reasonOf(() => counting.admit(id('a'))),
    'ConcurrentInvocationLimitExceeded',
  )
})

test('counting: ten requests a second for each unit of concurrency', async () => {
  const { counting, clock } = setup(2, 10)
  for (let n = 0; n < 20; n++) counting.admit(id('a'))()
  assert.equal(
    reasonOf(() => counting.admit(id('b'))),
    'FunctionInvocationRateLimitExceeded',
  )
  await clock.advance(50)
  counting.admit(id('b'))()
  assert.equal(
    reasonOf(() => counting.admit(id('b'))),
    'FunctionInvocationRateLimitExceeded',
  )
})

test('counting: a reserved function has a request rate of its own', async () => {
  const { counting, clock } = setup(2, 10)
  counting.setReserved(id('r'), 1)
  for (let n = 0; n < 10; n++) counting.admit(id('r'))()
  assert.equal(
    reasonOf(() => counting.admit(id('r'))),
    'ReservedFunctionInvocationRateLimitExceeded',
  )
  counting.admit(id('a'))()
  await clock.advance(1000)
  for (let n = 0; n < 10; n++) counting.admit(id('r'))()
})
