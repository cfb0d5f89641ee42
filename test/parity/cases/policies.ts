/** Resource policies by statements, as they were before PutResourcePolicy. */
import { ARN, FN, publish } from '../function-bodies.ts'
import {
  conflict,
  created,
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

const from = (name: string) => recorded(`localstack test_lambda_api TestLambdaPermissions.${name}, 2024`)
const ADD = from('test_add_lambda_permission_aws')
const REMOVE = from('test_remove_multi_permissions')
const EXCEPTIONS = from('test_permission_exceptions')
const SEVERAL = from('test_create_multiple_lambda_permissions')

const allow = (StatementId: string, more: Input = {}) => ({
  FunctionName: 'fn',
  StatementId,
  Action: 'lambda:InvokeFunction',
  Principal: `${StatementId}.amazonaws.com`,
  ...more,
})
const statement = (Sid: string, more: Input = {}) => ({
  Sid,
  Effect: 'Allow',
  Principal: { Service: `${Sid}.amazonaws.com` },
  Action: 'lambda:InvokeFunction',
  Resource: ARN,
  ...more,
})
const CONDITION = { Condition: { ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::bucket' } } }
const added = (Sid: string, more: Input = {}) => created({ Statement: JSON.stringify(statement(Sid, more)) })
const policy = (...Statement: readonly unknown[]) =>
  ok({
    Policy: JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement }),
    RevisionId: '<uuid>',
  })
const S3 = step('AddPermission', allow('s3'))
const SQS = step('AddPermission', allow('sqs', { SourceArn: 'arn:aws:s3:::bucket' }))
const remove = (StatementId: string) => step('RemovePermission', { FunctionName: 'fn', StatementId })
const GONE = notFound('The resource you requested does not exist.')

const failing = (
  operation: string,
  name: string,
  given: ParityCase['given'],
  input: Input,
  expect: ParityCase['expect'],
): ParityCase => ({ operation, name, given: given ?? [], input, expect, source: EXCEPTIONS })

const EXCEPTION_CASES: readonly ParityCase[] = [
  failing(
    'AddPermission',
    'a statement id that is none',
    [FN],
    allow('s3', { StatementId: 'example!com' }),
    validation(
      "1 validation error detected: Value 'example!com' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
    ),
  ),
  failing(
    'AddPermission',
    'the ARN of a version and another qualifier',
    [FN, publish()],
    allow('s3', { FunctionName: `${ARN}:1`, Qualifier: '42' }),
    invalid('The derived qualifier from the function name does not match the specified qualifier.'),
  ),
  failing(
    'AddPermission',
    '$LATEST by its name',
    [FN],
    allow('s3', { Qualifier: '$LATEST' }),
    invalid('We currently do not support adding policies for $LATEST.'),
  ),
  failing(
    'AddPermission',
    'a principal that is none',
    [FN],
    allow('s3', { Principal: 'invalid.nonaws.com' }),
    invalid('The provided principal was invalid. Please check the principal and try again.'),
  ),
  failing(
    'GetPolicy',
    'of a function that is not there',
    [],
    { FunctionName: 'doesnotexist' },
    notFound(`Function not found: ${ARN.replace(/fn$/, 'doesnotexist')}`),
  ),
  failing('GetPolicy', 'of a version that is not there', [FN], { FunctionName: 'fn', Qualifier: '42' }, GONE),
  failing('GetPolicy', 'of a function without one', [FN], { FunctionName: 'fn' }, GONE),
  failing(
    'AddPermission',
    'of a function that is not there',
    [],
    allow('s3', { FunctionName: 'doesnotexist' }),
    notFound(`Function not found: ${ARN.replace(/fn$/, 'doesnotexist')}`),
  ),
  failing(
    'RemovePermission',
    'of a function without a policy',
    [FN],
    { FunctionName: 'fn', StatementId: 's3' },
    notFound('No policy is associated with the given resource.'),
  ),
  failing(
    'AddPermission',
    'of an alias that is not there',
    [FN],
    allow('s3', { Qualifier: 'alias-doesnotexist' }),
    notFound(`Cannot find alias arn: ${ARN}:alias-doesnotexist`),
  ),
  failing(
    'AddPermission',
    'of a version that is not there',
    [FN],
    allow('s3', { Qualifier: '42' }),
    notFound(`Function not found: ${ARN}:42`),
  ),
  failing(
    'AddPermission',
    'a qualifier with a dollar sign',
    [FN],
    allow('s3', { Qualifier: 'valid-with-$-but-doesnotexist' }),
    notFound(`Function not found: ${ARN}:valid-with-$-but-doesnotexist`),
  ),
  failing(
    'AddPermission',
    'a statement id that is taken',
    [FN, S3],
    allow('s3'),
    conflict(
      'The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.',
    ),
  ),
  failing(
    'RemovePermission',
    'of a function that is not there',
    [],
    { FunctionName: 'doesnotexist', StatementId: 's3' },
    notFound(`No policy found for: ${ARN.replace(/fn$/, 'doesnotexist')}`),
  ),
  failing(
    'RemovePermission',
    'of an alias that is not there',
    [FN, S3],
    { FunctionName: 'fn', StatementId: 's3', Qualifier: 'alias-doesnotexist' },
    notFound(`Cannot find alias arn: ${ARN}:alias-doesnotexist`),
  ),
]

export const policyCases: readonly ParityCase[] = [
  {
    operation: 'AddPermission',
    name: 'a service, for one source',
    given: [FN],
    input: allow('s3', { SourceArn: 'arn:aws:s3:::bucket' }),
    expect: added('s3', CONDITION),
    source: ADD,
  },
  {
    operation: 'GetPolicy',
    name: 'one statement with a condition',
    given: [FN, step('AddPermission', allow('s3', { SourceArn: 'arn:aws:s3:::bucket' }))],
    input: { FunctionName: 'fn' },
    expect: policy(statement('s3', CONDITION)),
    source: ADD,
  },
  {
    operation: 'AddPermission',
    name: 'a service',
    given: [FN],
    input: allow('s3'),
    expect: added('s3'),
    source: REMOVE,
  },
  {
    operation: 'AddPermission',
    name: 'a second statement',
    given: [FN, S3],
    input: SQS.input,
    expect: added('sqs', CONDITION),
    source: REMOVE,
  },
  {
    operation: 'GetPolicy',
    name: 'two statements in the order of their making',
    given: [FN, S3, SQS],
    input: { FunctionName: 'fn' },
    expect: policy(statement('s3'), statement('sqs', CONDITION)),
    source: REMOVE,
  },
  {
    operation: 'GetPolicy',
    name: 'two statements without conditions',
    given: [FN, step('AddPermission', allow('logs')), step('AddPermission', allow('kinesis'))],
    input: { FunctionName: 'fn' },
    expect: policy(statement('logs'), statement('kinesis')),
    source: SEVERAL,
  },
  {
    operation: 'RemovePermission',
    name: 'answers without a body',
    given: [FN, S3],
    input: { FunctionName: 'fn', StatementId: 's3' },
    expect: noContent,
    source: REMOVE,
  },
  {
    operation: 'RemovePermission',
    name: 'a statement that is not there',
    given: [FN, S3],
    input: { FunctionName: 'fn', StatementId: 'non-existent' },
    expect: notFound('Statement non-existent is not found in resource policy.'),
    source: REMOVE,
  },
  {
    operation: 'GetPolicy',
    name: 'after one of two was removed',
    given: [FN, S3, SQS, remove('sqs')],
    input: { FunctionName: 'fn' },
    expect: policy(statement('s3')),
    source: REMOVE,
  },
  {
    operation: 'GetPolicy',
    name: 'after all were removed',
    given: [FN, S3, remove('s3')],
    input: { FunctionName: 'fn' },
    expect: GONE,
    source: REMOVE,
  },
  ...EXCEPTION_CASES,
]
