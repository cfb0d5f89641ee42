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
  const first = counting.admit(id('a'), '1')
  counting.admit(id('b'), '1')
  assert.equal(
    reasonOf(() => counting.admit(id('c'), '1')),
    'ConcurrentInvocationLimitExceeded',
  )
  first()
  first()
  counting.admit(id('c'), '1')
  assert.equal(
    reasonOf(() => counting.admit(id('a'), '1')),
    'ConcurrentInvocationLimitExceeded',
  )
  assert.equal(counting.inFlight(id('a')), 2)
})

test('counting: accounts and regions do not share', () => {
  const { counting } = setup(1)
  counting.admit(id('a'), '1')
  counting.admit(id('a', '111111111111'), '1')
  counting.admit({ ...id('a'), region: 'eu-west-1' }, '1')
  assert.equal(counting.inFlight({ account: '000000000000', region: 'eu-west-1' }), 1)
})

test('counting: a reservation shrinks the pool of the others and bounds its own function', () => {
  const { counting } = setup(3)
  counting.setLimits(id('r'), { reserved: 2, provisioned: 0 })
  counting.admit(id('a'), '1')
  assert.equal(
    reasonOf(() => counting.admit(id('b'), '1')),
    'ConcurrentInvocationLimitExceeded',
  )
  counting.admit(id('r'), '1')
  counting.admit(id('r'), '1')
  assert.equal(
    reasonOf(() => counting.admit(id('r'), '1')),
    'ReservedFunctionConcurrentInvocationLimitExceeded',
  )
})

test('counting: a reservation of zero refuses always', () => {
  const { counting } = setup(3)
  counting.setLimits(id('r'), { reserved: 0, provisioned: 0 })
  assert.equal(
    reasonOf(() => counting.admit(id('r'), '1')),
    'ReservedFunctionConcurrentInvocationLimitExceeded',
  )
})

test('counting: what runs moves between the pools when a reservation comes and goes', () => {
  const { counting } = setup(3)
  const leases = [counting.admit(id('r'), '1'), counting.admit(id('r'), '1')]
  counting.setLimits(id('r'), { reserved: 2, provisioned: 0 })
  counting.admit(id('a'), '1')
  assert.equal(
    reasonOf(() => counting.admit(id('a'), '1')),
    'ConcurrentInvocationLimitExceeded',
  )
  counting.setLimits(id('r'), { reserved: undefined, provisioned: 0 })
  assert.equal(
    reasonOf(() => counting.admit(id('a'), '1')),
    'ConcurrentInvocationLimitExceeded',
  )
  for (const release of leases) release()
  counting.admit(id('a'), '1')
  counting.admit(id('a'), '1')
  assert.equal(
    reasonOf(() => counting.admit(id('a'), '1')),
    'ConcurrentInvocationLimitExceeded',
  )
})

test('counting: ten requests a second for each unit of concurrency', async () => {
  const { counting, clock } = setup(2, 10)
  for (let n = 0; n < 20; n++) counting.admit(id('a'), '1')()
  assert.equal(
    reasonOf(() => counting.admit(id('b'), '1')),
    'FunctionInvocationRateLimitExceeded',
  )
  await clock.advance(50)
  counting.admit(id('b'), '1')()
  assert.equal(
    reasonOf(() => counting.admit(id('b'), '1')),
    'FunctionInvocationRateLimitExceeded',
  )
})

test('counting: a reserved function has a request rate of its own', async () => {
  const { counting, clock } = setup(2, 10)
  counting.setLimits(id('r'), { reserved: 1, provisioned: 0 })
  for (let n = 0; n < 10; n++) counting.admit(id('r'), '1')()
  assert.equal(
    reasonOf(() => counting.admit(id('r'), '1')),
    'ReservedFunctionInvocationRateLimitExceeded',
  )
  counting.admit(id('a'), '1')()
  await clock.advance(1000)
  for (let n = 0; n < 10; n++) counting.admit(id('r'), '1')()
})

test('counting: invocations of a version use what is provisioned of it first, then spill over', () => {
  const { counting } = setup(3)
  counting.setLimits(id('p'), { reserved: undefined, provisioned: 2 })
  counting.setProvisioned(id('p'), '1', 2)
  const leases = [counting.admit(id('p'), '1'), counting.admit(id('p'), '1')]
  // One place of the account is left, for anybody.
  counting.admit(id('p'), '1')
  assert.equal(
    reasonOf(() => counting.admit(id('p'), '1')),
    'ConcurrentInvocationLimitExceeded',
  )
  assert.equal(
    reasonOf(() => counting.admit(id('a'), '1')),
    'ConcurrentInvocationLimitExceeded',
  )
  assert.equal(counting.inFlight(id('p')), 3)
  for (const release of leases) {
    release()
    release()
  }
  counting.admit(id('p'), '1')
  assert.equal(
    reasonOf(() => counting.admit(id('p'), '2')),
    'ConcurrentInvocationLimitExceeded',
    'what is provisioned of one version is not for another',
  )
  counting.admit(id('p'), '1')
})

test('counting: a reservation that is provisioned away leaves nothing for other versions', () => {
  const { counting } = setup(10)
  counting.setLimits(id('r'), { reserved: 2, provisioned: 2 })
  counting.admit(id('r'), '$LATEST')()
  counting.setProvisioned(id('r'), '1', 1)
  const release = counting.admit(id('r'), '$LATEST')
  assert.equal(
    reasonOf(() => counting.admit(id('r'), '$LATEST')),
    'ReservedFunctionConcurrentInvocationLimitExceeded',
  )
  release()
  counting.setProvisioned(id('r'), '1', 2)
  assert.equal(
    reasonOf(() => counting.admit(id('r'), '$LATEST')),
    'ReservedFunctionConcurrentInvocationLimitExceeded',
  )
  counting.admit(id('r'), '1')
  counting.setProvisioned(id('r'), '1', 0)
  counting.admit(id('r'), '$LATEST')
})

test('counting: two versions of an alias that moves take out of the account what was asked for once', () => {
  const { counting } = setup(4)
  counting.setLimits(id('p'), { reserved: undefined, provisioned: 2 })
  counting.setProvisioned(id('p'), '1', 2)
  counting.setProvisioned(id('p'), '2', 2)
  counting.admit(id('a'), '1')
  counting.admit(id('a'), '1')
  assert.equal(
    reasonOf(() => counting.admit(id('a'), '1')),
    'ConcurrentInvocationLimitExceeded',
  )
  counting.setProvisioned(id('p'), '1', 0)
  counting.setProvisioned(id('p'), '2', 0)
  counting.admit(id('a'), '1')
})

test('counting: ten requests a second for each provisioned environment, the others spill over', async () => {
  const { counting, clock } = setup(1, 10)
  counting.setLimits(id('p'), { reserved: undefined, provisioned: 1 })
  counting.setProvisioned(id('p'), '1', 1)
  for (let n = 0; n < 10; n++) counting.admit(id('p'), '1')()
  assert.equal(
    reasonOf(() => counting.admit(id('p'), '1')),
    'ConcurrentInvocationLimitExceeded',
    'the account has nothing beside what is provisioned',
  )
  await clock.advance(100)
  counting.admit(id('p'), '1')()
})
