/** Capacity providers. Nobody has recorded AWS's answers yet: shapes are the API model's, texts our own. */
import { ARN, FN, pending } from '../function-bodies.ts'
import {
  created,
  documented,
  notFound,
  ok,
  step,
  unverified,
  type Expectation,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const REFERENCE = documented('the capacity provider operations in the API reference')
const TEXT = unverified('the error is documented, its text is not')

const PROVIDER_ARN = 'arn:aws:lambda:us-east-1:000000000000:capacity-provider:cp'
const VPC = { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] }
const PERMISSIONS = { CapacityProviderOperatorRoleArn: 'arn:aws:iam::000000000000:role/operator' }
const CREATE = { CapacityProviderName: 'cp', VpcConfig: VPC, PermissionsConfig: PERMISSIONS }
const PROVIDER = step('CreateCapacityProvider', CREATE)
const NAMED = { CapacityProviderName: 'cp' }
const view = (State: string, more: Input = {}) => ({
  CapacityProviderArn: PROVIDER_ARN,
  State,
  VpcConfig: VPC,
  PermissionsConfig: PERMISSIONS,
  InstanceRequirements: { Architectures: ['x86_64'] },
  CapacityProviderScalingConfig: { MaxVCpuCount: 400, ScalingMode: 'Auto' },
  LastModified: '<date>',
  ...more,
})
const ACTIVE = [
  PROVIDER,
  step('GetCapacityProvider', NAMED, { until: { member: 'CapacityProvider.State', is: 'Active' } }),
]
const MANAGED = {
  ...FN.input,
  Runtime: 'nodejs22.x',
  CapacityProviderConfig: {
    LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: PROVIDER_ARN },
  },
}
/** Such a function can have no snapshot, and its description says nothing of one. */
const managed = (more: Input) => {
  const { SnapStart: _none, ...rest } = pending(more) as Record<string, unknown>
  return rest
}
const accepted = (body: unknown): Expectation => ({ status: 202, body })
const missing = notFound(`Capacity provider not found: ${PROVIDER_ARN}`)

const NOTHING = { MinExecutionEnvironments: 0, MaxExecutionEnvironments: 0 }
const PUBLISHED = [
  ...ACTIVE,
  step('CreateFunction', { ...MANAGED, Runtime: 'nodejs26.x' }, { settles: 'fn' }),
  step('PublishVersion', { FunctionName: 'fn' }),
  step(
    'GetFunctionConfiguration',
    { FunctionName: 'fn', Qualifier: '1' },
    { until: { member: 'State', is: 'Active' } },
  ),
]
const EMPTIED = [
  step('PutFunctionScalingConfig', {
    FunctionName: 'fn',
    Qualifier: '1',
    FunctionScalingConfig: NOTHING,
  }),
  step(
    'GetFunctionConfiguration',
    { FunctionName: 'fn', Qualifier: '1' },
    { until: { member: 'State', is: 'Deactivated' } },
  ),
]

export const capacityProviderCases: readonly ParityCase[] = [
  {
    operation: 'CreateCapacityProvider',
    name: 'answers while it is being created',
    input: CREATE,
    expect: accepted({ CapacityProvider: view('Pending') }),
    source: unverified('which defaults the answer shows'),
  },
  {
    operation: 'ListCapacityProviders',
    name: 'none',
    input: {},
    expect: ok({ CapacityProviders: [] }),
    source: REFERENCE,
  },
  {
    operation: 'ListFunctionVersionsByCapacityProvider',
    name: 'none',
    given: [PROVIDER],
    input: NAMED,
    expect: ok({ CapacityProviderArn: PROVIDER_ARN, FunctionVersions: [] }),
    source: REFERENCE,
  },
  ...(
    [
      'GetCapacityProvider',
      'UpdateCapacityProvider',
      'DeleteCapacityProvider',
      'ListFunctionVersionsByCapacityProvider',
    ] as const
  ).map((operation): ParityCase => ({
    operation,
    name: 'that is not there',
    input: NAMED,
    expect: missing,
    source: TEXT,
  })),
  ...(['GetFunctionScalingConfig', 'PutFunctionScalingConfig'] as const).map((operation): ParityCase => ({
    operation,
    name: 'of a function that is not there',
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: notFound(`Function not found: ${ARN}:1`),
    source: unverified('what was recorded for other operations on a missing function'),
  })),
  {
    operation: 'GetFunctionScalingConfig',
    name: 'a version that is not there',
    given: [FN],
    input: { FunctionName: 'fn', Qualifier: '7' },
    expect: notFound(`Function not found: ${ARN}:7`),
    source: unverified('what was recorded for other operations on a missing version'),
  },
  {
    operation: 'GetCapacityProvider',
    name: 'that is active',
    given: ACTIVE,
    input: NAMED,
    expect: ok({ CapacityProvider: view('Active') }),
    source: REFERENCE,
  },
  {
    operation: 'ListCapacityProviders',
    name: 'one',
    given: ACTIVE,
    input: {},
    expect: ok({ CapacityProviders: [view('Active')] }),
    source: REFERENCE,
  },
  {
    operation: 'ListCapacityProviders',
    name: 'none of this state',
    given: ACTIVE,
    input: { State: 'Failed' },
    expect: ok({ CapacityProviders: [] }),
    source: REFERENCE,
  },
  {
    operation: 'UpdateCapacityProvider',
    name: 'its limit',
    given: ACTIVE,
    input: { ...NAMED, CapacityProviderScalingConfig: { MaxVCpuCount: 30, ScalingMode: 'Auto' } },
    expect: accepted({
      CapacityProvider: view('Active', {
        CapacityProviderScalingConfig: { MaxVCpuCount: 30, ScalingMode: 'Auto' },
      }),
    }),
    source: REFERENCE,
  },
  {
    operation: 'DeleteCapacityProvider',
    name: 'answers while it is being deleted',
    given: ACTIVE,
    input: NAMED,
    expect: accepted({ CapacityProvider: view('Deleting') }),
    source: REFERENCE,
  },
  {
    operation: 'CreateFunction',
    name: 'on a capacity provider',
    given: ACTIVE,
    input: MANAGED,
    expect: created(
      managed({
        Runtime: 'nodejs22.x',
        MemorySize: 2048,
        LoggingConfig: {
          ApplicationLogLevel: 'INFO',
          LogFormat: 'JSON',
          LogGroup: '/aws/lambda/fn',
          SystemLogLevel: 'INFO',
        },
        CapacityProviderConfig: {
          LambdaManagedInstancesCapacityProviderConfig: {
            CapacityProviderArn: PROVIDER_ARN,
            PerExecutionEnvironmentMaxConcurrency: 64,
            ExecutionEnvironmentMemoryGiBPerVCpu: 2,
          },
        },
      }),
    ),
    source: unverified('which defaults the answer shows'),
  },
  {
    operation: 'GetFunctionScalingConfig',
    name: 'a version without environments',
    given: [...PUBLISHED, ...EMPTIED],
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: ok({
      FunctionArn: `${ARN}:1`,
      AppliedFunctionScalingConfig: NOTHING,
      RequestedFunctionScalingConfig: NOTHING,
    }),
    source: REFERENCE,
  },
  {
    operation: 'PutFunctionScalingConfig',
    name: 'no environments',
    given: PUBLISHED,
    input: {
      FunctionName: 'fn',
      Qualifier: '1',
      FunctionScalingConfig: NOTHING,
    },
    expect: accepted({ FunctionState: 'Deactivating' }),
    source: REFERENCE,
  },
]
