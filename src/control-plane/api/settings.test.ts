import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Meta } from '#store/port.ts'

import { ACCOUNT, arnOf, createControlPlane, REGION, zip } from '../../../test/support/control-plane.ts'

test('reserved concurrency is put, read and given back', async () => {
  const { call, create } = createControlPlane()
  await create('fn')
  const put = (ReservedConcurrentExecutions: number) =>
    call('PutFunctionConcurrency', { FunctionName: 'fn', ReservedConcurrentExecutions })
  assert.deepEqual(await call('GetFunctionConcurrency', { FunctionName: 'fn' }), {})
  assert.deepEqual(await put(0), { ReservedConcurrentExecutions: 0 })
  assert.deepEqual(await put(7), { ReservedConcurrentExecutions: 7 })
  assert.deepEqual(await call('GetFunctionConcurrency', { FunctionName: 'fn' }), {
    ReservedConcurrentExecutions: 7,
  })
  assert.deepEqual(await call('DeleteFunctionConcurrency', { FunctionName: 'fn' }), {})
  assert.deepEqual(await call('GetFunctionConcurrency', { FunctionName: 'fn' }), {})
})

test('a hundred places stay unreserved, however the reservations come about', async () => {
  const { call, fail, create } = createControlPlane()
  await create('a')
  await create('b')
  const put = (FunctionName: string, ReservedConcurrentExecutions: number) =>
    call('PutFunctionConcurrency', { FunctionName, ReservedConcurrentExecutions })
  await put('a', 500)
  await put('b', 400)
  const floor = {
    code: 'InvalidParameterValueException',
    message:
      "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
    status: 400,
  }
  assert.deepEqual(
    await fail('PutFunctionConcurrency', { FunctionName: 'b', ReservedConcurrentExecutions: 401 }),
    floor,
  )
  await put('a', 400)
  await put('b', 500)
  assert.equal((await call('GetAccountSettings', {}))['AccountLimit'].UnreservedConcurrentExecutions, 100)
})

test('concurrency of aliases, versions and missing functions is refused', async () => {
  const { fail, create } = createControlPlane()
  await create('fn')
  const qualified = await fail('PutFunctionConcurrency', {
    FunctionName: arnOf('fn', '1'),
    ReservedConcurrentExecutions: 1,
  })
  assert.equal(
    qualified.message,
    'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
  )
  const missing = await fail('PutFunctionConcurrency', {
    FunctionName: 'no',
    ReservedConcurrentExecutions: 1,
  })
  assert.equal(missing.message, `Function not found: ${arnOf('no', '$LATEST')}`)
  assert.equal(
    (await fail('GetFunctionConcurrency', { FunctionName: 'no' })).message,
    `Function not found: ${arnOf('no')}`,
  )
})

