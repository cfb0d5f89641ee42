import assert from 'node:assert/strict'
import { test } from 'node:test'

import { arnOf, createControlPlane } from '../../../test/support/control-plane.ts'

const FunctionName = 'fn'

async function withVersion() {
  const plane = createControlPlane()
  await plane.create('fn')
  await plane.call('PublishVersion', { FunctionName })
  await plane.call('CreateAlias', { FunctionName, Name: 'live', FunctionVersion: '1' })
  const configuration = await plane.call('GetFunctionConfiguration', { FunctionName })
  return { ...plane, RuntimeVersionArn: configuration['RuntimeVersionConfig'].RuntimeVersionArn as string }
}

test('runtime management: each version has its own, Auto until it is set', async () => {
  const { call, RuntimeVersionArn } = await withVersion()
  const get = (Qualifier?: string) => call('GetRuntimeManagementConfig', { FunctionName, Qualifier })
  const auto = { UpdateRuntimeOn: 'Auto', FunctionArn: arnOf('fn', '$LATEST') }
  assert.deepEqual(await get(), auto)
  const update = { UpdateRuntimeOn: 'FunctionUpdate', FunctionArn: arnOf('fn', '$LATEST') }
  assert.deepEqual(
    await call('PutRuntimeManagementConfig', { FunctionName, UpdateRuntimeOn: 'FunctionUpdate' }),
    update,
  )
  assert.deepEqual(await get('$LATEST'), update)
  assert.deepEqual(await get('1'), { UpdateRuntimeOn: 'Auto', FunctionArn: arnOf('fn', '1') })
  const manual = { UpdateRuntimeOn: 'Manual', FunctionArn: arnOf('fn', '1'), RuntimeVersionArn }
  const request = { FunctionName, Qualifier: '1', UpdateRuntimeOn: 'Manual', RuntimeVersionArn }
  assert.deepEqual(await call('PutRuntimeManagementConfig', request), manual)
  assert.deepEqual(await get('1'), manual)
  assert.deepEqual(await get(), update)
  assert.deepEqual(await call('PutRuntimeManagementConfig', { FunctionName, UpdateRuntimeOn: 'Auto' }), auto)
})

test('runtime management: refuses aliases, unknown runtime versions, and what does not exist', async () => {
  const { fail, documents } = await withVersion()
  const before = await documents()
  const put = (more: object) =>
    fail('PutRuntimeManagementConfig', { FunctionName, UpdateRuntimeOn: 'Auto', ...more })
  const alias = {
    code: 'InvalidParameterValueException',
    message: `The provided function name ${arnOf('fn', 'live')} is invalid. Aliases are not allowed.`,
    status: 400,
  }
  assert.deepEqual(await put({ Qualifier: 'live' }), alias)
  assert.deepEqual(await fail('GetRuntimeManagementConfig', { FunctionName, Qualifier: 'live' }), alias)
  assert.equal((await put({ UpdateRuntimeOn: 'Manual' })).code, 'InvalidParameterValueException')
  const RuntimeVersionArn = `arn:aws:lambda:us-east-1::runtime:${'0'.repeat(64)}`
  assert.equal((await put({ UpdateRuntimeOn: 'Manual', RuntimeVersionArn })).status, 400)
  assert.equal((await put({ Qualifier: '9' })).message, `Function not found: ${arnOf('fn', '9')}`)
  assert.equal((await put({ FunctionName: 'other' })).status, 404)
  assert.deepEqual(await documents(), before)
})

test('runtime management: a pinned function keeps its runtime', async () => {
  const { call, fail, RuntimeVersionArn } = await withVersion()
  const pin = { FunctionName, UpdateRuntimeOn: 'Manual', RuntimeVersionArn }
  await call('PutRuntimeManagementConfig', pin)
  assert.deepEqual(await fail('UpdateFunctionConfiguration', { FunctionName, Runtime: 'nodejs24.x' }), {
    code: 'InvalidParameterValueException',
    message:
      "Cannot change runtime identifier when runtime management configuration is set to 'Manual'. Change the runtime management configuration to 'Auto' or 'FunctionUpdate', then retry.",
    status: 400,
  })
  const same = { FunctionName, Runtime: 'nodejs22.x', Timeout: 9 }
  assert.equal((await call('UpdateFunctionConfiguration', same))['Timeout'], 9)
})

test('runtime management goes with its version and with its function', async () => {
  const { call, documents } = await withVersion()
  const managed = async () =>
    (await documents()).filter((key) => key.startsWith('runtime-management/')).length
  for (const Qualifier of ['$LATEST', '1']) {
    await call('PutRuntimeManagementConfig', { FunctionName, Qualifier, UpdateRuntimeOn: 'FunctionUpdate' })
  }
  assert.equal(await managed(), 2)
  await call('DeleteAlias', { FunctionName, Name: 'live' })
  await call('DeleteFunction', { FunctionName, Qualifier: '1' })
  assert.equal(await managed(), 1)
  await call('DeleteFunction', { FunctionName })
  assert.equal(await managed(), 0)
})

test('recursion: Terminate until it is allowed', async () => {
  const { call, fail } = await withVersion()
  const get = () => call('GetFunctionRecursionConfig', { FunctionName })
  assert.deepEqual(await get(), { RecursiveLoop: 'Terminate' })
  for (const RecursiveLoop of ['Allow', 'Allow', 'Terminate']) {
    const answer = await call('PutFunctionRecursionConfig', { FunctionName, RecursiveLoop })
    assert.deepEqual(answer, { RecursiveLoop })
    assert.deepEqual(await get(), { RecursiveLoop })
  }
  const other = await fail('PutFunctionRecursionConfig', { FunctionName: 'other', RecursiveLoop: 'Allow' })
  assert.equal(other.message, `Function not found: ${arnOf('other')}`)
})
