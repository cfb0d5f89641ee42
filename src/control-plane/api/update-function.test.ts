import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import type { FunctionHead } from '#contracts/function.ts'
import { functionKey } from '#contracts/keys.ts'

import {
  ACTIVE,
  arnOf,
  createControlPlane,
  INPUT,
  normalise,
  SCOPE,
  sha256,
  UPDATING,
  zip,
} from '../../../test/support/control-plane.ts'

test('a created function becomes Active with another revision, and GetFunction says where its code is', async () => {
  const { call, create } = createControlPlane()
  const created = await create('fn')
  const got = await call('GetFunction', { FunctionName: 'fn' })
  assert.deepEqual(normalise(got), {
    Configuration: ACTIVE,
    Code: {
      RepositoryType: 'S3',
      Location: `http://127.0.0.1:4566/code/${sha256(zip(), 'hex')}`,
    },
  })
  assert.notEqual(got['Configuration'].RevisionId, created['RevisionId'])
  assert.deepEqual(await call('GetFunctionConfiguration', { FunctionName: 'fn' }), got['Configuration'])
})

test('UpdateFunctionConfiguration is in progress, then successful, and keeps what it does not name', async () => {
  const { call, create, settle, preparer } = createControlPlane()
  await create('fn', { Environment: { Variables: { A_1: '1' } }, Layers: ['arn:l:1'] })
  preparer.hold()
  const answer = await call('UpdateFunctionConfiguration', {
    FunctionName: 'fn',
    Description: 'new',
    Timeout: 10,
  })
  assert.deepEqual(normalise(answer), {
    ...UPDATING,
    Description: 'new',
    Timeout: 10,
    Environment: { Variables: { A_1: '1' } },
    Layers: [{ Arn: 'arn:l:1', CodeSize: 10 }],
  })
  preparer.release()
  await settle()
  const after = await call('GetFunctionConfiguration', { FunctionName: 'fn' })
  assert.equal(after['LastUpdateStatus'], 'Successful')
  assert.equal(after['LastUpdateStatusReason'], undefined)
  assert.notEqual(after['RevisionId'], answer['RevisionId'])
})

test('an update can take settings away again', async () => {
  const { call, create, settle } = createControlPlane()
  await create('fn', {
    KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/x',
    DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:q' },
    Layers: ['arn:l:1'],
    VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
    LoggingConfig: { LogFormat: 'JSON' },
  })
  await call('UpdateFunctionConfiguration', {
    FunctionName: 'fn',
    KMSKeyArn: '',
    DeadLetterConfig: { TargetArn: '' },
    Layers: [],
    VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
    LoggingConfig: { LogFormat: 'Text' },
  })
  await settle()
  const { KMSKeyArn, DeadLetterConfig, Layers, VpcConfig, LoggingConfig } = await call(
    'GetFunctionConfiguration',
    {
      FunctionName: 'fn',
    },
  )
  assert.deepEqual([KMSKeyArn, DeadLetterConfig, Layers], [undefined, undefined, undefined])
  assert.deepEqual(VpcConfig, {
    Ipv6AllowedForDualStack: false,
    SecurityGroupIds: [],
    SubnetIds: [],
    VpcId: '',
  })
  assert.deepEqual(LoggingConfig, { LogFormat: 'Text', LogGroup: '/aws/lambda/fn' })
})

test('log levels default to INFO with JSON and are refused with Text', async () => {
  const { call, create, settle, fail } = createControlPlane()
  await create('fn')
  const update = async (LoggingConfig: object) => {
    const answer = await call('UpdateFunctionConfiguration', { FunctionName: 'fn', LoggingConfig })
    await settle()
    return answer['LoggingConfig']
  }
  assert.deepEqual(await update({ LogFormat: 'JSON', ApplicationLogLevel: 'DEBUG' }), {
    LogFormat: 'JSON',
    ApplicationLogLevel: 'DEBUG',
    SystemLogLevel: 'INFO',
    LogGroup: '/aws/lambda/fn',
  })
  assert.deepEqual(await update({ LogGroup: 'cool' }), {
    LogFormat: 'JSON',
    ApplicationLogLevel: 'DEBUG',
    SystemLogLevel: 'INFO',
    LogGroup: 'cool',
  })
  assert.equal(
    (
      await fail('UpdateFunctionConfiguration', {
        FunctionName: 'fn',
        LoggingConfig: { LogFormat: 'Text', SystemLogLevel: 'WARN' },
      })
    ).message,
    'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
  )
})

