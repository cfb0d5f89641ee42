/** How asynchronous invocations are retried and where their results go. */
import { ARN, FN, publish } from '../function-bodies.ts'
import {
  MODEL,
  invalid,
  noContent,
  notFound,
  ok,
  recorded,
  step,
  validation,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const LIFECYCLE = recorded(
  'localstack test_lambda_api TestLambdaEventInvokeConfig.test_lambda_eventinvokeconfig_lifecycle, 2024',
)
const EXCEPTIONS = recorded(
  'localstack test_lambda_api TestLambdaEventInvokeConfig.test_lambda_eventinvokeconfig_exceptions, 2024',
)

const view = (more: Input = {}) => ({
  DestinationConfig: { OnFailure: {}, OnSuccess: {} },
  FunctionArn: `${ARN}:$LATEST`,
  LastModified: '<epoch>',
  ...more,
})
const put = (more: Input = {}) => step('PutFunctionEventInvokeConfig', { FunctionName: 'fn', ...more })
const without = (arn: string) => notFound(`The function ${arn} doesn't have an EventInvokeConfig`)
const MISSING = notFound("The function doesn't exist.")
const MISMATCH = invalid(
  'The derived qualifier from the function name does not match the specified qualifier.',
)
const ALIASED = [
  FN,
  publish(),
  step('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' }),
]

const putCase = (
  name: string,
  input: Input,
  expect: ParityCase['expect'],
  given: ParityCase['given'] = [FN],
  source: ParityCase['source'] = EXCEPTIONS,
): ParityCase => ({
  operation: 'PutFunctionEventInvokeConfig',
  name,
  given,
  input: { FunctionName: 'fn', ...input },
  expect,
  source,
})

