import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'

import { arnOf, createControlPlane, zip } from '../../../test/support/control-plane.ts'

const FunctionName = 'fn'
const PROVIDER = 'arn:aws:lambda:us-east-1:000000000000:capacity-provider:group'
const on = (more: object = {}) => ({
  CapacityProviderConfig: {
    LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: PROVIDER, ...more },
  },
})

const withProvider = async () => {
  const plane = createControlPlane()
  const provide = async (CapacityProviderName: string, more: object = {}) => {
    await plane.call('CreateCapacityProvider', {
      CapacityProviderName,
      VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
      PermissionsConfig: { CapacityProviderOperatorRoleArn: 'arn:aws:iam::000000000000:role/operator' },
      ...more,
    })
    await plane.settle()
  }
  await provide('group')
  const versions = async (CapacityProviderName = 'group') => {
    const { FunctionVersions } = await plane.call('ListFunctionVersionsByCapacityProvider', {
      CapacityProviderName,
    })
    return FunctionVersions.map(({ FunctionArn, State }: Record<string, string>) => [
      FunctionArn?.split(':function:')[1],
      State,
    ])
  }
  const get = (Qualifier?: string) => plane.call('GetFunctionConfiguration', { FunctionName, Qualifier })
  const publish = async (more: object = {}) => {
    const version = await plane.call('PublishVersion', { FunctionName, ...more })
    await plane.settle()
    return version
  }
  return { ...plane, provide, versions, get, publish }
}

test('managed functions: $LATEST gets defaults of its own and is never invocable', async () => {
  const { create, get, preparer, capacity } = await withProvider()
  const created = await create('fn', on())
  assert.deepEqual([created['State'], created['StateReasonCode']], ['Pending', 'Creating'])
  const config = await get()
  assert.deepEqual(config['CapacityProviderConfig'], {
    LambdaManagedInstancesCapacityProviderConfig: {
      CapacityProviderArn: PROVIDER,
      PerExecutionEnvironmentMaxConcurrency: 64,
      ExecutionEnvironmentMemoryGiBPerVCpu: 2,
    },
  })
  assert.deepEqual(
    [config['State'], config['LastUpdateStatus'], config['MemorySize'], config['SnapStart']],
    ['ActiveNonInvocable', 'Successful', 2048, undefined],
  )
  assert.deepEqual(config['LoggingConfig'], {
    LogFormat: 'JSON',
    ApplicationLogLevel: 'INFO',
    SystemLogLevel: 'INFO',
    LogGroup: '/aws/lambda/fn',
  })
  assert.equal(preparer.prepared.length, 1)
  assert.equal(capacity.applied.length, 0, 'no environment for $LATEST')
})

test('managed functions: the default concurrency follows the runtime and the vCPUs', async () => {
  const { create, call } = await withProvider()
  const concurrency = async (name: string, more: object) => {
    await create(name, { ...on(), ...more })
    const { CapacityProviderConfig } = await call('GetFunctionConfiguration', { FunctionName: name })
    return CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig
      .PerExecutionEnvironmentMaxConcurrency
  }
  assert.equal(await concurrency('python', { Runtime: 'python3.13' }), 16)
  assert.equal(await concurrency('node', { MemorySize: 8192 }), 256)
  assert.equal(await concurrency('asked', on({ PerExecutionEnvironmentMaxConcurrency: 3 })), 3)
})