test('UpdateFunctionCode changes the digest and the size', async () => {
  const { call, create, preparer, settle } = createControlPlane()
  await create('fn')
  preparer.hold()
  const answer = await call('UpdateFunctionCode', {
    FunctionName: 'fn',
    ZipFile: zip('two'),
    Architectures: ['arm64'],
  })
  assert.deepEqual(normalise(answer), {
    ...UPDATING,
    CodeSha256: sha256(zip('two')),
    Architectures: ['arm64'],
  })
  preparer.release()
  await settle()
  const fromBucket = await call('UpdateFunctionCode', {
    FunctionName: 'fn',
    S3Bucket: 'b',
    S3Key: 'k',
    S3ObjectVersion: '3',
  })
  assert.equal(fromBucket['CodeSha256'], sha256(zip('b/k@3')))
})

test('a dry run of UpdateFunctionCode answers what would be, and changes nothing', async () => {
  const { call, create } = createControlPlane()
  await create('fn')
  const before = await call('GetFunction', { FunctionName: 'fn' })
  const answer = await call('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: zip('two'), DryRun: true })
  assert.equal(answer['CodeSha256'], sha256(zip('two')))
  assert.deepEqual(await call('GetFunction', { FunctionName: 'fn' }), before)
})

test('UpdateFunctionCode refuses no code, an image and too large a package', async () => {
  const { fail, create } = createControlPlane()
  await create('fn', { Layers: ['bytes-262143000'] })
  const message = async (input: object) =>
    (await fail('UpdateFunctionCode', { FunctionName: 'fn', ...input })).message
  assert.equal(await message({}), 'Please provide a source for function code.')
  assert.equal(
    await message({ ImageUri: 'x' }),
    "Please don't provide ImageUri when updating a function with packageType Zip.",
  )
  assert.equal(
    await message({ ZipFile: zip('unzipped=2000') }),
    'Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262145000 bytes.',
  )
})

test('while Pending or being updated a function refuses changes with 409', async () => {
  const { call, fail, settle, preparer } = createControlPlane()
  preparer.hold()
  await call('CreateFunction', INPUT)
  const pending = {
    code: 'ResourceConflictException',
    message:
      'The operation cannot be performed at this time. The function is currently in the following state: Pending',
    status: 409,
  }
  assert.deepEqual(await fail('UpdateFunctionConfiguration', { FunctionName: 'fn', Timeout: 4 }), pending)
  assert.deepEqual(await fail('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: zip() }), pending)
  assert.deepEqual(await fail('PublishVersion', { FunctionName: 'fn' }), pending)
  preparer.release()
  await settle()
  preparer.hold()
  await call('UpdateFunctionConfiguration', { FunctionName: 'fn', Timeout: 4 })
  const busy = {
    code: 'ResourceConflictException',
    message: `The operation cannot be performed at this time. An update is in progress for resource: ${arnOf('fn')}`,
    status: 409,
  }
  assert.deepEqual(await fail('UpdateFunctionConfiguration', { FunctionName: 'fn', Timeout: 5 }), busy)
  assert.deepEqual(await fail('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: zip() }), busy)
  assert.deepEqual(await fail('PublishVersion', { FunctionName: 'fn' }), busy)
  preparer.release()
  await settle()
})

test('of many updates at once one succeeds and the others are told so', async () => {
  const { invoke, create, preparer } = createControlPlane()
  await create('fn')
  preparer.hold()
  const results = await Promise.allSettled(
    Array.from({ length: 6 }, (_, i) =>
      invoke('UpdateFunctionConfiguration', { FunctionName: 'fn', Timeout: 10 + i }),
    ),
  )
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  preparer.release()
})

test('another revision is refused with 412, the present one accepted', async () => {
  const { call, fail, create, settle } = createControlPlane()
  const { RevisionId: old } = await create('fn')
  const expected = {
    code: 'PreconditionFailedException',
    message:
      'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
    status: 412,
  }
  assert.deepEqual(
    await fail('UpdateFunctionConfiguration', { FunctionName: 'fn', RevisionId: old }),
    expected,
  )
  assert.deepEqual(
    await fail('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: zip(), RevisionId: old }),
    expected,
  )
  assert.deepEqual(await fail('PublishVersion', { FunctionName: 'fn', RevisionId: old }), expected)
  const { RevisionId } = await call('GetFunctionConfiguration', { FunctionName: 'fn' })
  await call('UpdateFunctionConfiguration', { FunctionName: 'fn', RevisionId })
  await settle()
})

test('invocations keep what worked while an update is in progress and after it failed', async () => {
  const { store, call, create, settle, preparer } = createControlPlane()
  await create('fn')
  const head = async () =>
    (await store.meta.get(functionKey({ ...SCOPE, name: 'fn' })))?.doc as unknown as FunctionHead
  const worked = (await head()).latest
  preparer.hold()
  await call('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: zip('two') })
  assert.deepEqual((await head()).serving, worked)
  assert.notEqual((await head()).latest.generation, worked.generation)
  preparer.release(new LambdaError('InvalidZipFileException', 'Damaged package'))
  await settle()
  assert.deepEqual((await head()).serving, worked)
  const failed = await call('GetFunctionConfiguration', { FunctionName: 'fn' })
  assert.deepEqual(
    [
      failed['State'],
      failed['LastUpdateStatus'],
      failed['LastUpdateStatusReason'],
      failed['LastUpdateStatusReasonCode'],
    ],
    ['Active', 'Failed', 'Damaged package', 'InvalidZipFileException'],
  )
  await call('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: zip('three') })
  assert.deepEqual((await head()).serving, worked)
  await settle()
  assert.equal((await head()).serving, undefined)
})

test('a function that can not be prepared is Failed, with the reason, and can only be deleted', async () => {
  const { call, fail, settle, preparer } = createControlPlane()
  preparer.hold()
  await call('CreateFunction', INPUT)
  preparer.release(new LambdaError('InvalidRuntimeException', 'No such runtime here'))
  await settle()
  const { State, StateReason, StateReasonCode } = await call('GetFunctionConfiguration', {
    FunctionName: 'fn',
  })
  assert.deepEqual(
    [State, StateReason, StateReasonCode],
    ['Failed', 'No such runtime here', 'InvalidRuntime'],
  )
  assert.match((await fail('UpdateFunctionConfiguration', { FunctionName: 'fn' })).message, /state: Failed$/)
  await call('DeleteFunction', { FunctionName: 'fn' })
})

test('state changes keep the generation, changes of code and configuration replace it', async () => {
  const { store, call, create, settle } = createControlPlane()
  const generation = async () => {
    const row = await store.meta.get(functionKey({ ...SCOPE, name: 'fn' }))
    assert.ok(row)
    return (row.doc as unknown as FunctionHead).latest.generation
  }
  await create('fn')
  const first = await generation()
  await call('TagResource', { Resource: arnOf('fn'), Tags: { a: 'b' } })
  await call('PublishVersion', { FunctionName: 'fn' })
  assert.equal(await generation(), first)
  await call('UpdateFunctionConfiguration', { FunctionName: 'fn', Timeout: 4 })
  const second = await generation()
  await settle()
  assert.notEqual(second, first)
  assert.equal(await generation(), second)
})
