import assert from 'node:assert/strict'
import { test } from 'node:test'

import { arnOf, createControlPlane, INPUT, zip } from '../../../test/support/control-plane.ts'

const FunctionName = 'fn'
const PROFILE = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/team/0123456789'
const AllowedPublishers = { SigningProfileVersionArns: [PROFILE] }
const UNKNOWN = 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000'
const NOT_FOUND = {
  code: 'ResourceNotFoundException',
  message: `The Lambda code signing configuration ${UNKNOWN} can not be found.`,
  status: 404,
}
const NOT_USABLE = {
  code: 'CodeSigningConfigNotFoundException',
  message: `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${UNKNOWN}.`,
  status: 404,
}
const unsigned = (name: string) => ({
  code: 'CodeVerificationFailedException',
  message: `Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for ${name}.`,
  status: 400,
})
const policy = (mode: string) => ({ CodeSigningPolicies: { UntrustedArtifactOnDeployment: mode } })

const withConfig = async (mode?: string) => {
  const plane = createControlPlane()
  const { CodeSigningConfig } = await plane.call('CreateCodeSigningConfig', {
    AllowedPublishers,
    ...(mode !== undefined && policy(mode)),
  })
  return { ...plane, config: CodeSigningConfig, CodeSigningConfigArn: CodeSigningConfig.CodeSigningConfigArn }
}

test('code signing configurations: created with the default policy Warn, read, changed and deleted', async () => {
  const { call, fail, clock, config, CodeSigningConfigArn } = await withConfig()
  assert.match(config.CodeSigningConfigId, /^csc-[a-z0-9]{17}$/)
  assert.deepEqual(config, {
    CodeSigningConfigId: config.CodeSigningConfigId,
    CodeSigningConfigArn: `arn:aws:lambda:us-east-1:000000000000:code-signing-config:${config.CodeSigningConfigId}`,
    AllowedPublishers,
    ...policy('Warn'),
    LastModified: new Date(clock.now()).toISOString().replace('Z', '000000Z'),
  })
  assert.deepEqual(await call('GetCodeSigningConfig', { CodeSigningConfigArn }), {
    CodeSigningConfig: config,
  })
  assert.deepEqual(await call('UpdateCodeSigningConfig', { CodeSigningConfigArn }), {
    CodeSigningConfig: { ...config, Description: '' },
  })
  const other = { SigningProfileVersionArns: [PROFILE, `${PROFILE}2`] }
  const changed = { ...config, Description: 'strict', AllowedPublishers: other, ...policy('Enforce') }
  const update = {
    CodeSigningConfigArn,
    Description: 'strict',
    AllowedPublishers: other,
    ...policy('Enforce'),
  }
  assert.deepEqual(await call('UpdateCodeSigningConfig', update), { CodeSigningConfig: changed })
  assert.deepEqual(await call('ListCodeSigningConfigs', {}), { CodeSigningConfigs: [changed] })
  assert.deepEqual(await call('DeleteCodeSigningConfig', { CodeSigningConfigArn }), {})
  assert.equal((await fail('GetCodeSigningConfig', { CodeSigningConfigArn })).status, 404)
  assert.deepEqual(await call('ListCodeSigningConfigs', {}), { CodeSigningConfigs: [] })
})

test('code signing configurations: an unknown one is answered as AWS does', async () => {
  const { call, fail, create } = await withConfig()
  await create('fn')
  const CodeSigningConfigArn = UNKNOWN
  for (const operation of [
    'GetCodeSigningConfig',
    'UpdateCodeSigningConfig',
    'DeleteCodeSigningConfig',
    'ListFunctionsByCodeSigningConfig',
  ]) {
    assert.deepEqual(await fail(operation, { CodeSigningConfigArn }), NOT_FOUND)
  }
  const put = { FunctionName, CodeSigningConfigArn }
  assert.deepEqual(await fail('PutFunctionCodeSigningConfig', put), NOT_USABLE)
  assert.deepEqual(await fail('PutFunctionCodeSigningConfig', { ...put, FunctionName: 'other' }), NOT_USABLE)
  assert.deepEqual(
    await fail('CreateFunction', { ...INPUT, FunctionName: 'new', CodeSigningConfigArn }),
    NOT_USABLE,
  )
  assert.deepEqual(await call('DeleteFunctionCodeSigningConfig', { FunctionName }), {})
  const nobody = {
    code: 'ResourceNotFoundException',
    message: `Function not found: ${arnOf('other')}`,
    status: 404,
  }
  assert.deepEqual(await fail('DeleteFunctionCodeSigningConfig', { FunctionName: 'other' }), nobody)
  assert.deepEqual(await fail('GetFunctionCodeSigningConfig', { FunctionName: 'other' }), nobody)
})

