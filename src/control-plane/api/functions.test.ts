import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import type { FunctionHead } from '#contracts/function.ts'
import { functionKey } from '#contracts/keys.ts'

import {
  ACCOUNT,
  arnOf,
  createControlPlane,
  normalise,
  REGION,
  ROLE,
  SCOPE,
  sha256,
  zip,
} from '../../../test/support/control-plane.ts'

/** The body that AWS answers for a function with nothing but defaults (recorded), while it is being created. */
const CREATED = {
  Architectures: ['x86_64'],
  CodeSha256: sha256(zip()),
  CodeSize: zip().byteLength,
  ConfigSha256: '<ConfigSha256>',
  Description: '',
  EphemeralStorage: { Size: 512 },
  FunctionArn: arnOf('fn'),
  FunctionName: 'fn',
  Handler: 'index.handler',
  LastModified: '9999-99-99T99:99:99.999+9999',
  LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/fn' },
  MemorySize: 128,
  PackageType: 'Zip',
  RevisionId: '<uuid:1>',
  Role: ROLE,
  Runtime: 'nodejs22.x',
  RuntimeVersionConfig: { RuntimeVersionArn: '<RuntimeVersionArn>' },
  SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
  State: 'Pending',
  StateReason: 'The function is being created.',
  StateReasonCode: 'Creating',
  Timeout: 3,
  TracingConfig: { Mode: 'PassThrough' },
  Version: '$LATEST',
}
const { StateReason: _reason, StateReasonCode: _code, ...rest } = CREATED
const ACTIVE = { ...rest, State: 'Active', LastUpdateStatus: 'Successful' }
const { State: _state, RuntimeVersionConfig: _runtime, ...listed } = rest
const UPDATING = {
  ...ACTIVE,
  LastUpdateStatus: 'InProgress',
  LastUpdateStatusReason: 'The function is being created.',
  LastUpdateStatusReasonCode: 'Creating',
}

const INPUT = {
  FunctionName: 'fn',
  Runtime: 'nodejs22.x',
  Handler: 'index.handler',
  Role: ROLE,
  Code: { ZipFile: zip() },
}

test('CreateFunction answers the whole Pending configuration with defaults', async () => {
  const { call } = createControlPlane()
  const answer = await call('CreateFunction', INPUT)
  assert.deepEqual(normalise(answer), CREATED)
  assert.match(answer['LastModified'], /^2026-01-01T00:00:00\.000\+0000$/)
})

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

test('GetFunction shows tags and reserved concurrency only when there are some', async () => {
  const { call, create } = createControlPlane()
  await create('fn', { Tags: { team: 'a' } })
  await call('PutFunctionConcurrency', { FunctionName: 'fn', ReservedConcurrentExecutions: 0 })
  const { Tags, Concurrency } = await call('GetFunction', { FunctionName: 'fn' })
  assert.deepEqual(
    { Tags, Concurrency },
    { Tags: { team: 'a' }, Concurrency: { ReservedConcurrentExecutions: 0 } },
  )
})

test('the ARN in the answer has the qualifier of the request', async () => {
  const { call, create } = createControlPlane()
  await create('fn', { Publish: true })
  await call('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' })
  const arnFor = async (input: object) => (await call('GetFunctionConfiguration', input))['FunctionArn']
  assert.equal(await arnFor({ FunctionName: 'fn' }), arnOf('fn'))
  assert.equal(await arnFor({ FunctionName: 'fn', Qualifier: '$LATEST' }), arnOf('fn', '$LATEST'))
  assert.equal(await arnFor({ FunctionName: 'fn:1' }), arnOf('fn', '1'))
  assert.equal(await arnFor({ FunctionName: arnOf('fn', 'live') }), arnOf('fn', 'live'))
  const alias = await call('GetFunctionConfiguration', { FunctionName: 'fn', Qualifier: 'live' })
  assert.equal(alias['Version'], '1')
})

test('a function is found by name, partial ARN and full ARN', async () => {
  const { call, create } = createControlPlane()
  await create(`${ACCOUNT}:function:fn`)
  for (const name of ['fn', 'function:fn', `${ACCOUNT}:function:fn`, arnOf('fn')]) {
    assert.equal((await call('GetFunctionConfiguration', { FunctionName: name }))['FunctionName'], 'fn')
  }
})

test('names of other regions and accounts, and contradicting qualifiers, are refused', async () => {
  const { fail, create } = createControlPlane()
  await create('fn')
  assert.deepEqual(await fail('GetFunction', { FunctionName: arnOf('fn').replace(REGION, 'eu-west-1') }), {
    code: 'ResourceNotFoundException',
    message: "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    status: 404,
  })
  const other = arnOf('fn').replace(ACCOUNT, '111111111111')
  assert.deepEqual(await fail('GetFunction', { FunctionName: other }), {
    code: 'AccessDeniedException',
    message: `User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: lambda:GetFunction on resource: ${other} because no resource-based policy allows the lambda:GetFunction action`,
    status: 403,
  })
  assert.deepEqual(await fail('GetFunction', { FunctionName: arnOf('fn', '1'), Qualifier: '2' }), {
    code: 'InvalidParameterValueException',
    message: 'The derived qualifier from the function name does not match the specified qualifier.',
    status: 400,
  })
})

