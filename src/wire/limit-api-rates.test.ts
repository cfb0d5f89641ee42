import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { limitApiRates } from '#wire/limit-api-rates.ts'
import { lambdaModel } from '#wire/models/lambda.ts'
import type { RequestContext } from '#wire/service.ts'

const context = (account = '000000000000', region = 'us-east-1'): RequestContext => ({
  requestId: 'id',
  account,
  region,
  principal: { account, arn: `arn:aws:iam::${account}:root`, accessKeyId: 'test' },
  endpoint: 'http://localhost',
  signal: new AbortController().signal,
  traceId: undefined,
})

/** Calls an operation as its handlers would be called, and counts what passes before something is refused. */
function rig() {
  const clock = createVirtualClock()
  const handler = async () => ({ answered: true })
  const handlers = limitApiRates(
    Object.fromEntries(Object.keys(lambdaModel.operations).map((name) => [name, handler])),
    clock,
  )
  const passes = async (operation: string, most: number, of = context()) => {
    for (let at = 0; at < most; at++) {
      try {
        await handlers[operation]?.({} as never, of)
      } catch (error) {
        const { code, status, message, members } = error as Record<string, unknown>
        assert.deepEqual(
          [code, status, message, members],
          ['TooManyRequestsException', 429, 'Rate exceeded', { Reason: 'CallerRateLimitExceeded' }],
        )
        return at
      }
    }
    return most
  }
  return { clock, passes }
}

for (const [operation, perSecond] of [
  ['GetFunction', 100],
  ['GetPolicy', 15],
  ['ListFunctions', 15],
  ['GetCapacityProvider', 15],
  ['CreateCapacityProvider', 1],
  ['CheckpointDurableExecution', 10_000],
  ['SendDurableExecutionCallbackSuccess', 3_000],
  ['StopDurableExecution', 300],
] as const) {
  test(`API rates: ${operation} is answered ${perSecond} times a second`, async () => {
    const { clock, passes } = rig()
    assert.equal(await passes(operation, perSecond + 1), perSecond)
    await clock.advance(400)
    assert.equal(await passes(operation, perSecond), Math.floor(perSecond * 0.4))
    await clock.advance(60_000)
    assert.equal(await passes(operation, perSecond + 1), perSecond, 'nothing is saved up')
  })
}

test('API rates: what has no rate of its own shares one, which leaves the others alone', async () => {
  const { passes } = rig()
  assert.equal(await passes('CreateFunction', 10), 10)
  assert.equal(await passes('DeleteFunction', 10), 5)
  assert.equal(await passes('ListTags', 1), 0)
  assert.equal(await passes('GetPolicy', 20), 15)
  assert.equal(await passes('GetFunction', 200), 100)
})

test('API rates: every account and region has its own', async () => {
  const { passes } = rig()
  assert.equal(await passes('ListFunctions', 20), 15)
  assert.equal(await passes('ListFunctions', 20, context('111111111111')), 15)
  assert.equal(await passes('ListFunctions', 20, context('000000000000', 'eu-west-1')), 15)
  assert.equal(await passes('ListFunctions', 1), 0)
})

test('API rates: invocations are not counted', async () => {
  const { passes } = rig()
  for (const operation of ['Invoke', 'InvokeAsync', 'InvokeWithResponseStream']) {
    assert.equal(await passes(operation, 1000), 1000)
  }
})

test('API rates: regions that clients make up do not take memory without end', async () => {
  const { passes } = rig()
  assert.equal(await passes('ListFunctions', 20), 15)
  for (let at = 0; at < 10_001; at++) await passes('ListFunctions', 1, context('0', `zz-made-${at}`))
  assert.equal(await passes('ListFunctions', 20), 15, 'forgotten, and so full again')
})
