/** Invocations: what they answer, and what they refuse before a function runs. */
import { ARN, FN, fnWith, publish } from '../function-bodies.ts'
import {
  NO_BODY,
  invalid,
  notFound,
  observed,
  ok,
  recorded,
  refused,
  step,
  unverified,
  type Expectation,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const RETURNS = recorded('localstack test_lambda TestLambdaBehavior and TestLambdaFeatures, 2024')
const REFUSES = recorded('localstack test_lambda TestLambdaErrors and TestLambdaFeatures, 2025')
const STREAM = observed('the SDK for JavaScript, which reads PayloadChunk and InvokeComplete')
const HELD = unverified('what was recorded for Invoke')

const EXECUTED = { 'x-amz-executed-version': '$LATEST', 'x-amz-function-error': null }
const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const invoke = (
  name: string,
  given: ParityCase['given'],
  input: Input,
  expect: Expectation,
  source = RETURNS,
): ParityCase => ({
  operation: 'Invoke',
  name,
  given: given ?? [],
  input: { FunctionName: 'fn', ...input },
  expect,
  source,
})
const brokenContext = refused(400, 'InvalidRequestContentException', {
  Type: 'User',
  message: 'Client context must be a valid Base64-encoded JSON object.',
})
const ALIASED = [
  FN,
  publish(),
  step('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' }),
]