test('a missing function, version or alias is named as it was asked for', async () => {
  const { fail, create } = createControlPlane()
  await create('fn', { Publish: true })
  const missing = async (operation: string, input: object) => {
    const { message, status } = await fail(operation, input)
    assert.equal(status, 404)
    return message
  }
  const notFound = (name: string, qualifier?: string) => `Function not found: ${arnOf(name, qualifier)}`
  assert.equal(await missing('GetFunction', { FunctionName: 'no' }), notFound('no'))
  assert.equal(
    await missing('GetFunction', { FunctionName: 'no', Qualifier: '$LATEST' }),
    notFound('no', '$LATEST'),
  )
  for (const qualifier of ['2', '01', 'nobody', '99999999999999999999']) {
    assert.equal(
      await missing('GetFunctionConfiguration', { FunctionName: 'fn', Qualifier: qualifier }),
      notFound('fn', qualifier),
    )
  }
  for (const operation of [
    'DeleteFunction',
    'UpdateFunctionConfiguration',
    'PublishVersion',
    'ListAliases',
  ]) {
    assert.equal(await missing(operation, { FunctionName: 'no' }), notFound('no'))
  }
  assert.equal(await missing('UpdateFunctionCode', { FunctionName: 'no', ZipFile: zip() }), notFound('no'))
})

test('CreateFunction refuses a name that is taken, and stores no second package for it', async () => {
  const { fail, create, storedBlobs } = createControlPlane()
  await create('fn')
  assert.deepEqual(await fail('CreateFunction', { ...INPUT, Code: { ZipFile: zip('two') } }), {
    code: 'ResourceConflictException',
    message: 'Function already exist: fn',
    status: 409,
  })
  assert.equal(storedBlobs.length, 1)
})

test('of many who create the same name at once one succeeds', async () => {
  const { invoke, call } = createControlPlane()
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => invoke('CreateFunction', INPUT)))
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal((await call('GetAccountSettings', {}))['AccountUsage'].FunctionCount, 1)
})