test('code signing configurations: those of another account or region are not there', async () => {
  const { fail, CodeSigningConfigArn } = await withConfig()
  for (const where of [
    { account: '000000000000', region: 'eu-west-1' },
    { account: '111111111111', region: 'us-east-1' },
  ]) {
    assert.equal((await fail('GetCodeSigningConfig', { CodeSigningConfigArn }, where)).status, 404)
  }
})

test('code signing: a function takes, changes and gives up its configuration, which knows its functions', async () => {
  const { call, fail, create, CodeSigningConfigArn } = await withConfig()
  await create('fn')
  await create('made-with', { CodeSigningConfigArn })
  const put = { FunctionName, CodeSigningConfigArn }
  assert.deepEqual(await call('GetFunctionCodeSigningConfig', { FunctionName }), {})
  assert.deepEqual(await call('PutFunctionCodeSigningConfig', { ...put, FunctionName: arnOf('fn') }), put)
  assert.deepEqual(await call('PutFunctionCodeSigningConfig', put), put)
  assert.deepEqual(await call('GetFunctionCodeSigningConfig', { FunctionName }), put)
  const users = async (arn: string) =>
    await call('ListFunctionsByCodeSigningConfig', { CodeSigningConfigArn: arn })
  assert.deepEqual(await users(CodeSigningConfigArn), { FunctionArns: [arnOf('fn'), arnOf('made-with')] })
  const page = await call('ListFunctionsByCodeSigningConfig', { CodeSigningConfigArn, MaxItems: 1 })
  assert.deepEqual(page['FunctionArns'], [arnOf('fn')])
  const rest = { CodeSigningConfigArn, Marker: page['NextMarker'] }
  assert.deepEqual(await call('ListFunctionsByCodeSigningConfig', rest), {
    FunctionArns: [arnOf('made-with')],
  })

  const second = (await call('CreateCodeSigningConfig', { AllowedPublishers }))['CodeSigningConfig']
  const change = { FunctionName, CodeSigningConfigArn: second.CodeSigningConfigArn }
  assert.deepEqual(await call('PutFunctionCodeSigningConfig', change), change)
  assert.deepEqual(await users(CodeSigningConfigArn), { FunctionArns: [arnOf('made-with')] })
  const refused = await fail('DeleteCodeSigningConfig', { CodeSigningConfigArn })
  assert.deepEqual([refused.code, refused.status], ['ResourceConflictException', 409])
  await call('DeleteFunction', { FunctionName: 'made-with' })
  await call('DeleteCodeSigningConfig', { CodeSigningConfigArn })
  await call('DeleteFunctionCodeSigningConfig', { FunctionName })
  assert.deepEqual(await call('GetFunctionCodeSigningConfig', { FunctionName }), {})
  await call('DeleteCodeSigningConfig', { CodeSigningConfigArn: second.CodeSigningConfigArn })
})

test('code signing: Enforce refuses unsigned code and layers, at creation and later, and changes nothing', async () => {
  const { call, fail, create, settle, documents, CodeSigningConfigArn } = await withConfig('Enforce')
  const before = await documents()
  assert.deepEqual(await fail('CreateFunction', { ...INPUT, CodeSigningConfigArn }), unsigned('fn'))
  assert.deepEqual(await documents(), before)
  await create('fn')
  // What is deployed already stays.
  await call('PutFunctionCodeSigningConfig', { FunctionName, CodeSigningConfigArn })
  const code = { FunctionName, ZipFile: zip('two') }
  assert.deepEqual(await fail('UpdateFunctionCode', code), unsigned(arnOf('fn')))
  assert.deepEqual(await fail('UpdateFunctionCode', { ...code, DryRun: true }), unsigned(arnOf('fn')))
  const Layers = ['arn:aws:lambda:us-east-1:000000000000:layer:words:1']
  assert.deepEqual(
    await fail('UpdateFunctionConfiguration', { FunctionName, Layers }),
    unsigned(String(Layers[0])),
  )
  await call('UpdateFunctionConfiguration', { FunctionName, Timeout: 7 })
  await settle()
  await call('UpdateCodeSigningConfig', { CodeSigningConfigArn, ...policy('Warn') })
  assert.equal((await call('UpdateFunctionCode', code))['LastUpdateStatus'], 'InProgress')
})

test('code signing configurations: have tags', async () => {
  const { call, fail } = createControlPlane()
  const { CodeSigningConfig } = await call('CreateCodeSigningConfig', { AllowedPublishers, Tags: { a: '1' } })
  const Resource = CodeSigningConfig.CodeSigningConfigArn
  await call('TagResource', { Resource, Tags: { b: '2' } })
  assert.deepEqual(await call('ListTags', { Resource }), { Tags: { a: '1', b: '2' } })
  await call('UntagResource', { Resource, TagKeys: ['a'] })
  assert.deepEqual(await call('ListTags', { Resource }), { Tags: { b: '2' } })
  assert.equal((await fail('ListTags', { Resource: UNKNOWN })).status, 404)
})
