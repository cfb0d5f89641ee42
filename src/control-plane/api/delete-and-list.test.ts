import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  ACCOUNT,
  arnOf,
  createControlPlane,
  LISTED,
  normalise,
  REGION,
  zip,
} from '../../../test/support/control-plane.ts'

test('DeleteFunction answers 204 and removes everything of the function', async () => {
  const { call, create, documents, store } = createControlPlane()
  await create('fn', { Publish: true })
  await call('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' })
  await call('PutFunctionEventInvokeConfig', {
    FunctionName: 'fn',
    Qualifier: 'live',
    MaximumRetryAttempts: 0,
  })
  await call('PutFunctionConcurrency', { FunctionName: 'fn', ReservedConcurrentExecutions: 5 })
  await create('fn2')
  assert.deepEqual(await call('DeleteFunction', { FunctionName: 'fn' }), { $status: 204 })
  assert.deepEqual(await documents(), [`account/${ACCOUNT}/${REGION}`, `function/${ACCOUNT}/${REGION}/fn2`])
  assert.deepEqual((await store.meta.get(`account/${ACCOUNT}/${REGION}`))?.doc, {
    functionCount: 1,
    codeSizeBytes: zip().byteLength,
    reservedConcurrency: 0,
  })
})

test('DeleteFunction with a qualifier deletes a version that no alias needs', async () => {
  const { call, fail, create } = createControlPlane()
  await create('fn', { Publish: true })
  await call('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' })
  const failure = async (Qualifier: string) => {
    const { code, message } = await fail('DeleteFunction', { FunctionName: 'fn', Qualifier })
    return [code, message]
  }
  assert.deepEqual(await failure('1'), [
    'ResourceConflictException',
    'Unable to delete version because the following aliases reference it: [live]',
  ])
  assert.deepEqual(await failure('$LATEST'), [
    'InvalidParameterValueException',
    '$LATEST version cannot be deleted without deleting the function.',
  ])
  assert.deepEqual(await failure('live'), [
    'InvalidParameterValueException',
    'Deletion of aliases is not currently supported.',
  ])
  await call('DeleteAlias', { FunctionName: 'fn', Name: 'live' })
  assert.deepEqual(await call('DeleteFunction', { FunctionName: 'fn', Qualifier: '1' }), { $status: 204 })
  assert.deepEqual(await call('DeleteFunction', { FunctionName: 'fn', Qualifier: '1' }), { $status: 204 })
  const { Versions } = await call('ListVersionsByFunction', { FunctionName: 'fn' })
  assert.deepEqual(
    Versions.map(({ Version }: { Version: string }) => Version),
    ['$LATEST'],
  )
  const failed = await fail('DeleteFunction', { FunctionName: 'no', Qualifier: '1' })
  assert.equal(failed.message, `Function not found: ${arnOf('no')}`)
})

test('ListFunctions leaves out the members that AWS leaves out, and pages', async () => {
  const { call, create } = createControlPlane()
  await create('fn', { Publish: true })
  for (const name of ['c', 'a', 'b']) await create(name)
  const all = await call('ListFunctions', {})
  assert.deepEqual(
    all['Functions'].map(({ FunctionName }: { FunctionName: string }) => FunctionName),
    ['a', 'b', 'c', 'fn'],
  )
  assert.deepEqual(normalise(all['Functions'][3]), LISTED)
  assert.equal(all['NextMarker'], undefined)

  const names: string[] = []
  let marker: string | undefined
  do {
    const page = await call('ListFunctions', { MaxItems: 1, ...(marker && { Marker: marker }) })
    names.push(...page['Functions'].map(({ FunctionName }: { FunctionName: string }) => FunctionName))
    marker = page['NextMarker']
  } while (marker)
  assert.deepEqual(names, ['a', 'b', 'c', 'fn'])
})

test('ListFunctions with FunctionVersion=ALL lists qualified versions across pages', async () => {
  const { call, fail, create, settle } = createControlPlane()
  for (const name of ['a', 'b']) {
    await create(name, { Publish: true })
    await call('UpdateFunctionConfiguration', { FunctionName: name, Timeout: 4 })
    await settle()
    await call('PublishVersion', { FunctionName: name })
  }
  const expected = ['a', 'b'].flatMap((name) => ['$LATEST', '1', '2'].map((version) => arnOf(name, version)))
  for (const MaxItems of [1, 2, 4, 50, 10_000]) {
    const arns: string[] = []
    let Marker: string | undefined
    do {
      const page = await call('ListFunctions', {
        FunctionVersion: 'ALL',
        MaxItems,
        ...(Marker && { Marker }),
      })
      arns.push(...page['Functions'].map(({ FunctionArn }: { FunctionArn: string }) => FunctionArn))
      Marker = page['NextMarker']
    } while (Marker)
    assert.deepEqual(arns, expected)
  }
  assert.deepEqual(await call('ListFunctions', { FunctionVersion: 'ALL', MasterRegion: 'ALL' }), {
    Functions: [],
  })
  assert.equal((await fail('ListFunctions', { Marker: 'garbage' })).code, 'InvalidParameterValueException')
})

test('functions of other accounts and regions are invisible', async () => {
  const { call, create } = createControlPlane()
  await create('fn')
  assert.deepEqual(await call('ListFunctions', {}, { account: '111111111111', region: REGION }), {
    Functions: [],
  })
  assert.deepEqual(await call('ListFunctions', {}, { account: ACCOUNT, region: 'eu-west-1' }), {
    Functions: [],
  })
})