test('a CreateFunction that fails leaves no document behind', async () => {
  const { fail, documents } = createControlPlane()
  const cases: [object, string, string][] = [
    [{ Code: {} }, 'InvalidParameterValueException', 'Please provide a source for function code.'],
    [
      { Code: { S3Bucket: 'b' } },
      'InvalidParameterValueException',
      'Please provide a source for function code.',
    ],
    [
      { Code: { ZipFile: zip(), S3Bucket: 'b' } },
      'InvalidParameterValueException',
      'Please do not provide other FunctionCode parameters when providing a ZipFile.',
    ],
    [
      { Code: { ZipFile: new Uint8Array(52_428_800) } },
      'RequestEntityTooLargeException',
      'Zipped size must be smaller than 52428800 bytes',
    ],
    [
      { Code: { ZipFile: Buffer.from('no zip') } },
      'InvalidParameterValueException',
      'Could not unzip uploaded file. Please check your file, then try to upload again.',
    ],
    [
      { Handler: undefined },
      'InvalidParameterValueException',
      'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
    ],
    [
      { Runtime: 'python3.7' },
      'InvalidParameterValueException',
      'The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.',
    ],
    [
      { MemorySize: 10_241 },
      'InvalidParameterValueException',
      "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240",
    ],
    [
      { Timeout: 901 },
      'InvalidParameterValueException',
      "'Timeout' value failed to satisfy constraint: Member must have value less than or equal to 900",
    ],
    [{ Layers: ['missing'] }, 'InvalidParameterValueException', 'Layer version missing does not exist.'],
    [
      { Layers: ['bytes-262143000'], Code: { ZipFile: zip('unzipped=2000') } },
      'InvalidParameterValueException',
      'Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262145000 bytes.',
    ],
    [
      { Layers: ['bytes-262144001'] },
      'InvalidParameterValueException',
      'Layers consume more than the available size of 262144000 bytes',
    ],
    [
      { Tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])) },
      'InvalidParameterValueException',
      'Number of tags exceeds resource tag limit.',
    ],
    [
      { VpcConfig: { SubnetIds: ['subnet-1'] } },
      'InvalidParameterValueException',
      'SubnetIds and SecurityIds must coexist or be both empty list.',
    ],
    [
      { SnapStart: { ApplyOn: 'PublishedVersions' } },
      'InvalidParameterValueException',
      'nodejs22.x is not supported for SnapStart enabled functions.',
    ],
    [
      { PackageType: 'Image', Code: { ImageUri: 'x' } },
      'InvalidParameterValueException',
      'Container images (PackageType Image) are not supported yet.',
    ],
    [{ DurableConfig: {} }, 'InvalidParameterValueException', 'DurableConfig is not supported yet.'],
    [
      { CodeSigningConfigArn: 'csc' },
      'CodeSigningConfigNotFoundException',
      'The code signing configuration cannot be found. Check that the provided configuration is not deleted: csc.',
    ],
    [
      { FunctionName: 'a'.repeat(65) },
      'InvalidParameterValueException',
      `1 validation error detected: Value '${'a'.repeat(65)}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ],
  ]
  for (const [change, code, message] of cases) {
    const failure = await fail('CreateFunction', { ...INPUT, ...change })
    assert.deepEqual([failure.code, failure.message], [code, message])
  }
  const { code, message } = await fail('CreateFunction', { ...INPUT, FunctionName: 'fn:1' })
  assert.equal(code, 'ValidationException')
  assert.match(
    message,
    /^1 validation error detected: Value 'fn:1' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: /,
  )
  assert.match(
    (await fail('CreateFunction', { ...INPUT, Runtime: 'cobol' })).message,
    /^Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[nodejs20\.x, .*\] or be a valid ARN$/,
  )
  assert.deepEqual(await documents(), [])
})

test('a failing store leaves CreateFunction without a trace', async () => {
  const { invoke, documents } = createControlPlane({
    meta: (meta) => ({ ...meta, txn: () => Promise.reject(new Error('disk')) }),
  })
  await assert.rejects(invoke('CreateFunction', { ...INPUT, Publish: true }), /disk/)
  assert.deepEqual(await documents(), [])
})

test('every setting comes back as it was given', async () => {
  const { call, create } = createControlPlane()
  const settings = {
    Description: 'does things',
    Timeout: 900,
    MemorySize: 10_240,
    EphemeralStorage: { Size: 10_240 },
    Architectures: ['arm64'],
    Environment: { Variables: { B: '2', A_1: 'ä' } },
    KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/x',
    TracingConfig: { Mode: 'Active' },
    DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:q' },
    SnapStart: { ApplyOn: 'PublishedVersions' },
    LoggingConfig: {
      LogFormat: 'JSON',
      LogGroup: 'mine',
      SystemLogLevel: 'WARN',
      ApplicationLogLevel: 'INFO',
    },
    Runtime: 'java21',
  }
  await create('fn', {
    ...settings,
    Layers: ['arn:l:1', 'arn:l:2'],
    VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
  })
  const answer = await call('GetFunctionConfiguration', { FunctionName: 'fn' })
  assert.deepEqual(answer, {
    ...answer,
    ...settings,
    SnapStart: { ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' },
    Layers: [
      { Arn: 'arn:l:1', CodeSize: 10 },
      { Arn: 'arn:l:2', CodeSize: 10 },
    ],
    VpcConfig: {
      Ipv6AllowedForDualStack: false,
      SecurityGroupIds: ['sg-1'],
      SubnetIds: ['subnet-1'],
      VpcId: answer['VpcConfig'].VpcId,
    },
  })
  assert.match(answer['VpcConfig'].VpcId, /^vpc-[0-9a-f]{17}$/)
})

test('environment variables rest sealed, and empty ones are not the same as none', async () => {
  const { store, call, create } = createControlPlane()
  await create('fn', { Environment: { Variables: { SECRET: 'hunter2' } } })
  await create('empty', { Environment: { Variables: {} } })
  await create('none')
  for (const { doc } of await store.meta.list('', '', 100))
    assert.doesNotMatch(JSON.stringify(doc), /hunter2/)
  const environment = async (name: string) =>
    (await call('GetFunctionConfiguration', { FunctionName: name }))['Environment']
  assert.deepEqual(await environment('fn'), { Variables: { SECRET: 'hunter2' } })
  assert.deepEqual(await environment('empty'), { Variables: {} })
  assert.equal(await environment('none'), undefined)
})

test('environment variables are refused by name, pattern and size', async () => {
  const { fail } = createControlPlane()
  const failure = async (Variables: object) => {
    const { code, message } = await fail('CreateFunction', { ...INPUT, Environment: { Variables } })
    return [code, message]
  }
  assert.deepEqual(await failure({ AWS_REGION: 'x', OK_1: 'y', AWS_SESSION_TOKEN: 'z' }), [
    'InvalidParameterValueException',
    'Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION, AWS_SESSION_TOKEN',
  ])
  assert.deepEqual(await failure({ '1A': 'x' }), [
    'ValidationException',
    "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+, Member must not be null]",
  ])
  const large = { LARGE_VAR: 'x'.repeat(4096 - '{"LARGE_VAR":""}'.length + 1) }
  assert.deepEqual(await failure(large), [
    'InvalidParameterValueException',
    `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${JSON.stringify(large)}`,
  ])
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
    return (row?.doc as unknown as FunctionHead).latest.generation
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
  assert.deepEqual(normalise(all['Functions'][3]), listed)
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