test('managed functions: what a function on a provider may not be is refused and changes nothing', async () => {
  const { fail, documents, provide } = await withProvider()
  await provide('arm', { InstanceRequirements: { Architectures: ['arm64'] } })
  const before = await documents()
  const refusal = async (more: object) =>
    await fail('CreateFunction', {
      FunctionName,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Role: 'arn:aws:iam::000000000000:role/lambda',
      Code: { ZipFile: zip() },
      ...on(),
      ...more,
    })
  assert.deepEqual(await refusal({ Runtime: 'python3.12' }), {
    code: 'InvalidParameterValueException',
    message: 'Runtime Enum python3.12 does not support specified feature: Lambda Managed Instances',
    status: 400,
  })
  const unknown = await refusal(on({ CapacityProviderArn: `${PROVIDER}-2` }))
  assert.deepEqual(
    [unknown.code, unknown.message],
    ['ResourceNotFoundException', `Capacity provider not found: ${PROVIDER}-2`],
  )
  assert.match(
    (await refusal({ LoggingConfig: { LogFormat: 'Text' } })).message,
    /^LogLevel is not supported/,
  )
  const arm = PROVIDER.replace('group', 'arm')
  for (const more of [
    { MemorySize: 1024 },
    { MemorySize: 40_000 },
    { Timeout: 6000 },
    on({ ExecutionEnvironmentMemoryGiBPerVCpu: 3 }),
    { ...on({ ExecutionEnvironmentMemoryGiBPerVCpu: 8 }), MemorySize: 4096 },
    { VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] } },
    on({ CapacityProviderArn: arm }),
  ]) {
    assert.equal((await refusal(more)).code, 'InvalidParameterValueException', JSON.stringify(more))
  }
  assert.deepEqual(await documents(), before)
})

test('managed functions: an ordinary function can not become one, nor be published to $LATEST.PUBLISHED', async () => {
  const { create, fail } = await withProvider()
  await create('fn')
  assert.deepEqual(await fail('UpdateFunctionConfiguration', { FunctionName, ...on() }), {
    code: 'InvalidParameterValueException',
    message: "CapacityProviderConfig isn't supported for Lambda Default functions.",
    status: 400,
  })
  const refused = await fail('PublishVersion', { FunctionName, PublishTo: 'LATEST_PUBLISHED' })
  assert.equal(refused.code, 'InvalidParameterValueException')
})

test('managed functions: a version is Active when its environments are there, Failed when they can not be', async () => {
  const { create, publish, get, capacity, versions } = await withProvider()
  await create('fn', on())
  const version = await publish()
  assert.deepEqual([version['Version'], version['State']], ['1', 'Pending'])
  assert.equal((await get('1'))['State'], 'Active')
  assert.deepEqual(
    capacity.applied.map(({ version: { version: number }, limits }) => [number, limits.minEnvironments]),
    [['1', 3]],
  )
  capacity.failWith(new LambdaError('FunctionError.RuntimeInitError', 'It broke'))
  await publish({ Description: 'unchanged content is not published again' })
  assert.deepEqual(await versions(), [
    ['fn:$LATEST', 'ActiveNonInvocable'],
    ['fn:1', 'Active'],
  ])
  const second = await create('broken', { ...on(), Publish: true })
  assert.deepEqual([second['Version'], second['State']], ['1', 'Pending'])
  assert.deepEqual((await versions()).slice(0, 2), [
    ['broken:$LATEST', 'ActiveNonInvocable'],
    ['broken:1', 'Failed'],
  ])
})

test('managed functions: $LATEST.PUBLISHED is replaced in place, and serves until that is done', async () => {
  const { create, publish, get, call, settle, preparer, capacity } = await withProvider()
  await create('fn', on())
  const PublishTo = 'LATEST_PUBLISHED'
  const first = await publish({ PublishTo })
  assert.deepEqual([first['Version'], first['State']], ['$LATEST.PUBLISHED', 'Pending'])
  assert.equal(first['FunctionArn'], arnOf('fn', '$LATEST.PUBLISHED'))
  const before = await get('$LATEST.PUBLISHED')
  assert.equal(before['State'], 'Active')
  assert.deepEqual(await publish({ PublishTo }), before, 'the same content is not published again')

  await call('UpdateFunctionCode', { FunctionName, ZipFile: zip('two') })
  await settle()
  preparer.hold()
  const second = await publish({ PublishTo })
  assert.deepEqual(
    [second['State'], second['LastUpdateStatus'], second['LastUpdateStatusReason']],
    ['Active', 'InProgress', 'The function is being updated.'],
  )
  preparer.release()
  await settle()
  const after = await get('$LATEST.PUBLISHED')
  assert.deepEqual([after['State'], after['LastUpdateStatus']], ['Active', 'Successful'])
  assert.notEqual(after['CodeSha256'], before['CodeSha256'])
  assert.equal(capacity.applied.length, 2)
  const { Versions } = await call('ListVersionsByFunction', { FunctionName })
  assert.deepEqual(
    Versions.map(({ Version }: { Version: string }) => Version),
    ['$LATEST', '$LATEST.PUBLISHED'],
  )
})

