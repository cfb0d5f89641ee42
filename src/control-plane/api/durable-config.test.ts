import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createControlPlane, INPUT } from '../../../test/support/control-plane.ts'

test('a durable function shows its whole DurableConfig, with the defaults, and publishing freezes it', async () => {
  const { call, create, settle } = createControlPlane()
  const created = await create('fn', { DurableConfig: { ExecutionTimeout: 60 } })
  assert.deepEqual(created['DurableConfig'], { ExecutionTimeout: 60, RetentionPeriodInDays: 14 })
  const published = await call('PublishVersion', { FunctionName: 'fn' })
  const updated = await call('UpdateFunctionConfiguration', {
    FunctionName: 'fn',
    DurableConfig: { RetentionPeriodInDays: 3 },
  })
  assert.deepEqual(updated['DurableConfig'], { ExecutionTimeout: 60, RetentionPeriodInDays: 3 })
  assert.notEqual(updated['ConfigSha256'], created['ConfigSha256'])
  await settle()
  const version = await call('GetFunctionConfiguration', {
    FunctionName: 'fn',
    Qualifier: published['Version'],
  })
  assert.deepEqual(version['DurableConfig'], { ExecutionTimeout: 60, RetentionPeriodInDays: 14 })
  const kept = await call('UpdateFunctionConfiguration', { FunctionName: 'fn', Description: 'new' })
  assert.deepEqual(kept['DurableConfig'], { ExecutionTimeout: 60, RetentionPeriodInDays: 3 })
})

test('a function that is not durable shows no DurableConfig and does not become durable later', async () => {
  const { create, fail } = createControlPlane()
  assert.equal('DurableConfig' in (await create('fn', INPUT)), false)
  const { code } = await fail('UpdateFunctionConfiguration', {
    FunctionName: 'fn',
    DurableConfig: { ExecutionTimeout: 60 },
  })
  assert.equal(code, 'InvalidParameterValueException')
})
