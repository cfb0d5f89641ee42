/** Errors that the API reference lists for an operation and no other topic has: limits, conflicts, what is in use. */
import { ARN, configure, CREATE, FN, fnWith, publish } from '../function-bodies.ts'
import { LAYER, LAYER_ARN } from './layers.ts'
import {
  conflict,
  documented,
  notFound,
  observed,
  refused,
  step,
  unverified,
  type Expectation,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const SIZE = unverified('the error is documented; its text is as users of AWS have quoted it')
const TEXT = unverified('the error is documented, its text is not')
const SAME = unverified('what was recorded for other operations with this error')

const LONG_ARN = `arn:aws:s3:::${'b'.repeat(9_000)}`
const allow = (StatementId: string): Input => ({
  FunctionName: 'fn',
  StatementId,
  Action: 'lambda:InvokeFunction',
  Principal: 's3.amazonaws.com',
  SourceArn: LONG_ARN,
})
const tooLong = (bytes: number): Expectation =>
  refused(400, 'PolicyLengthExceededException', {
    Type: 'User',
    message: `The final policy size (${bytes}) is bigger than the limit (20480).`,
  })
const BUSY = conflict(
  `The operation cannot be performed at this time. An update is in progress for resource: ${ARN}`,
)
const SLOWLY = step('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: '<third zip of many files>' })
const NO_CONFIG = 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000'
const SIGNING = step(
  'CreateCodeSigningConfig',
  {
    AllowedPublishers: {
      SigningProfileVersionArns: ['arn:aws:signer:us-east-1:000000000000:/signing-profiles/test/abcdefghij'],
    },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' },
  },
  { as: 'csc' },
)
const SIGNED = { CodeSigningConfigArn: '<csc.CodeSigningConfig.CodeSigningConfigArn>' }
const unsigned = (name: string) =>
  refused(400, 'CodeVerificationFailedException', {
    Type: 'User',
    Message: `Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for ${name}.`,
  })
const UNTRUSTED = observed('users of AWS, who have quoted this text')
const PROVIDER = {
  CapacityProviderName: 'cp',
  VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
  PermissionsConfig: { CapacityProviderOperatorRoleArn: 'arn:aws:iam::000000000000:role/operator' },
}
const PROVIDER_ARN = 'arn:aws:lambda:us-east-1:000000000000:capacity-provider:cp'
const ACTIVE = [
  step('CreateCapacityProvider', PROVIDER),
  step(
    'GetCapacityProvider',
    { CapacityProviderName: 'cp' },
    { until: { member: 'CapacityProvider.State', is: 'Active' } },
  ),
]

const MANAGED = fnWith({
  MemorySize: 2_048,
  CapacityProviderConfig: {
    LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: PROVIDER_ARN },
  },
})
const NOTHING_PUBLISHED = refused(400, 'NoPublishedVersionException', {
  Type: 'User',
  Message:
    "The function can't be invoked because no published version exists. For functions with capacity provider configuration, either publish a version to $LATEST.PUBLISHED, or specify a published version qualifier.",
})
const MANAGED_TEXT = observed('users of AWS, who have quoted this text')
const PENDING = documented('troubleshooting invocations in the developer guide')
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:queue'
const LONG_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'one',
      Effect: 'Allow',
      Principal: '*',
      Action: 'lambda:InvokeFunction',
      Resource: ARN,
      Condition: { StringEquals: { 'aws:PrincipalOrgID': 'é'.repeat(15_000) } },
    },
  ],
})
const provision = (Qualifier: string) =>
  step('PutProvisionedConcurrencyConfig', {
    FunctionName: 'fn',
    Qualifier,
    ProvisionedConcurrentExecutions: 1,
  })
const share = (at: number): Input => ({
  LayerName: 'layer',
  VersionNumber: 1,
  StatementId: `${'s'.repeat(98)}${10 + at}`,
  Action: 'lambda:GetLayerVersion',
  Principal: '*',
  OrganizationId: `o-${'0'.repeat(32)}`,
})