test('managed functions: a published replacement that fails leaves the one before it in service', async () => {
  const { create, publish, call, settle, capacity, store } = await withProvider()
  await create('fn', on())
  const { CodeSha256 } = await publish({ PublishTo: 'LATEST_PUBLISHED' })
  capacity.failWith(new LambdaError('FunctionError.RuntimeInitError', 'It broke'))
  await call('UpdateFunctionCode', {
    FunctionName,
    ZipFile: zip('two'),
    Publish: true,
    PublishTo: 'LATEST_PUBLISHED',
  })
  await settle()
  const { LastUpdateStatus, LastUpdateStatusReasonCode, State } = await call('GetFunctionConfiguration', {
    FunctionName,
    Qualifier: '$LATEST.PUBLISHED',
  })
  assert.deepEqual(
    [State, LastUpdateStatus, LastUpdateStatusReasonCode],
    ['Active', 'Failed', 'FunctionError.RuntimeInitError'],
  )
  const rows = await store.meta.list('version/', '', 10)
  const [doc] = rows.map((row) => row.doc as unknown as { serving?: { code: { codeSha256: string } } })
  assert.equal(doc?.serving?.code.codeSha256, CodeSha256)
})

test('managed functions: move to another provider with $LATEST only', async () => {
  const { create, publish, call, provide, settle, versions } = await withProvider()
  await provide('other')
  await create('fn', on())
  await publish()
  const other = PROVIDER.replace('group', 'other')
  await call('UpdateFunctionConfiguration', { FunctionName, ...on({ CapacityProviderArn: other }) })
  await settle()
  assert.deepEqual(await versions('other'), [['fn:$LATEST', 'ActiveNonInvocable']])
  assert.deepEqual(await versions(), [['fn:1', 'Active']])
})

test('managed functions: a provider has at most a hundred versions', async () => {
  const { create, call, fail, settle } = await withProvider()
  await create('fn', on())
  for (let version = 1; version < 100; version++) {
    await call('UpdateFunctionCode', { FunctionName, ZipFile: zip(`v${version}`) })
    await settle()
    await call('PublishVersion', { FunctionName })
    await settle()
  }
  await call('UpdateFunctionCode', { FunctionName, ZipFile: zip('last') })
  await settle()
  const full = await fail('PublishVersion', { FunctionName })
  assert.deepEqual(
    [full.code, full.status],
    ['FunctionVersionsPerCapacityProviderLimitExceededException', 400],
  )
})

test('managed functions: deleting one leaves nothing behind', async () => {
  const { create, publish, invoke, documents, call } = await withProvider()
  await create('fn', on())
  const before = (await documents()).filter((key) => !key.includes('/fn'))
  await publish()
  await publish({ PublishTo: 'LATEST_PUBLISHED' })
  await call('PutFunctionScalingConfig', {
    FunctionName,
    Qualifier: '1',
    FunctionScalingConfig: { MinExecutionEnvironments: 1 },
  })
  assert.deepEqual(await invoke('DeleteFunction', { FunctionName, Qualifier: '1' }), { $status: 202 })
  assert.deepEqual(await invoke('DeleteFunction', { FunctionName }), { $status: 202 })
  assert.deepEqual(await documents(), before)
})