export const eventInvokeConfigCases: readonly ParityCase[] = [
  putCase(
    'retries and age',
    { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 21_600 },
    ok(view({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 21_600 })),
  ),
  putCase('of a function that is not there', { MaximumRetryAttempts: 1 }, MISSING, []),
  putCase(
    'by the ARN of a function that is not there',
    { FunctionName: ARN, MaximumRetryAttempts: 1 },
    MISSING,
    [],
  ),
  putCase('nothing', {}, invalid('You must specify at least one of error handling or destination setting.')),
  putCase(
    'a destination function that is not there',
    { DestinationConfig: { OnSuccess: { Destination: ARN.replace(/fn$/, 'doesnotexist') } } },
    invalid(`The destination ARN ${ARN.replace(/fn$/, 'doesnotexist')} is invalid.`),
  ),
  putCase(
    'itself as destination',
    { DestinationConfig: { OnSuccess: { Destination: ARN } } },
    invalid("You can't specify the function as a destination for itself."),
  ),
  putCase(
    'another function as destination',
    { DestinationConfig: { OnSuccess: { Destination: ARN.replace(/fn$/, 'other') } } },
    ok(
      view({
        DestinationConfig: { OnFailure: {}, OnSuccess: { Destination: ARN.replace(/fn$/, 'other') } },
      }),
    ),
    [FN, step('CreateFunction', { ...FN.input, FunctionName: 'other' })],
  ),
  putCase(
    'a destination of a service that takes none',
    { DestinationConfig: { OnSuccess: { Destination: 'arn:aws:iam:us-east-1:000000000000:function:fn' } } },
    invalid(
      'The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:iam:us-east-1:000000000000:function:fn), onFailure=null) is invalid.',
    ),
  ),
  putCase('OnSuccess without a destination', { DestinationConfig: { OnSuccess: {} } }, ok(view())),
  putCase('OnFailure without a destination', { DestinationConfig: { OnFailure: {} } }, ok(view())),
  putCase(
    'a destination that is no ARN',
    {
      DestinationConfig: {
        OnFailure: { Destination: 'arn:aws:_-/!lambda:us-east-1:000000000000:function:fn' },
      },
    },
    // Recorded with the pattern of 2024, which began with ^$; the API model of 2026 has this one.
    validation(
      "1 validation error detected: Value 'arn:aws:_-/!lambda:us-east-1:000000000000:function:fn' at 'destinationConfig.onFailure.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: $|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)",
    ),
    [FN],
    MODEL,
  ),
  putCase('one retry', { MaximumRetryAttempts: 1 }, ok(view({ MaximumRetryAttempts: 1 }))),
  putCase(
    '$LATEST by its name',
    { Qualifier: '$LATEST', MaximumRetryAttempts: 1 },
    ok(view({ MaximumRetryAttempts: 1 })),
  ),
  putCase(
    'a version',
    { Qualifier: '1', MaximumRetryAttempts: 1 },
    ok(view({ FunctionArn: `${ARN}:1`, MaximumRetryAttempts: 1 })),
    ALIASED,
  ),
  putCase(
    'an alias',
    { Qualifier: 'live', MaximumRetryAttempts: 1 },
    ok(view({ FunctionArn: `${ARN}:live`, MaximumRetryAttempts: 1 })),
    ALIASED,
  ),
  putCase('an alias that is not there', { Qualifier: 'doesnotexist', MaximumRetryAttempts: 1 }, MISSING),
  putCase(
    'the ARN of an alias',
    { FunctionName: `${ARN}:live`, MaximumRetryAttempts: 1 },
    ok(view({ FunctionArn: `${ARN}:live`, MaximumRetryAttempts: 1 })),
    ALIASED,
  ),
  putCase(
    'the ARN of an alias and the same qualifier',
    { FunctionName: `${ARN}:live`, Qualifier: 'live', MaximumRetryAttempts: 1 },
    ok(view({ FunctionArn: `${ARN}:live`, MaximumRetryAttempts: 1 })),
    ALIASED,
  ),
  putCase(
    'the ARN of an alias and another qualifier',
    { FunctionName: `${ARN}:live`, Qualifier: '$LATEST', MaximumRetryAttempts: 1 },
    MISMATCH,
    ALIASED,
  ),
  putCase(
    'name:alias',
    { FunctionName: 'fn:live', MaximumRetryAttempts: 1 },
    ok(view({ FunctionArn: `${ARN}:live`, MaximumRetryAttempts: 1 })),
    ALIASED,
  ),
  putCase(
    'name:alias and the same qualifier',
    { FunctionName: 'fn:live', Qualifier: 'live', MaximumRetryAttempts: 1 },
    ok(view({ FunctionArn: `${ARN}:live`, MaximumRetryAttempts: 1 })),
    ALIASED,
  ),
  putCase(
    'name:alias and another qualifier',
    { FunctionName: 'fn:live', Qualifier: '$LATEST', MaximumRetryAttempts: 1 },
    MISMATCH,
    ALIASED,
  ),
  putCase(
    'name:version',
    { FunctionName: 'fn:1', MaximumRetryAttempts: 1 },
    ok(view({ FunctionArn: `${ARN}:1`, MaximumRetryAttempts: 1 })),
    ALIASED,
  ),
  putCase(
    'name:$LATEST and the same qualifier',
    { FunctionName: 'fn:$LATEST', Qualifier: '$LATEST', MaximumRetryAttempts: 1 },
    ok(view({ MaximumRetryAttempts: 1 })),
  ),
  putCase('replaces what was there', { MaximumRetryAttempts: 0 }, ok(view({ MaximumRetryAttempts: 0 })), [
    FN,
    put({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 60 }),
  ]),
  {
    operation: 'GetFunctionEventInvokeConfig',
    name: 'what was put last',
    given: [
      FN,
      put({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 60 }),
      put({ MaximumRetryAttempts: 0 }),
    ],
    input: { FunctionName: 'fn' },
    expect: ok(view({ MaximumRetryAttempts: 0 })),
    source: EXCEPTIONS,
  },
  {
    operation: 'UpdateFunctionEventInvokeConfig',
    name: 'changes one member and keeps the others',
    given: [FN, put({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 60 })],
    input: { FunctionName: 'fn', MaximumRetryAttempts: 0 },
    expect: ok(view({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 })),
    source: EXCEPTIONS,
  },
  {
    operation: 'ListFunctionEventInvokeConfigs',
    name: '$LATEST, a version and an alias',
    given: [
      ...ALIASED,
      put({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 }),
      put({ Qualifier: '1', MaximumRetryAttempts: 1 }),
      put({ Qualifier: 'live', MaximumRetryAttempts: 1 }),
    ],
    input: { FunctionName: 'fn' },
    expect: ok({
      FunctionEventInvokeConfigs: [
        view({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 }),
        view({ FunctionArn: `${ARN}:1`, MaximumRetryAttempts: 1 }),
        view({ FunctionArn: `${ARN}:live`, MaximumRetryAttempts: 1 }),
      ],
    }),
    source: EXCEPTIONS,
  },
  {
    operation: 'ListFunctionEventInvokeConfigs',
    name: 'none',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: ok({ FunctionEventInvokeConfigs: [] }),
    source: EXCEPTIONS,
  },
  {
    operation: 'ListFunctionEventInvokeConfigs',
    name: 'of a function that is not there',
    input: { FunctionName: 'doesnotexist' },
    expect: MISSING,
    source: EXCEPTIONS,
  },
  {
    operation: 'DeleteFunctionEventInvokeConfig',
    name: 'answers without a body',
    given: [FN, put({ MaximumRetryAttempts: 0 })],
    input: { FunctionName: 'fn' },
    expect: noContent,
    source: EXCEPTIONS,
  },
  {
    operation: 'DeleteFunctionEventInvokeConfig',
    name: 'of an alias',
    given: [...ALIASED, put({ Qualifier: 'live', MaximumRetryAttempts: 0 })],
    input: { FunctionName: 'fn', Qualifier: 'live' },
    expect: noContent,
    source: EXCEPTIONS,
  },
  {
    operation: 'DeleteFunctionEventInvokeConfig',
    name: 'that was never put',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: without(`${ARN}:$LATEST`),
    source: EXCEPTIONS,
  },
  {
    operation: 'DeleteFunctionEventInvokeConfig',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: without(`${ARN}:$LATEST`),
    source: EXCEPTIONS,
  },
  {
    operation: 'GetFunctionEventInvokeConfig',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: without(`${ARN}:$LATEST`),
    source: EXCEPTIONS,
  },
  {
    operation: 'GetFunctionEventInvokeConfig',
    name: 'of an alias that is not there',
    given: [FN],
    input: { FunctionName: 'fn', Qualifier: 'doesnotexist' },
    expect: without(`${ARN}:doesnotexist`),
    source: EXCEPTIONS,
  },
  {
    operation: 'GetFunctionEventInvokeConfig',
    name: 'of a version that is not there',
    given: [FN],
    input: { FunctionName: 'fn', Qualifier: '1221' },
    expect: without(`${ARN}:1221`),
    source: recorded('localstack test_lambda_api TestLambdaFunction.test_ops_on_nonexisting_version, 2024'),
  },
  {
    operation: 'GetFunctionEventInvokeConfig',
    name: 'of an alias without one',
    given: ALIASED,
    input: { FunctionName: 'fn', Qualifier: 'live' },
    expect: without(`${ARN}:live`),
    source: EXCEPTIONS,
  },
  {
    operation: 'UpdateFunctionEventInvokeConfig',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn', MaximumRetryAttempts: 0 },
    expect: MISSING,
    source: EXCEPTIONS,
  },
  {
    operation: 'UpdateFunctionEventInvokeConfig',
    name: 'of an alias without one',
    given: ALIASED,
    input: { FunctionName: 'fn', Qualifier: 'live', MaximumRetryAttempts: 0 },
    expect: without(`${ARN}:live`),
    source: EXCEPTIONS,
  },
  {
    operation: 'UpdateFunctionEventInvokeConfig',
    name: 'of $LATEST without one',
    given: [FN],
    input: { FunctionName: 'fn', MaximumRetryAttempts: 0 },
    expect: without(`${ARN}:$LATEST`),
    source: EXCEPTIONS,
  },
  {
    operation: 'PutFunctionEventInvokeConfig',
    name: 'everything',
    given: [FN],
    input: {
      FunctionName: 'fn',
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 21_600,
      DestinationConfig: {
        OnSuccess: { Destination: 'arn:aws:sqs:us-east-1:000000000000:done' },
        OnFailure: { Destination: 'arn:aws:sns:us-east-1:000000000000:failed' },
      },
    },
    expect: ok(
      view({
        MaximumRetryAttempts: 2,
        MaximumEventAgeInSeconds: 21_600,
        DestinationConfig: {
          OnSuccess: { Destination: 'arn:aws:sqs:us-east-1:000000000000:done' },
          OnFailure: { Destination: 'arn:aws:sns:us-east-1:000000000000:failed' },
        },
      }),
    ),
    source: LIFECYCLE,
  },
]
