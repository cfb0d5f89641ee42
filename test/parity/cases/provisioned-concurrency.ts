/** Provisioned concurrency of versions and aliases. */
import { ARN, configure, CREATE, FN, publish } from '../function-bodies.ts'
import {
  conflict,
  invalid,
  noContent,
  notFound,
  observed,
  ok,
  recorded,
  refused,
  step,
  validation,
  type Expectation,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const from = (name: string) =>
  recorded(`localstack test_lambda_api TestLambdaProvisionedConcurrency.${name}, 2024`)
const EXCEPTIONS = from('test_provisioned_concurrency_exceptions')
const LIFECYCLE = from('test_lambda_provisioned_lifecycle')
const LIMITS = from('test_provisioned_concurrency_limits')

const VERSION = [FN, publish()]
const ALIASED = [...VERSION, step('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' })]
const put = (Qualifier: string, ProvisionedConcurrentExecutions = 1) => ({
  FunctionName: 'fn',
  Qualifier,
  ProvisionedConcurrentExecutions,
})
const SECOND = [
  configure({ Description: 'second' }),
  step('PublishVersion', { FunctionName: 'fn' }, { as: 'second' }),
]
const WEIGHTED = step('UpdateAlias', {
  FunctionName: 'fn',
  Name: 'live',
  RoutingConfig: { AdditionalVersionWeights: { 2: 0.5 } },
})
const ON_VERSION = step('PutProvisionedConcurrencyConfig', put('1'))
const ON_ALIAS = step('PutProvisionedConcurrencyConfig', put('live'))
const remove = (Qualifier: string) =>
  step('DeleteProvisionedConcurrencyConfig', { FunctionName: 'fn', Qualifier })
const STARTED: Expectation = {
  status: 202,
  body: {
    AllocatedProvisionedConcurrentExecutions: 0,
    AvailableProvisionedConcurrentExecutions: 0,
    LastModified: '<date to the second>',
    RequestedProvisionedConcurrentExecutions: 1,
    Status: 'IN_PROGRESS',
  },
}
const READY = [
  ...VERSION,
  ON_VERSION,
  step(
    'GetProvisionedConcurrencyConfig',
    { FunctionName: 'fn', Qualifier: '1' },
    { until: { member: 'Status', is: 'READY' } },
  ),
]
const READY_VIEW = {
  AllocatedProvisionedConcurrentExecutions: 1,
  AvailableProvisionedConcurrentExecutions: 1,
  LastModified: '<date to the second>',
  RequestedProvisionedConcurrentExecutions: 1,
  Status: 'READY',
}
const FAILED_VIEW = {
  AllocatedProvisionedConcurrentExecutions: 0,
  AvailableProvisionedConcurrentExecutions: 0,
  Status: 'FAILED',
  StatusReason: 'FUNCTION_ERROR_INIT_FAILURE',
}
const NONE = refused(404, 'ProvisionedConcurrencyConfigNotFoundException', {
  Type: 'User',
  message: 'No Provisioned Concurrency Config found for this function',
})
/** Recorded without a `Type`. */
const tooMany = (message: string) => refused(400, 'InvalidParameterValueException', { message })
const UNPUBLISHED = invalid('The function resource provided must be an alias or a published version.')

const one = (
  operation: string,
  name: string,
  given: ParityCase['given'],
  input: Input,
  expect: Expectation,
  source = EXCEPTIONS,
): ParityCase => ({ operation, name, given: given ?? [], input, expect, source })

/** What all three operations say of an alias or a version that is not there. */
const missing = (operation: string, more: Input): ParityCase[] => [
  one(
    operation,
    'an alias of a function that is not there',
    [],
    { FunctionName: 'doesnotexist', Qualifier: 'noalias', ...more },
    operation.startsWith('Delete')
      ? notFound(`Function not found: ${ARN.replace(/fn$/, 'doesnotexist')}:1`)
      : notFound(`Cannot find alias arn: ${ARN.replace(/fn$/, 'doesnotexist')}:noalias`),
  ),
  one(
    operation,
    'an alias that is not there',
    VERSION,
    { FunctionName: 'fn', Qualifier: 'noalias', ...more },
    notFound(`Cannot find alias arn: ${ARN}:noalias`),
  ),
  one(
    operation,
    'a version that is not there',
    VERSION,
    { FunctionName: 'fn', Qualifier: '10', ...more },
    notFound(`Function not found: ${ARN}:10`),
  ),
]