export const invocationCases: readonly ParityCase[] = [
  invoke(
    'returns what the function returns',
    [FN],
    { Payload: json({ a: [1, null] }) },
    ok({ a: [1, null] }, EXECUTED),
  ),
  invoke(
    'without a payload: the event is an empty object',
    [FN],
    {},
    ok({}, EXECUTED),
    unverified('the developer guide for other callers'),
  ),
  invoke('a text', [FN], { Payload: json('text') }, ok('"text"', EXECUTED)),
  invoke('null', [FN], { Payload: json(null) }, ok('null', EXECUTED)),
  invoke(
    'a version',
    [FN, publish()],
    { Qualifier: '1', Payload: json(1) },
    ok('1', { ...EXECUTED, 'x-amz-executed-version': '1' }),
  ),
  invoke(
    'an alias: the header names the version',
    ALIASED,
    { Qualifier: 'live', Payload: json(1) },
    ok('1', { ...EXECUTED, 'x-amz-executed-version': '1' }),
  ),
  invoke(
    'asynchronously: neither a body nor a version',
    [FN],
    { InvocationType: 'Event', Payload: json({}) },
    { status: 202, body: NO_BODY, headers: { 'x-amz-executed-version': null, 'content-type': null } },
  ),
  invoke(
    'a dry run',
    [FN],
    { InvocationType: 'DryRun' },
    { status: 204, body: NO_BODY, headers: { 'x-amz-executed-version': null } },
  ),
  invoke('of a function that is not there', [], {}, notFound(`Function not found: ${ARN}:$LATEST`), REFUSES),
  invoke(
    'a version that is not there',
    [FN],
    { Qualifier: '7' },
    notFound(`Function not found: ${ARN}:7`),
    REFUSES,
  ),
  invoke(
    'an alias that is not there',
    [FN],
    { Qualifier: 'alias-not-existing' },
    notFound(`Function not found: ${ARN}:alias-not-existing`),
    REFUSES,
  ),
  invoke(
    'a dry run of a function that is not there',
    [],
    { InvocationType: 'DryRun' },
    notFound(`Function not found: ${ARN}:$LATEST`),
    HELD,
  ),
  invoke(
    'asynchronously, of a function that is not there',
    [],
    { InvocationType: 'Event' },
    notFound(`Function not found: ${ARN}:$LATEST`),
    HELD,
  ),
  invoke(
    'a payload that is no UTF-8',
    [FN],
    { Payload: Buffer.from([0x22, 0x61, 0x87, 0x22]) },
    refused(400, 'InvalidRequestContentException', {
      Type: 'User',
      message:
        'Could not parse request body into json: Could not parse payload into json: Invalid UTF-8 start byte 0x87\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 3]',
    }),
    REFUSES,
  ),
  invoke('a context that is not base64', [FN], { ClientContext: 'xx!' }, brokenContext, REFUSES),
  invoke(
    'a context that is no JSON',
    [FN],
    { ClientContext: Buffer.from('not json').toString('base64') },
    brokenContext,
    REFUSES,
  ),
  invoke(
    'more than the function may run at once',
    [FN, step('PutFunctionConcurrency', { FunctionName: 'fn', ReservedConcurrentExecutions: 0 })],
    {},
    refused(429, 'TooManyRequestsException', {
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      Type: 'User',
      message: 'Rate Exceeded.',
    }),
    REFUSES,
  ),
  invoke(
    'two qualifiers',
    [FN],
    { FunctionName: 'fn:1', Qualifier: '2' },
    invalid('The derived qualifier from the function name does not match the specified qualifier.'),
    unverified('what was recorded for GetFunction'),
  ),
  {
    operation: 'InvokeAsync',
    name: 'answers without a body',
    given: [FN],
    input: { FunctionName: 'fn', InvokeArgs: json({}) },
    expect: { status: 202, body: NO_BODY },
    source: observed('the SDK for JavaScript, which takes the status from the answer itself'),
  },
  {
    operation: 'InvokeAsync',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn', InvokeArgs: json({}) },
    expect: notFound(`Function not found: ${ARN}:$LATEST`),
    source: HELD,
  },
  {
    operation: 'InvokeAsync',
    name: 'a payload that is no UTF-8',
    given: [FN],
    input: { FunctionName: 'fn', InvokeArgs: Buffer.from([0x22, 0x61, 0x87, 0x22]) },
    expect: refused(400, 'InvalidRequestContentException', {
      Type: 'User',
      message:
        'Could not parse request body into json: Could not parse payload into json: Invalid UTF-8 start byte 0x87\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 3]',
    }),
    source: HELD,
  },
  {
    operation: 'InvokeWithResponseStream',
    name: 'chunks, then the end',
    given: [FN],
    input: { FunctionName: 'fn', Payload: json({ a: 1 }) },
    expect: ok(
      [
        { event: 'PayloadChunk', payload: '{"a":1}' },
        { event: 'InvokeComplete', payload: '{}' },
      ],
      { ...EXECUTED, 'content-type': 'application/vnd.amazon.eventstream' },
    ),
    source: STREAM,
  },
  {
    operation: 'InvokeWithResponseStream',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: notFound(`Function not found: ${ARN}:$LATEST`),
    source: HELD,
  },
  {
    operation: 'InvokeWithResponseStream',
    name: 'more than the function may run at once',
    given: [FN, step('PutFunctionConcurrency', { FunctionName: 'fn', ReservedConcurrentExecutions: 0 })],
    input: { FunctionName: 'fn' },
    expect: refused(429, 'TooManyRequestsException', {
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      Type: 'User',
      message: 'Rate Exceeded.',
    }),
    source: HELD,
  },
  {
    operation: 'InvokeWithResponseStream',
    name: 'a dry run',
    given: [FN],
    input: { FunctionName: 'fn', InvocationType: 'DryRun' },
    expect: { status: 204, body: NO_BODY },
    source: HELD,
  },
  invoke(
    'a function that runs into its timeout: is no error of the request',
    [fnWith({ Code: { ZipFile: '<slow zip>' }, Timeout: 1 })],
    {},
    ok(
      {
        errorType: 'Sandbox.Timedout',
        errorMessage: 'RequestId: <uuid> Error: Task timed out after 1.00 seconds',
      },
      { 'x-amz-function-error': 'Unhandled', 'x-amz-executed-version': '$LATEST' },
    ),
    recorded('localstack test_lambda TestLambdaBehavior.test_lambda_timeout_logs and others, 2025'),
  ),
]
