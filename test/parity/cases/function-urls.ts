/** Function URLs: their configuration. */
import { ARN, FN, publish } from '../function-bodies.ts'
import {
  conflict,
  created,
  documented,
  invalid,
  noContent,
  notFound,
  observed,
  ok,
  recorded,
  step,
  validation,
  type Expectation,
  type Input,
  type ParityCase,
  type Source,
  type Step,
} from '../parity-case.ts'

const from = (name: string) => recorded(`localstack test_lambda_api TestLambdaUrl.${name}, 2024`)
const EXCEPTIONS = from('test_url_config_exceptions')
const PAGING = from('test_url_config_list_paging')
const LIFECYCLE = from('test_url_config_lifecycle')

const ALIASED = [
  FN,
  publish(),
  step('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' }),
]
const url = (more: Input = {}) => ({ FunctionName: 'fn', AuthType: 'NONE', ...more })
const URL = step('CreateFunctionUrlConfig', url())
const ALIAS_URL = step('CreateFunctionUrlConfig', url({ Qualifier: 'live' }))
const view = (more: Input = {}) => ({
  AuthType: 'NONE',
  CreationTime: '<date>',
  FunctionArn: ARN,
  FunctionUrl: '<function url>',
  ...more,
})
const full = (more: Input = {}) => view({ InvokeMode: 'BUFFERED', LastModifiedTime: '<date>', ...more })

const CORS = {
  AllowCredentials: true,
  AllowHeaders: ['x-custom'],
  AllowMethods: ['GET'],
  AllowOrigins: ['https://example.org'],
  ExposeHeaders: ['date'],
  MaxAge: 60,
}

const GONE = notFound('The resource you requested does not exist.')
const NO_FUNCTION = notFound('Function does not exist')
const MISMATCH = invalid(
  'The derived qualifier from the function name does not match the specified qualifier.',
)
const badQualifier = (value: string) =>
  validation(
    `1 validation error detected: Value '${value}' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)`,
  )

const one = (
  operation: string,
  name: string,
  given: readonly Step[],
  input: Input,
  expect: Expectation,
  source: Source = EXCEPTIONS,
): ParityCase => ({ operation, name, given, input, expect, source })

/** What each of the four operations says of functions and qualifiers that are not there, or can have no URL. */
const exceptions = (
  operation: string,
  missing: Expectation,
  without: Expectation | undefined,
): ParityCase[] => {
  const more = operation.startsWith('Create') ? { AuthType: 'NONE' } : {}
  const at = (name: string, given: readonly Step[], input: Input, expect: Expectation) =>
    one(operation, name, given, { ...more, ...input }, expect)
  return [
    at('a function that is not there', [], { FunctionName: 'doesnotexist' }, missing),
    at('the ARN of a function that is not there', [], { FunctionName: ARN }, missing),
    at(
      'a function that is not there, with a version',
      [],
      { FunctionName: 'fn', Qualifier: '1' },
      badQualifier('1'),
    ),
    at('a version', ALIASED, { FunctionName: 'fn', Qualifier: '1' }, badQualifier('1')),
    at('a version that is not there', ALIASED, { FunctionName: 'fn', Qualifier: '2' }, badQualifier('2')),
    at('an alias that is not there', ALIASED, { FunctionName: 'fn', Qualifier: 'doesntexist' }, missing),
    at('$LATEST by its name', [FN], { FunctionName: 'fn', Qualifier: '$LATEST' }, badQualifier('$LATEST')),
    // AWS itself failed when asked to delete this way, so that there is nothing to hold to.
    ...(operation.startsWith('Delete')
      ? []
      : [
          at(
            'the ARN of an alias and another qualifier',
            ALIASED,
            { FunctionName: `${ARN}:live`, Qualifier: 'doesntexist' },
            MISMATCH,
          ),
        ]),
    ...(without ? [at('a function without a URL', [FN], { FunctionName: 'fn' }, without)] : []),
  ]
}

export const functionUrlCases: readonly ParityCase[] = [
  one('CreateFunctionUrlConfig', 'of a function', [FN], url(), created(view()), LIFECYCLE),
  one(
    'CreateFunctionUrlConfig',
    'of an alias',
    ALIASED,
    url({ Qualifier: 'live' }),
    created(view({ FunctionArn: `${ARN}:live` })),
    PAGING,
  ),
  one(
    'CreateFunctionUrlConfig',
    'a second one',
    [FN, URL],
    url(),
    conflict(
      `Failed to create function url config for [functionArn = ${ARN}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
    ),
    LIFECYCLE,
  ),
  one(
    'GetFunctionUrlConfig',
    'with its default mode',
    [FN, URL],
    { FunctionName: 'fn' },
    ok(full()),
    LIFECYCLE,
  ),
  one(
    'UpdateFunctionUrlConfig',
    'the kind of authorisation: the answer leaves the mode out',
    [FN, URL],
    { FunctionName: 'fn', AuthType: 'AWS_IAM' },
    ok(view({ AuthType: 'AWS_IAM', LastModifiedTime: '<date>' })),
    LIFECYCLE,
  ),
  one(
    'DeleteFunctionUrlConfig',
    'answers without a body',
    [FN, URL],
    { FunctionName: 'fn' },
    noContent,
    LIFECYCLE,
  ),
  one(
    'GetFunctionUrlConfig',
    'after it was deleted',
    [FN, URL, step('DeleteFunctionUrlConfig', { FunctionName: 'fn' })],
    { FunctionName: 'fn' },
    GONE,
    LIFECYCLE,
  ),
  one(
    'ListFunctionUrlConfigs',
    'of a function that is not there',
    [],
    { FunctionName: 'fn' },
    NO_FUNCTION,
    PAGING,
  ),
  one('ListFunctionUrlConfigs', 'none', [FN], { FunctionName: 'fn' }, ok({ FunctionUrlConfigs: [] }), PAGING),
  one(
    'ListFunctionUrlConfigs',
    'of a function and of its alias',
    [...ALIASED, URL, ALIAS_URL],
    { FunctionName: 'fn' },
    ok({ FunctionUrlConfigs: [full(), full({ FunctionArn: `${ARN}:live` })] }),
    PAGING,
  ),
  one(
    'CreateFunctionUrlConfig',
    'with all members',
    [FN],
    url({ InvokeMode: 'RESPONSE_STREAM', Cors: CORS }),
    created(view({ InvokeMode: 'RESPONSE_STREAM', Cors: CORS })),
    documented('CreateFunctionUrlConfig in the API reference'),
  ),
  one(
    'CreateFunctionUrlConfig',
    'a method that is none',
    [FN],
    url({ Cors: { AllowMethods: ['GET', 'POST', 'OPTIONS'] } }),
    validation(
      "1 validation error detected: Value '[GET, POST, OPTIONS]' at 'cors.allowMethods' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 6, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: .*, Member must not be null]",
    ),
    observed('users of AWS, who have quoted this text'),
  ),
  one(
    'CreateFunctionUrlConfig',
    'a mode that is none',
    [FN],
    url({ InvokeMode: 'UNKNOWN' }),
    validation(
      "1 validation error detected: Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]",
    ),
    recorded('localstack test_lambda TestLambdaURL.test_lambda_url_invalid_invoke_mode, 2023'),
  ),
  ...exceptions('CreateFunctionUrlConfig', NO_FUNCTION, undefined),
  ...exceptions('GetFunctionUrlConfig', GONE, GONE),
  ...exceptions('DeleteFunctionUrlConfig', GONE, GONE),
  ...exceptions('UpdateFunctionUrlConfig', NO_FUNCTION, GONE),
]
