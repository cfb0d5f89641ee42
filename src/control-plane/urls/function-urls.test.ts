import assert from 'node:assert/strict'
import { test } from 'node:test'

import { urlKey } from '#contracts/keys.ts'

import { ACCOUNT, arnOf, createControlPlane, REGION } from '../../../test/support/control-plane.ts'

const FunctionName = 'fn'
const NO_FUNCTION = { code: 'ResourceNotFoundException', message: 'Function does not exist', status: 404 }
const NO_URL = {
  code: 'ResourceNotFoundException',
  message: 'The resource you requested does not exist.',
  status: 404,
}
const URL_FORM = /^http:\/\/([a-z0-9]{32})\.lambda-url\.us-east-1\.localhost:4566\/$/

async function withAlias() {
  const plane = createControlPlane()
  await plane.create('fn')
  await plane.call('PublishVersion', { FunctionName })
  await plane.call('CreateAlias', { FunctionName, Name: 'live', FunctionVersion: '1' })
  return plane
}

test('function URLs: created, read, changed, listed and deleted', async () => {
  const { call, fail, clock, documents, store } = await withAlias()
  const start = new Date(clock.now()).toISOString()
  const created = await call('CreateFunctionUrlConfig', { FunctionName, AuthType: 'NONE' })
  const { FunctionUrl } = created
  const urlId = URL_FORM.exec(String(FunctionUrl))?.[1] ?? ''
  assert.notEqual(urlId, '')
  assert.deepEqual(created, {
    FunctionUrl,
    FunctionArn: arnOf('fn'),
    AuthType: 'NONE',
    CreationTime: start,
  })
  const read = { ...created, InvokeMode: 'BUFFERED', LastModifiedTime: start }
  assert.deepEqual(await call('GetFunctionUrlConfig', { FunctionName }), read)
  // What a door for HTTP requests reads.
  assert.deepEqual((await store.meta.get(urlKey(urlId)))?.doc, {
    account: ACCOUNT,
    region: REGION,
    name: 'fn',
    urlId,
    qualifier: '$LATEST',
    authType: 'NONE',
    invokeMode: 'BUFFERED',
    createdAt: clock.now(),
    modifiedAt: clock.now(),
  })

  clock.advance(1000)
  const Cors = {
    AllowCredentials: true,
    AllowHeaders: ['date'],
    AllowMethods: ['GET', '*'],
    AllowOrigins: ['https://example.com'],
    ExposeHeaders: ['keep-alive'],
    MaxAge: 60,
  }
  const LastModifiedTime = new Date(clock.now()).toISOString()
  const { InvokeMode: _mode, ...readWithoutMode } = read
  assert.deepEqual(await call('UpdateFunctionUrlConfig', { FunctionName, AuthType: 'AWS_IAM', Cors }), {
    ...readWithoutMode,
    AuthType: 'AWS_IAM',
    Cors,
    LastModifiedTime,
  })
  const changed = { ...read, AuthType: 'AWS_IAM', Cors, LastModifiedTime }
  assert.deepEqual(await call('GetFunctionUrlConfig', { FunctionName }), changed)

  const alias = await call('CreateFunctionUrlConfig', {
    FunctionName: arnOf('fn', 'live'),
    AuthType: 'AWS_IAM',
    InvokeMode: 'RESPONSE_STREAM',
  })
  assert.deepEqual([alias['FunctionArn'], alias['InvokeMode']], [arnOf('fn', 'live'), 'RESPONSE_STREAM'])
  const { FunctionUrlConfigs } = await call('ListFunctionUrlConfigs', { FunctionName })
  assert.deepEqual(FunctionUrlConfigs, [changed, { ...alias, LastModifiedTime: alias['CreationTime'] }])

  const withMode = await call('UpdateFunctionUrlConfig', {
    FunctionName,
    InvokeMode: 'RESPONSE_STREAM',
    Cors: {},
  })
  assert.deepEqual(withMode, {
    ...readWithoutMode,
    AuthType: 'AWS_IAM',
    InvokeMode: 'RESPONSE_STREAM',
    LastModifiedTime,
  })
  assert.deepEqual(await call('DeleteFunctionUrlConfig', { FunctionName }), {})
  assert.deepEqual(await fail('GetFunctionUrlConfig', { FunctionName }), NO_URL)
  assert.deepEqual(await fail('DeleteFunctionUrlConfig', { FunctionName }), NO_URL)
  assert.ok(!(await documents()).includes(urlKey(urlId)))
})