export const documentedErrorCases: readonly ParityCase[] = [
  {
    operation: 'AddPermission',
    name: 'a policy that is too long',
    given: [FN, step('AddPermission', allow('first')), step('AddPermission', allow('second'))],
    input: allow('third'),
    expect: tooLong(27_759),
    source: SIZE,
  },
  {
    operation: 'PutResourcePolicy',
    name: 'a policy whose characters are fewer than its bytes',
    given: [FN],
    input: { ResourceArn: ARN, Policy: LONG_POLICY },
    expect: tooLong(30_241),
    source: SIZE,
  },
  {
    operation: 'AddLayerVersionPermission',
    name: 'a policy that is too long',
    given: [LAYER, ...Array.from({ length: 60 }, (_, at) => step('AddLayerVersionPermission', share(at)))],
    input: share(62),
    expect: tooLong(20_610),
    source: SIZE,
  },
  {
    operation: 'UpdateEventSourceMapping',
    name: 'for a function that has one of that queue',
    given: [
      FN,
      step('CreateFunction', { ...CREATE, FunctionName: 'fn2' }, { settles: 'fn2' }),
      step('CreateEventSourceMapping', { FunctionName: 'fn', EventSourceArn: QUEUE }, { as: 'esm' }),
      step('CreateEventSourceMapping', { FunctionName: 'fn2', EventSourceArn: QUEUE }, { as: 'other' }),
      step('GetEventSourceMapping', { UUID: '<other.UUID>' }, { until: { member: 'State', is: 'Enabled' } }),
    ],
    input: { UUID: '<other.UUID>', FunctionName: 'fn' },
    expect: conflict(
      `An event source mapping with SQS arn (" ${QUEUE} ") and function (" fn ") already exists. Please update or delete the existing mapping with UUID <esm.UUID>`,
    ),
    source: SAME,
  },
  {
    operation: 'Invoke',
    name: 'a function on a capacity provider of which nothing is published',
    given: [...ACTIVE, MANAGED],
    input: { FunctionName: 'fn' },
    expect: NOTHING_PUBLISHED,
    source: MANAGED_TEXT,
  },
  {
    operation: 'InvokeWithResponseStream',
    name: 'a function on a capacity provider of which nothing is published',
    given: [...ACTIVE, MANAGED],
    input: { FunctionName: 'fn' },
    expect: NOTHING_PUBLISHED,
    source: MANAGED_TEXT,
  },
  ...(
    [
      ['Invoke', 'fourth'],
      ['InvokeWithResponseStream', 'fifth'],
      ['InvokeAsync', 'sixth'],
    ] as const
  ).map(([operation, which]) => ({
    operation,
    name: 'a function that is being created',
    given: [step('CreateFunction', { ...CREATE, Code: { ZipFile: `<${which} zip of many files>` } })],
    input: { FunctionName: 'fn', ...(operation === 'InvokeAsync' && { InvokeArgs: Buffer.from('{}') }) },
    expect: conflict(
      'The operation cannot be performed at this time. The function is currently in the following state: Pending',
    ),
    source: operation === 'Invoke' ? PENDING : SAME,
  })),
  {
    operation: 'DeleteCapacityProvider',
    name: 'that a function runs on',
    given: [...ACTIVE, MANAGED],
    input: { CapacityProviderName: 'cp' },
    expect: conflict(
      `The capacity provider is currently in use by 1 functions. To delete this capacity provider, first remove its association with ${PROVIDER_ARN}.`,
    ),
    source: MANAGED_TEXT,
  },
  {
    operation: 'UpdateAlias',
    name: 'with provisioned concurrency, to a version that has its own',
    given: [
      FN,
      publish(),
      configure({ Description: 'the second' }),
      publish(),
      step('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' }),
      provision('live'),
      provision('2'),
    ],
    input: { FunctionName: 'fn', Name: 'live', FunctionVersion: '2' },
    expect: conflict(
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    ),
    source: unverified('what was recorded for PutProvisionedConcurrencyConfig'),
  },
  {
    operation: 'PublishVersion',
    name: 'while an update is in progress',
    given: [FN, SLOWLY],
    input: { FunctionName: 'fn' },
    expect: BUSY,
    source: observed('the AWS CLI, whose users have quoted this text of PublishVersion'),
  },
  {
    operation: 'CreateFunction',
    name: 'a code signing configuration that is not there',
    input: { ...CREATE, CodeSigningConfigArn: NO_CONFIG },
    expect: refused(404, 'CodeSigningConfigNotFoundException', {
      Message: `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${NO_CONFIG}.`,
      Type: 'User',
    }),
    source: SAME,
  },
  {
    operation: 'DeleteCodeSigningConfig',
    name: 'that a function has',
    given: [SIGNING, fnWith({}), step('PutFunctionCodeSigningConfig', { FunctionName: 'fn', ...SIGNED })],
    input: SIGNED,
    expect: conflict(
      'Lambda cannot delete the code signing configuration at this time — another operation is in progress. Try again later.',
    ),
    source: observed('users who have quoted this text'),
  },
  {
    operation: 'CreateCapacityProvider',
    name: 'that is there already',
    given: ACTIVE,
    input: PROVIDER,
    expect: conflict(`Capacity provider already exists: ${PROVIDER_ARN}`),
    source: TEXT,
  },
  {
    operation: 'InvokeWithResponseStream',
    name: 'a payload that is no UTF-8',
    given: [FN],
    input: { FunctionName: 'fn', Payload: Buffer.from([0x22, 0x61, 0x87, 0x22]) },
    expect: refused(400, 'InvalidRequestContentException', {
      Type: 'User',
      message:
        'Could not parse request body into json: Could not parse payload into json: Invalid UTF-8 start byte 0x87\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 3]',
    }),
    source: unverified('what was recorded for Invoke'),
  },
  {
    operation: 'UpdateAlias',
    name: 'to a version that is not there',
    given: [FN, publish(), step('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' })],
    input: { FunctionName: 'fn', Name: 'live', FunctionVersion: '7' },
    expect: notFound(`Function not found: ${ARN}:7`),
    source: unverified('what was recorded for CreateAlias'),
  },
  {
    operation: 'CreateFunction',
    name: 'a runtime that is deprecated',
    input: { ...CREATE, Runtime: 'python3.7' },
    expect: refused(400, 'InvalidParameterValueException', {
      Type: 'User',
      message:
        'The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.',
    }),
    source: observed('users who have quoted this text; AWS named the runtime to use instead until 2025'),
  },
  {
    operation: 'CreateFunction',
    name: 'code that is not signed, where it must be',
    given: [SIGNING],
    input: { ...CREATE, ...SIGNED },
    expect: unsigned('fn'),
    source: UNTRUSTED,
  },
  {
    operation: 'UpdateFunctionCode',
    name: 'code that is not signed, where it must be',
    given: [SIGNING, fnWith({}), step('PutFunctionCodeSigningConfig', { FunctionName: 'fn', ...SIGNED })],
    input: { FunctionName: 'fn', ZipFile: '<other zip>' },
    expect: unsigned(ARN),
    source: UNTRUSTED,
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'a layer that is not signed, where it must be',
    given: [
      SIGNING,
      fnWith({}),
      step('PutFunctionCodeSigningConfig', { FunctionName: 'fn', ...SIGNED }),
      LAYER,
    ],
    input: { FunctionName: 'fn', Layers: [`${LAYER_ARN}:1`] },
    expect: unsigned(`${LAYER_ARN}:1`),
    source: UNTRUSTED,
  },
]
