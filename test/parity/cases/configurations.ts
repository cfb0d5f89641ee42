/** What a function may be configured with, and how its descriptions show it. */
import { CREATE, FN, active, configure, fnWith, got, pending, updating } from '../function-bodies.ts'
import {
  created,
  invalid,
  observed,
  ok,
  recorded,
  unverified,
  validation,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const from = (name: string) => recorded(`localstack test_lambda_api ${name}, 2024`)
const LOGGING = from('TestLoggingConfig')
const VPC = from('TestLambdaFunction.test_vpc_config')
const SNAP_START = from('TestLambdaSnapStart')
const RUNTIMES = recorded('localstack test_lambda_api TestRuntimeValidation, 2025')
const SIZES = from('TestLambdaSizeLimits.test_large_environment_variables_fails')

const JSON_LOGS = {
  ApplicationLogLevel: 'INFO',
  LogFormat: 'JSON',
  LogGroup: '/aws/lambda/fn',
  SystemLogLevel: 'INFO',
}
const TEXT_LOGS = { LogFormat: 'Text', LogGroup: '/aws/lambda/fn' }
const NETWORK = { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] }
const network = (more: Input = {}) => ({
  VpcConfig: { ...NETWORK, Ipv6AllowedForDualStack: false, VpcId: '<vpc>', ...more },
})
const NO_NETWORK = { SubnetIds: [], SecurityGroupIds: [], Ipv6AllowedForDualStack: false, VpcId: '' }
const SNAPSHOTS = { SnapStart: { ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' } }
const LARGE = { LARGE_VAR: 'x'.repeat(4096) }

const creating = (
  name: string,
  input: Input,
  expect: ParityCase['expect'],
  source: ParityCase['source'],
): ParityCase => ({ operation: 'CreateFunction', name, input: { ...CREATE, ...input }, expect, source })
const changing = (
  name: string,
  given: ParityCase['given'],
  input: Input,
  expect: ParityCase['expect'],
  source: ParityCase['source'],
): ParityCase => ({
  operation: 'UpdateFunctionConfiguration',
  name,
  given: given ?? [],
  input: { FunctionName: 'fn', ...input },
  expect,
  source,
})
const logs = (LoggingConfig: Input) => ({ LoggingConfig })

const DEPRECATED = [
  'java8',
  'go1.x',
  'provided',
  'ruby2.7',
  'nodejs14.x',
  'nodejs12.x',
  'python3.7',
  'dotnetcore3.1',
]

export const configurationCases: readonly ParityCase[] = [
  creating(
    'JSON logs: with both levels',
    logs({ LogFormat: 'JSON' }),
    created(pending(logs(JSON_LOGS))),
    LOGGING,
  ),
  {
    operation: 'GetFunction',
    name: 'JSON logs',
    given: [fnWith(logs({ LogFormat: 'JSON' }))],
    input: { FunctionName: 'fn' },
    expect: ok(got(active(logs(JSON_LOGS)))),
    source: LOGGING,
  },
  changing(
    'the log group of JSON logs',
    [fnWith(logs({ LogFormat: 'JSON' }))],
    logs({ LogGroup: 'cool_lambda' }),
    ok(updating(logs({ ...JSON_LOGS, LogGroup: 'cool_lambda' }))),
    LOGGING,
  ),
  changing('to JSON logs', [FN], logs({ LogFormat: 'JSON' }), ok(updating(logs(JSON_LOGS))), LOGGING),
  changing(
    'back to text: the levels go',
    [FN, configure(logs({ LogFormat: 'JSON' }))],
    logs({ LogFormat: 'Text' }),
    ok(updating(logs(TEXT_LOGS))),
    LOGGING,
  ),
  changing(
    'to JSON logs with one level',
    [FN],
    logs({ LogFormat: 'JSON', ApplicationLogLevel: 'DEBUG' }),
    ok(updating(logs({ ...JSON_LOGS, ApplicationLogLevel: 'DEBUG' }))),
    LOGGING,
  ),
  changing(
    'the log group of text',
    [FN],
    logs({ LogGroup: 'cool_lambda' }),
    ok(updating(logs({ LogFormat: 'Text', LogGroup: 'cool_lambda' }))),
    LOGGING,
  ),
  changing(
    'a level of text',
    [FN],
    logs({ ApplicationLogLevel: 'DEBUG' }),
    invalid(
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
    ),
    observed('users of AWS, who have quoted this text'),
  ),
  creating('a network', { VpcConfig: NETWORK }, created(pending(network())), VPC),
  changing(
    'another network',
    [fnWith({ VpcConfig: NETWORK })],
    { VpcConfig: { SubnetIds: ['subnet-2'], SecurityGroupIds: ['sg-2'] } },
    ok(updating(network({ SubnetIds: ['subnet-2'], SecurityGroupIds: ['sg-2'] }))),
    VPC,
  ),
  changing(
    'no network any more: the member stays',
    [fnWith({ VpcConfig: NETWORK })],
    { VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } },
    ok(updating({ VpcConfig: NO_NETWORK })),
    VPC,
  ),
  {
    operation: 'GetFunction',
    name: 'after its network was taken away',
    given: [
      fnWith({ VpcConfig: NETWORK }),
      configure({ VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } }),
    ],
    input: { FunctionName: 'fn' },
    expect: ok(got(active({ VpcConfig: NO_NETWORK }))),
    source: VPC,
  },
  ...['java11', 'java17', 'java21'].map((Runtime) =>
    creating(
      `snapshots of ${Runtime}: not yet for $LATEST`,
      { Runtime, Handler: 'x.Handler', SnapStart: { ApplyOn: 'PublishedVersions' } },
      created(pending({ Runtime, Handler: 'x.Handler', ...SNAPSHOTS })),
      SNAP_START,
    ),
  ),
  creating(
    'snapshots of a runtime that has none',
    { SnapStart: { ApplyOn: 'PublishedVersions' } },
    invalid('nodejs26.x is not supported for SnapStart enabled functions.'),
    SNAP_START,
  ),
  creating(
    'snapshots of something else',
    { SnapStart: { ApplyOn: 'invalidOption' } },
    validation(
      "1 validation error detected: Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy constraint: Member must satisfy enum value set: [PublishedVersions, None]",
    ),
    SNAP_START,
  ),
  ...DEPRECATED.map((Runtime) =>
    creating(
      `a runtime that is no more: ${Runtime}`,
      { Runtime },
      invalid(
        `The runtime parameter of ${Runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
      ),
      RUNTIMES,
    ),
  ),
  creating(
    'environment variables that are too much',
    { Environment: { Variables: LARGE } },
    invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${JSON.stringify(LARGE)}`,
    ),
    SIZES,
  ),
  changing(
    'environment variables that are too much',
    [FN],
    { Environment: { Variables: LARGE } },
    invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${JSON.stringify(LARGE)}`,
    ),
    SIZES,
  ),
  creating(
    'environment variables that are reserved',
    { Environment: { Variables: { AWS_REGION: 'x' } } },
    invalid(
      'Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION',
    ),
    observed('users of AWS, who have quoted this text'),
  ),
  changing(
    'six layers',
    [FN],
    { Layers: Array.from({ length: 6 }, (_, at) => `arn:aws:lambda:us-east-1:000000000000:layer:l${at}:1`) },
    invalid('Cannot reference more than 5 layers.'),
    recorded('localstack test_lambda_api TestLambdaLayer.test_layer_quota_exception, 2024'),
  ),
  creating(
    'everything that has a default, said',
    {
      Description: 'd',
      Timeout: 900,
      MemorySize: 10_240,
      Architectures: ['x86_64'],
      EphemeralStorage: { Size: 10_240 },
      TracingConfig: { Mode: 'Active' },
      PackageType: 'Zip',
    },
    created(
      pending({
        Description: 'd',
        Timeout: 900,
        MemorySize: 10_240,
        EphemeralStorage: { Size: 10_240 },
        TracingConfig: { Mode: 'Active' },
      }),
    ),
    from('TestLambdaFunction.test_function_lifecycle: which members there are'),
  ),
  creating(
    'a dead-letter queue',
    { DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' } },
    created(pending({ DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' } })),
    unverified('that the queue is not looked for'),
  ),
  creating(
    'an empty environment',
    { Environment: { Variables: {} } },
    created(pending({ Environment: { Variables: {} } })),
    from('TestLambdaFunction.test_function_lifecycle'),
  ),
]