test('function URLs: one for each function and alias', async () => {
  const { call, fail } = await withAlias()
  for (const Qualifier of [undefined, 'live']) {
    await call('CreateFunctionUrlConfig', { FunctionName, Qualifier, AuthType: 'NONE' })
    assert.deepEqual(await fail('CreateFunctionUrlConfig', { FunctionName, Qualifier, AuthType: 'NONE' }), {
      code: 'ResourceConflictException',
      message: `Failed to create function url config for [functionArn = ${arnOf('fn', Qualifier)}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
      status: 409,
    })
  }
})

test('function URLs: what is missing is named as AWS names it', async () => {
  const { fail } = await withAlias()
  const AuthType = 'NONE'
  for (const input of [{ FunctionName: 'other' }, { FunctionName, Qualifier: 'none' }]) {
    assert.deepEqual(await fail('CreateFunctionUrlConfig', { ...input, AuthType }), NO_FUNCTION)
    assert.deepEqual(await fail('UpdateFunctionUrlConfig', { ...input, AuthType }), NO_FUNCTION)
    assert.deepEqual(await fail('GetFunctionUrlConfig', input), NO_URL)
    assert.deepEqual(await fail('DeleteFunctionUrlConfig', input), NO_URL)
  }
  assert.deepEqual(await fail('UpdateFunctionUrlConfig', { FunctionName, AuthType }), NO_URL)
  assert.deepEqual(await fail('ListFunctionUrlConfigs', { FunctionName: 'other' }), NO_FUNCTION)
  const mismatch = { FunctionName: 'fn:live', Qualifier: 'other', AuthType }
  assert.equal((await fail('CreateFunctionUrlConfig', mismatch)).code, 'InvalidParameterValueException')
})

test('function URLs: unknown methods are refused', async () => {
  const { fail, documents } = await withAlias()
  const before = await documents()
  const Cors = { AllowMethods: ['GET', 'FETCH'] }
  const { code, status } = await fail('CreateFunctionUrlConfig', { FunctionName, AuthType: 'NONE', Cors })
  assert.deepEqual([code, status], ['InvalidParameterValueException', 400])
  assert.deepEqual(await documents(), before)
})

test('function URLs: paged, the URL of the function first', async () => {
  const { call } = await withAlias()
  await call('CreateAlias', { FunctionName, Name: 'alpha', FunctionVersion: '1' })
  for (const Qualifier of ['live', 'alpha', undefined]) {
    await call('CreateFunctionUrlConfig', { FunctionName, Qualifier, AuthType: 'NONE' })
  }
  const seen: string[] = []
  let Marker: string | undefined
  do {
    const page = await call('ListFunctionUrlConfigs', { FunctionName, MaxItems: 1, Marker })
    assert.equal(page['FunctionUrlConfigs'].length, 1)
    seen.push(page['FunctionUrlConfigs'][0].FunctionArn)
    Marker = page['NextMarker']
  } while (Marker)
  assert.deepEqual(seen, [arnOf('fn'), arnOf('fn', 'alpha'), arnOf('fn', 'live')])
})

test('function URLs: one survives its alias and goes with its function', async () => {
  const { call, documents } = await withAlias()
  const { FunctionUrl } = await call('CreateFunctionUrlConfig', {
    FunctionName,
    Qualifier: 'live',
    AuthType: 'NONE',
  })
  await call('CreateFunctionUrlConfig', { FunctionName, AuthType: 'NONE' })
  await call('DeleteAlias', { FunctionName, Name: 'live' })
  const still = await call('GetFunctionUrlConfig', { FunctionName, Qualifier: 'live' })
  assert.equal(still['FunctionUrl'], FunctionUrl)
  await call('DeleteFunction', { FunctionName })
  assert.deepEqual(
    (await documents()).filter((key) => /^(?:function-)?url\//.test(key)),
    [],
  )
})