test('GetAccountSettings counts functions and the code of every version', async () => {
  const { call, create, settle } = createControlPlane()
  assert.deepEqual(await call('GetAccountSettings', {}), {
    AccountLimit: {
      CodeSizeUnzipped: 262_144_000,
      CodeSizeZipped: 52_428_800,
      ConcurrentExecutions: 1000,
      TotalCodeSize: 322_122_547_200,
      UnreservedConcurrentExecutions: 1000,
    },
    AccountUsage: { FunctionCount: 0, TotalCodeSize: 0 },
  })
  const usage = async () => (await call('GetAccountSettings', {}))['AccountUsage']
  const size = zip().byteLength
  await create('fn')
  assert.deepEqual(await usage(), { FunctionCount: 1, TotalCodeSize: size })
  await create('fn2', { Publish: true })
  assert.deepEqual(await usage(), { FunctionCount: 2, TotalCodeSize: 3 * size })
  const longer = zip('longer content')
  await call('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: longer, Publish: true })
  await settle()
  assert.deepEqual(await usage(), { FunctionCount: 2, TotalCodeSize: 2 * size + 2 * longer.byteLength })
  await call('DeleteFunction', { FunctionName: 'fn', Qualifier: '1' })
  assert.deepEqual(await usage(), { FunctionCount: 2, TotalCodeSize: 2 * size + longer.byteLength })
  await call('DeleteFunction', { FunctionName: 'fn2' })
  assert.deepEqual(await usage(), { FunctionCount: 1, TotalCodeSize: longer.byteLength })
})

test('code beyond the storage of the account is refused', async () => {
  const { fail, store, documents } = createControlPlane()
  const counters = { functionCount: 9, codeSizeBytes: 322_122_547_199, reservedConcurrency: 0 }
  await store.meta.txn([{ key: `account/${ACCOUNT}/${REGION}`, doc: counters }])
  const failure = await fail('CreateFunction', {
    FunctionName: 'fn',
    Runtime: 'nodejs22.x',
    Handler: 'a.b',
    Code: { ZipFile: zip() },
  })
  assert.deepEqual(failure, {
    code: 'CodeStorageExceededException',
    message: 'Code storage limit exceeded.',
    status: 400,
  })
  assert.equal((await documents()).length, 1)
})

test('tags are added, replaced, removed and listed; the revision changes with them', async () => {
  const { call, create } = createControlPlane()
  await create('fn', { Tags: { a: '1' } })
  const Resource = arnOf('fn')
  const revision = async () => (await call('GetFunctionConfiguration', { FunctionName: 'fn' }))['RevisionId']
  const before = await revision()
  assert.deepEqual(await call('TagResource', { Resource, Tags: { a: '2', b: '3' } }), {})
  assert.deepEqual(await call('ListTags', { Resource }), { Tags: { a: '2', b: '3' } })
  assert.notEqual(await revision(), before)
  assert.deepEqual(await call('UntagResource', { Resource, TagKeys: ['a', 'nothing'] }), {})
  assert.deepEqual(await call('ListTags', { Resource }), { Tags: { b: '3' } })
  await call('UntagResource', { Resource, TagKeys: ['b'] })
  assert.deepEqual(await call('ListTags', { Resource }), { Tags: {} })
})

test('tags that can not be are refused with the texts of AWS', async () => {
  const { call, fail, create } = createControlPlane()
  await create('fn')
  const message = async (Resource: string, Tags: object) =>
    (await fail('TagResource', { Resource, Tags })).message
  const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key${i}`, 'v']))
  assert.equal(await message(arnOf('fn'), {}), 'An error occurred and the request cannot be processed.')
  assert.equal(
    await message(arnOf('fn', '$LATEST'), { a: 'b' }),
    'Tags on function aliases and versions are not supported. Please specify a function ARN.',
  )
  assert.equal(await message(arnOf('no'), { a: 'b' }), `Function not found: ${arnOf('no')}`)
  await call('TagResource', { Resource: arnOf('fn'), Tags: fifty })
  assert.equal(await message(arnOf('fn'), { more: 'v' }), 'Number of tags exceeds resource tag limit.')
  await call('TagResource', { Resource: arnOf('fn'), Tags: { key0: 'replaced' } })
  assert.equal((await fail('ListTags', { Resource: arnOf('no') })).status, 404)
  assert.equal((await fail('UntagResource', { Resource: arnOf('no'), TagKeys: ['a'] })).status, 404)
})

test('settings for asynchronous invocations are put, updated, listed and deleted', async () => {
  const { call, create, clock } = createControlPlane()
  await create('fn', { Publish: true })
  await create('other')
  await clock.advance(1500)
  const put = await call('PutFunctionEventInvokeConfig', { FunctionName: 'fn', MaximumEventAgeInSeconds: 60 })
  assert.deepEqual(put, {
    DestinationConfig: { OnFailure: {}, OnSuccess: {} },
    FunctionArn: arnOf('fn', '$LATEST'),
    LastModified: '2026-01-01T00:00:01.500Z',
    MaximumEventAgeInSeconds: 60,
  })
  const update = await call('UpdateFunctionEventInvokeConfig', {
    FunctionName: 'fn',
    MaximumRetryAttempts: 0,
  })
  assert.deepEqual(update, { ...put, MaximumRetryAttempts: 0 })
  assert.deepEqual(await call('GetFunctionEventInvokeConfig', { FunctionName: 'fn:$LATEST' }), update)

  const destination = await call('PutFunctionEventInvokeConfig', {
    FunctionName: 'fn',
    Qualifier: '1',
    DestinationConfig: { OnSuccess: { Destination: arnOf('other') } },
  })
  assert.deepEqual(destination['DestinationConfig'], {
    OnFailure: {},
    OnSuccess: { Destination: arnOf('other') },
  })
  const list = await call('ListFunctionEventInvokeConfigs', { FunctionName: 'fn' })
  assert.deepEqual(
    list['FunctionEventInvokeConfigs'].map(({ FunctionArn }: { FunctionArn: string }) => FunctionArn),
    [arnOf('fn', '$LATEST'), arnOf('fn', '1')],
  )
  const over = await call('PutFunctionEventInvokeConfig', { FunctionName: 'fn', MaximumRetryAttempts: 1 })
  assert.equal(over['MaximumEventAgeInSeconds'], undefined)
  assert.deepEqual(await call('DeleteFunctionEventInvokeConfig', { FunctionName: 'fn' }), {})
  await call('DeleteFunctionEventInvokeConfig', { FunctionName: 'fn', Qualifier: '1' })
  assert.deepEqual(await call('ListFunctionEventInvokeConfigs', { FunctionName: 'fn' }), {
    FunctionEventInvokeConfigs: [],
  })
})

test('settings for asynchronous invocations that can not be are refused with the texts of AWS', async () => {
  const { fail, create } = createControlPlane()
  await create('fn')
  const message = async (operation: string, input: object) =>
    (await fail(`${operation}FunctionEventInvokeConfig`, { FunctionName: 'fn', ...input })).message
  const destination = (Destination: string) => ({ DestinationConfig: { OnSuccess: { Destination } } })
  const none = (name: string, qualifier = '$LATEST') =>
    `The function ${arnOf(name, qualifier)} doesn't have an EventInvokeConfig`
  assert.equal(await message('Get', {}), none('fn'))
  assert.equal(await message('Get', { FunctionName: 'no' }), none('no'))
  assert.equal(await message('Get', { Qualifier: 'no' }), none('fn', 'no'))
  assert.equal(await message('Delete', {}), none('fn'))
  assert.equal(await message('Update', { MaximumRetryAttempts: 1 }), none('fn'))
  assert.equal(
    await message('Put', { FunctionName: 'no', MaximumRetryAttempts: 1 }),
    "The function doesn't exist.",
  )
  assert.equal(
    await message('Put', { Qualifier: 'no', MaximumRetryAttempts: 1 }),
    "The function doesn't exist.",
  )
  assert.equal(
    await message('Put', {}),
    'You must specify at least one of error handling or destination setting.',
  )
  assert.equal(
    await message('Put', destination(arnOf('no'))),
    `The destination ARN ${arnOf('no')} is invalid.`,
  )
  assert.equal(
    await message('Put', destination(arnOf('fn'))),
    "You can't specify the function as a destination for itself.",
  )
  assert.equal(
    await message('Put', destination('arn:aws:iam:us-east-1:000000000000:function:x')),
    'The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:iam:us-east-1:000000000000:function:x), onFailure=null) is invalid.',
  )
})

test('what tools read about every function is answered as AWS answers it', async () => {
  const { call, fail, create } = createControlPlane()
  await create('fn')
  const FunctionName = 'fn'
  assert.deepEqual(await call('GetFunctionCodeSigningConfig', { FunctionName }), {})
  assert.deepEqual(await call('GetRuntimeManagementConfig', { FunctionName }), {
    UpdateRuntimeOn: 'Auto',
    FunctionArn: arnOf('fn', '$LATEST'),
  })
  assert.deepEqual(await call('GetFunctionRecursionConfig', { FunctionName }), { RecursiveLoop: 'Terminate' })
  assert.deepEqual(await call('ListFunctionUrlConfigs', { FunctionName }), { FunctionUrlConfigs: [] })
  assert.deepEqual(await call('ListEventSourceMappings', { FunctionName }), { EventSourceMappings: [] })
  assert.deepEqual(await call('ListProvisionedConcurrencyConfigs', { FunctionName }), {
    ProvisionedConcurrencyConfigs: [],
  })
  const gone = 'The resource you requested does not exist.'
  assert.equal((await fail('GetPolicy', { FunctionName })).message, gone)
  assert.equal((await fail('GetFunctionUrlConfig', { FunctionName })).message, gone)
  assert.equal(
    (await fail('GetProvisionedConcurrencyConfig', { FunctionName, Qualifier: '$LATEST' })).message,
    'The function resource provided must be an alias or a published version.',
  )
})

test('what tools read about a missing function is 404', async () => {
  const { fail } = createControlPlane()
  const FunctionName = 'no'
  for (const operation of [
    'GetFunctionCodeSigningConfig',
    'GetRuntimeManagementConfig',
    'GetFunctionRecursionConfig',
    'GetPolicy',
    'ListProvisionedConcurrencyConfigs',
  ]) {
    assert.deepEqual(await fail(operation, { FunctionName }), {
      code: 'ResourceNotFoundException',
      message: `Function not found: ${arnOf('no')}`,
      status: 404,
    })
  }
  assert.equal((await fail('ListFunctionUrlConfigs', { FunctionName })).message, 'Function does not exist')
})

test('the thousandth function costs what the tenth did', async () => {
  let operations = 0
  const counting = (meta: Meta): Meta => ({
    ...meta,
    get: (key) => (operations++, meta.get(key)),
    list: (...args) => (operations++, meta.list(...args)),
    txn: (writes) => (operations++, meta.txn(writes)),
  })
  const { invoke, settle, store } = createControlPlane({ meta: counting })
  const cost = async (name: string) => {
    const before = operations
    await invoke('CreateFunction', {
      FunctionName: name,
      Runtime: 'nodejs22.x',
      Handler: 'a.b',
      Code: { ZipFile: zip() },
    })
    await settle()
    await invoke('UpdateFunctionConfiguration', { FunctionName: name, Timeout: 4 })
    await settle()
    await invoke('PublishVersion', { FunctionName: name })
    await invoke('GetFunction', { FunctionName: name })
    await invoke('GetAccountSettings', {})
    await invoke('DeleteFunction', { FunctionName: name })
    return operations - before
  }
  const early = await cost('early')
  const row = { functionCount: 1, codeSizeBytes: 1, reservedConcurrency: 0 }
  await store.meta.txn(
    Array.from({ length: 1000 }, (_, i) => ({ key: `function/${ACCOUNT}/${REGION}/f${i}`, doc: row })),
  )
  assert.equal(await cost('late'), early)
})
