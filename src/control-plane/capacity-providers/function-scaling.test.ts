import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'

import { arnOf, createControlPlane } from '../../../test/support/control-plane.ts'

const FunctionName = 'fn'
const Qualifier = '1'

const withVersion = async () => {
  const plane = createControlPlane()
  await plane.call('CreateCapacityProvider', {
    CapacityProviderName: 'group',
    VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
    PermissionsConfig: { CapacityProviderOperatorRoleArn: 'arn:aws:iam::000000000000:role/operator' },
  })
  await plane.settle()
  await plane.create('fn', {
    Publish: true,
    CapacityProviderConfig: {
      LambdaManagedInstancesCapacityProviderConfig: {
        CapacityProviderArn: 'arn:aws:lambda:us-east-1:000000000000:capacity-provider:group',
      },
    },
  })
  const put = async (min?: number, max?: number) => {
    const answer = await plane.call('PutFunctionScalingConfig', {
      FunctionName,
      Qualifier,
      FunctionScalingConfig: { MinExecutionEnvironments: min, MaxExecutionEnvironments: max },
    })
    await plane.settle()
    return answer
  }
  const get = () => plane.call('GetFunctionScalingConfig', { FunctionName, Qualifier })
  const state = async () =>
    (await plane.call('GetFunctionConfiguration', { FunctionName, Qualifier }))['State']
  return { ...plane, put, get, state }
}
const limits = (min: number, max: number) => ({
  MinExecutionEnvironments: min,
  MaxExecutionEnvironments: max,
})

test('scaling: empty before anything was asked for, then what was asked for and is in effect', async () => {
  const { put, get, capacity } = await withVersion()
  assert.deepEqual(await get(), { FunctionArn: arnOf('fn', '1'), AppliedFunctionScalingConfig: {} })
  assert.deepEqual(await put(1, 4), { FunctionState: 'Active' })
  assert.deepEqual(await get(), {
    FunctionArn: arnOf('fn', '1'),
    AppliedFunctionScalingConfig: limits(1, 4),
    RequestedFunctionScalingConfig: limits(1, 4),
  })
  assert.deepEqual(capacity.applied.at(-1)?.limits, { minEnvironments: 1, maxEnvironments: 4 })
})

test('scaling: members that are left out have their defaults, within the maximum', async () => {
  const { put, get } = await withVersion()
  await put(5)
  assert.deepEqual((await get())['RequestedFunctionScalingConfig'], limits(5, 15_000))
  await put(undefined, 2)
  assert.deepEqual((await get())['RequestedFunctionScalingConfig'], limits(2, 2))
})

test('scaling: what does not come about is shown as asked for only, and tried again at the next start', async () => {
  const { put, get, capacity, store } = await withVersion()
  capacity.failWith(new LambdaError('InsufficientCapacity', 'No room'))
  await put(9, 9)
  const { AppliedFunctionScalingConfig, RequestedFunctionScalingConfig } = await get()
  assert.deepEqual([AppliedFunctionScalingConfig, RequestedFunctionScalingConfig], [{}, limits(9, 9)])
  const next = createControlPlane({ store })
  await next.scaling.start()
  await next.settle()
  const after = await next.call('GetFunctionScalingConfig', { FunctionName, Qualifier })
  assert.deepEqual(after['AppliedFunctionScalingConfig'], limits(9, 9))
})

test('scaling: zero deactivates a version, more activates it again', async () => {
  const { put, state, capacity, fail, preparer } = await withVersion()
  assert.deepEqual(await put(0, 0), { FunctionState: 'Deactivating' })
  assert.equal(await state(), 'Deactivated')
  assert.deepEqual(await put(0, 0), { FunctionState: 'Deactivated' })
  const prepared = preparer.prepared.length
  assert.deepEqual(await put(1, 1), { FunctionState: 'Pending' })
  assert.equal(preparer.prepared.length, prepared + 1)
  assert.equal(await state(), 'Active')
  assert.deepEqual(capacity.applied.at(-1)?.limits, { minEnvironments: 1, maxEnvironments: 1 })
  capacity.failWith(new LambdaError('FunctionError.RuntimeInitError', 'It broke'))
  await put(0, 0)
  assert.equal(await state(), 'Deactivating', 'until its environments are gone')
  const refused = await fail('PutFunctionScalingConfig', {
    FunctionName,
    Qualifier,
    FunctionScalingConfig: {},
  })
  assert.deepEqual([refused.code, refused.status], ['ResourceConflictException', 409])
})

test('scaling: refused for what does not exist, for ordinary functions and for a minimum above the maximum', async () => {
  const { fail, create, call } = await withVersion()
  const missing = await fail('GetFunctionScalingConfig', { FunctionName, Qualifier: '7' })
  assert.equal(missing.message, `Function not found: ${arnOf('fn', '7')}`)
  await create('plain', { Publish: true })
  for (const operation of ['GetFunctionScalingConfig', 'PutFunctionScalingConfig']) {
    const refused = await fail(operation, { FunctionName: 'plain', Qualifier: '1' })
    assert.equal(refused.code, 'InvalidParameterValueException')
  }
  const wrong = await fail('PutFunctionScalingConfig', {
    FunctionName,
    Qualifier,
    FunctionScalingConfig: limits(3, 2),
  })
  assert.equal(wrong.code, 'InvalidParameterValueException')
  assert.deepEqual(
    (await call('GetFunctionScalingConfig', { FunctionName, Qualifier }))['AppliedFunctionScalingConfig'],
    {},
  )
})
