import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  ACCOUNT,
  arnOf,
  CREATED,
  createControlPlane,
  INPUT,
  normalise,
  REGION,
  zip,
} from '../../../test/support/control-plane.ts'

test('CreateFunction answers the whole Pending configuration with defaults', async () => {
  const { call } = createControlPlane()
  const answer = await call('CreateFunction', INPUT)
  assert.deepEqual(normalise(answer), CREATED)
  assert.match(answer['LastModified'], /^2026-01-01T00:00:00\.000\+0000$/)
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
      { PackageType: 'Image', Code: { ImageUri: 'registry.example/a:1' } },
      'InvalidParameterValueException',
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    ],
    [
      { PackageType: 'Image', Code: { ImageUri: 'x' }, Runtime: undefined, Handler: undefined },
      'InvalidParameterValueException',
      'Source image x is not valid. Provide a valid source image.',
    ],
    [
      { FileSystemConfigs: [{ Arn: 'arn:aws:efs:fsap-0', LocalMountPath: '/mnt/a' }] },
      'InvalidParameterValueException',
      'Function must be configured to execute in a VPC to reference access point arn:aws:efs:fsap-0.',
    ],
    [
      { FileSystemConfigs: [{ Arn: 'arn:aws:efs:fsap-1', LocalMountPath: '/mnt/a' }] },
      'InvalidParameterValueException',
      'The access point arn:aws:efs:fsap-1 does not exist.',
    ],
    [
      { DeadLetterConfig: { TargetArn: 'arn:aws:lambda:us-east-1:000000000000:function:x' } },
      'InvalidParameterValueException',
      'The dead letter target arn:aws:lambda:us-east-1:000000000000:function:x is neither an SQS queue nor an SNS topic.',
    ],
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
  const { call, create, kms } = createControlPlane()
  const { KeyMetadata } = (await kms('CreateKey', {})) as { KeyMetadata: { Arn: string } }
  const settings = {
    Description: 'does things',
    Timeout: 900,
    MemorySize: 10_240,
    EphemeralStorage: { Size: 512 },
    Architectures: ['arm64'],
    Environment: { Variables: { B_2: '2', A_1: 'ä' } },
    KMSKeyArn: KeyMetadata.Arn,
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
  assert.deepEqual(await failure({ HIDDEN: 'x\0y' }), [
    'InvalidParameterValueException',
    'Lambda was unable to configure your environment variables because the environment variables you have provided contains a zero byte.',
  ])
  const large = { LARGE_VAR: 'x'.repeat(4096 - '{"LARGE_VAR":""}'.length + 1) }
  assert.deepEqual(await failure(large), [
    'InvalidParameterValueException',
    `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${JSON.stringify(large)}`,
  ])
})