export const provisionedConcurrencyCases: readonly ParityCase[] = [
  one('PutProvisionedConcurrencyConfig', 'of a version', VERSION, put('1'), STARTED, LIFECYCLE),
  one('PutProvisionedConcurrencyConfig', 'of an alias', ALIASED, put('live'), STARTED, LIFECYCLE),
  one(
    'PutProvisionedConcurrencyConfig',
    'of an alias whose version has some',
    [...ALIASED, ON_VERSION],
    put('live'),
    conflict(
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    ),
    LIFECYCLE,
  ),
  one(
    'PutProvisionedConcurrencyConfig',
    'of a version whose alias has some',
    [...ALIASED, ON_ALIAS],
    put('1'),
    conflict('Version is pointed by a Provisioned Concurrency alias'),
    LIFECYCLE,
  ),
  one(
    'DeleteProvisionedConcurrencyConfig',
    'answers without a body',
    [...VERSION, ON_VERSION],
    { FunctionName: 'fn', Qualifier: '1' },
    noContent,
    LIFECYCLE,
  ),
  one(
    'GetProvisionedConcurrencyConfig',
    'after it was deleted',
    [...VERSION, ON_VERSION, remove('1')],
    { FunctionName: 'fn', Qualifier: '1' },
    NONE,
    LIFECYCLE,
  ),
  one(
    'GetProvisionedConcurrencyConfig',
    'of an alias that was deleted',
    [...ALIASED, ON_ALIAS, step('DeleteAlias', { FunctionName: 'fn', Name: 'live' })],
    { FunctionName: 'fn', Qualifier: 'live' },
    notFound(`Cannot find alias arn: ${ARN}:live`),
    LIFECYCLE,
  ),
  one(
    'ListProvisionedConcurrencyConfigs',
    'after the alias was deleted',
    [...ALIASED, ON_ALIAS, step('DeleteAlias', { FunctionName: 'fn', Name: 'live' })],
    { FunctionName: 'fn' },
    ok({ ProvisionedConcurrencyConfigs: [] }),
    LIFECYCLE,
  ),
  one('GetProvisionedConcurrencyConfig', 'none', VERSION, { FunctionName: 'fn', Qualifier: '1' }, NONE),
  ...missing('GetProvisionedConcurrencyConfig', {}),
  ...missing('PutProvisionedConcurrencyConfig', { ProvisionedConcurrentExecutions: 1 }),
  ...missing('DeleteProvisionedConcurrencyConfig', {}).slice(1),
  one(
    'PutProvisionedConcurrencyConfig',
    'a version of a function that is not there',
    [],
    put('1'),
    notFound(`Function not found: ${ARN}:1`),
  ),
  one(
    'DeleteProvisionedConcurrencyConfig',
    'a version of a function that is not there',
    [],
    { FunctionName: 'fn', Qualifier: '1' },
    notFound(`Function not found: ${ARN}:1`),
  ),
  one(
    'GetProvisionedConcurrencyConfig',
    '$LATEST',
    VERSION,
    { FunctionName: 'fn', Qualifier: '$LATEST' },
    UNPUBLISHED,
  ),
  one(
    'DeleteProvisionedConcurrencyConfig',
    '$LATEST',
    VERSION,
    { FunctionName: 'fn', Qualifier: '$LATEST' },
    UNPUBLISHED,
  ),
  one(
    'PutProvisionedConcurrencyConfig',
    '$LATEST',
    VERSION,
    put('$LATEST'),
    invalid('Provisioned Concurrency Configs cannot be applied to unpublished function versions.'),
  ),
  one(
    'DeleteProvisionedConcurrencyConfig',
    'none: is no error',
    VERSION,
    { FunctionName: 'fn', Qualifier: '1' },
    noContent,
  ),
  one(
    'ListProvisionedConcurrencyConfigs',
    'none',
    VERSION,
    { FunctionName: 'fn' },
    ok({ ProvisionedConcurrencyConfigs: [] }),
  ),
  one(
    'ListProvisionedConcurrencyConfigs',
    'of a function that is not there',
    [],
    { FunctionName: 'fn' },
    notFound(`Function not found: ${ARN}`),
  ),
  one(
    'PutProvisionedConcurrencyConfig',
    'nothing',
    VERSION,
    put('1', 0),
    validation(
      "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ),
  ),
  one(
    'PutProvisionedConcurrencyConfig',
    'more than the account has',
    VERSION,
    put('1', 1001),
    tooMany(
      "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].",
    ),
    LIMITS,
  ),
  one(
    'PutProvisionedConcurrencyConfig',
    'all that the account has',
    VERSION,
    put('1', 1000),
    tooMany(
      "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
    ),
    LIMITS,
  ),
  one(
    'PutFunctionConcurrency',
    'less than what is provisioned',
    [...VERSION, step('PutProvisionedConcurrencyConfig', put('1', 2))],
    { FunctionName: 'fn', ReservedConcurrentExecutions: 1 },
    invalid(
      " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].",
    ),
    recorded(
      'localstack test_lambda TestLambdaConcurrency.test_lambda_provisioned_concurrency_scheduling and others, 2024',
    ),
  ),
  one(
    'GetProvisionedConcurrencyConfig',
    'that is ready',
    READY,
    { FunctionName: 'fn', Qualifier: '1' },
    ok(READY_VIEW),
    recorded(
      'localstack test_lambda TestLambdaConcurrency.test_lambda_provisioned_concurrency_scheduling, 2024',
    ),
  ),
  one(
    'ListProvisionedConcurrencyConfigs',
    'that is ready',
    READY,
    { FunctionName: 'fn' },
    ok({ ProvisionedConcurrencyConfigs: [{ ...READY_VIEW, FunctionArn: `${ARN}:1` }] }),
    recorded(
      'localstack test_lambda TestLambdaConcurrency.test_lambda_provisioned_concurrency_scheduling, 2024',
    ),
  ),
  one(
    'PutProvisionedConcurrencyConfig',
    'more than the function has reserved',
    [...VERSION, step('PutFunctionConcurrency', { FunctionName: 'fn', ReservedConcurrentExecutions: 1 })],
    put('1', 2),
    invalid(
      'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
    ),
    observed('localstack, which quotes it'),
  ),
  one(
    'PutProvisionedConcurrencyConfig',
    'of an alias with weights',
    [...ALIASED, ...SECOND, WEIGHTED],
    put('live'),
    invalid('Alias with weights can not be used with Provisioned Concurrency'),
    observed('terraform-provider-aws pull request 48116 and other clients, which quote it'),
  ),
  one(
    'UpdateAlias',
    'one with provisioned concurrency goes on serving the version it had',
    [...ALIASED, ON_ALIAS, ...SECOND],
    { FunctionName: 'fn', Name: 'live', FunctionVersion: '2' },
    ok({
      AliasArn: `${ARN}:live`,
      Description: '',
      FunctionVersion: '2',
      Name: 'live',
      RevisionId: '<uuid>',
      RoutingConfig: { AdditionalVersionWeights: { 1: 1 } },
    }),
    observed('terraform-provider-aws pull request 48116, which waits for the weights to go'),
  ),
  one(
    'GetProvisionedConcurrencyConfig',
    'whose init fails',
    [
      step('CreateFunction', { ...CREATE, Code: { ZipFile: '<broken zip>' } }, { settles: 'fn', as: 'fn' }),
      publish(),
      ON_VERSION,
      step(
        'GetProvisionedConcurrencyConfig',
        { FunctionName: 'fn', Qualifier: '1' },
        { until: { member: 'Status', is: 'FAILED' } },
      ),
    ],
    { FunctionName: 'fn', Qualifier: '1' },
    ok({ ...READY_VIEW, ...FAILED_VIEW }),
    recorded('localstack test_lambda TestLambdaConcurrency, 2024'),
  ),
]
