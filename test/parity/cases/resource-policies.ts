/** Policies of versions and aliases, the many members of AddPermission, and whole policies at once. */
import { ARN, FN, publish } from '../function-bodies.ts'
import {
  created,
  documented,
  invalid,
  noContent,
  notFound,
  ok,
  precondition,
  recorded,
  step,
  unverified,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const from = (name: string) => recorded(`localstack test_lambda_api TestLambdaPermissions.${name}, 2024`)
const FIELDS = from('test_add_lambda_permission_fields')
const VERSIONS = from('test_lambda_permission_fn_versioning')
const WHOLE = documented('PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy in the API reference')

const ACCOUNT = { 'AWS:SourceAccount': '000000000000' }
const allow = (StatementId: string, more: Input = {}) => ({
  FunctionName: 'fn',
  StatementId,
  Action: 'lambda:InvokeFunction',
  Principal: 's3.amazonaws.com',
  ...more,
})
const statement = (Sid: string, Principal: unknown, more: Input = {}, Resource = ARN) => ({
  Sid,
  Effect: 'Allow',
  Principal,
  Action: 'lambda:InvokeFunction',
  Resource,
  ...more,
})
const S3 = { Service: 's3.amazonaws.com' }
const fields = (name: string, input: Input, wanted: unknown): ParityCase => ({
  operation: 'AddPermission',
  name,
  given: [FN],
  input,
  expect: created({ Statement: JSON.stringify(wanted) }),
  source: FIELDS,
})
const policy = (...Statement: readonly unknown[]) =>
  ok({ Policy: JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement }), RevisionId: '<uuid>' })
const STALE = precondition(
  'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
)
const ALIASED = [
  FN,
  publish(),
  step('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' }, { as: 'alias' }),
]
const DOCUMENT = JSON.stringify({
  Version: '2012-10-17',
  Statement: [statement('team', { AWS: '123456789012' })],
})
const PUT = step('PutResourcePolicy', { ResourceArn: ARN, Policy: DOCUMENT }, { as: 'put' })
const GONE = notFound('The resource you requested does not exist.')

export const resourcePolicyCases: readonly ParityCase[] = [
  fields(
    'everybody, of one account',
    allow('wilcard', { Principal: '*', SourceAccount: '000000000000' }),
    statement('wilcard', '*', { Condition: { StringEquals: ACCOUNT } }),
  ),
  fields(
    'a service, of one account',
    allow('lambda', { Principal: 'lambda.amazonaws.com', SourceAccount: '000000000000' }),
    statement('lambda', { Service: 'lambda.amazonaws.com' }, { Condition: { StringEquals: ACCOUNT } }),
  ),
  fields(
    'an account',
    allow('account-id', { Principal: '000000000000' }),
    statement('account-id', { AWS: 'arn:aws:iam::000000000000:root' }),
  ),
  fields(
    'a user',
    allow('user-arn', { Principal: 'arn:aws:iam::000000000000:user/u', SourceAccount: '000000000000' }),
    statement(
      'user-arn',
      { AWS: 'arn:aws:iam::000000000000:user/u' },
      { Condition: { StringEquals: ACCOUNT } },
    ),
  ),
  fields(
    'every condition at once, in the order that was recorded',
    allow('urlPermission', {
      Action: 'lambda:InvokeFunctionUrl',
      Principal: '*',
      SourceArn: 'arn:aws:s3:::bucket',
      SourceAccount: '000000000000',
      PrincipalOrgID: 'o-1234567890',
      FunctionUrlAuthType: 'NONE',
    }),
    {
      Sid: 'urlPermission',
      Effect: 'Allow',
      Principal: '*',
      Action: 'lambda:InvokeFunctionUrl',
      Resource: ARN,
      Condition: {
        StringEquals: {
          ...ACCOUNT,
          'lambda:FunctionUrlAuthType': 'NONE',
          'aws:PrincipalOrgID': 'o-1234567890',
        },
        ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::bucket' },
      },
    },
  ),
  fields(
    'an Alexa skill',
    allow('alexaSkill', {
      Principal: '*',
      EventSourceToken: 'amzn1.ask.skill.xxxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx',
    }),
    statement('alexaSkill', '*', {
      Condition: {
        StringEquals: {
          'lambda:EventSourceToken': 'amzn1.ask.skill.xxxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx',
        },
      },
    }),
  ),
  {
    operation: 'GetPolicy',
    name: "a version does not take the function's policy",
    given: [FN, step('AddPermission', allow('s3')), publish()],
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: GONE,
    source: VERSIONS,
  },
  {
    operation: 'GetPolicy',
    name: 'of a version',
    given: [FN, publish(), step('AddPermission', allow('s3', { Qualifier: '1' }))],
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: policy(statement('s3', S3, {}, `${ARN}:1`)),
    source: VERSIONS,
  },
  {
    operation: 'GetPolicy',
    name: 'of an alias',
    given: [...ALIASED, step('AddPermission', allow('s3', { Qualifier: 'live' }))],
    input: { FunctionName: 'fn', Qualifier: 'live' },
    expect: policy(statement('s3', S3, {}, `${ARN}:live`)),
    source: VERSIONS,
  },
  {
    operation: 'AddPermission',
    name: 'of another revision of an alias',
    given: ALIASED,
    input: allow('s3', { Qualifier: 'live', RevisionId: 'wrong' }),
    expect: STALE,
    source: VERSIONS,
  },
  {
    operation: 'AddPermission',
    name: 'of this revision of an alias',
    given: ALIASED,
    input: allow('s3', { Qualifier: 'live', RevisionId: '<alias.RevisionId>' }),
    expect: created({ Statement: JSON.stringify(statement('s3', S3, {}, `${ARN}:live`)) }),
    source: VERSIONS,
  },
  {
    operation: 'AddPermission',
    name: 'of another revision',
    given: [FN],
    input: allow('s3', { RevisionId: 'wrong' }),
    expect: STALE,
    source: from('test_lambda_permission_revisions'),
  },
  {
    operation: 'RemovePermission',
    name: 'of another revision',
    given: [FN, step('AddPermission', allow('s3'))],
    input: { FunctionName: 'fn', StatementId: 's3', RevisionId: 'wrong' },
    expect: STALE,
    source: from('test_lambda_permission_revisions'),
  },
  {
    operation: 'AddPermission',
    name: 'a kind of URL for another action',
    given: [FN],
    input: allow('s3', { FunctionUrlAuthType: 'NONE' }),
    expect: invalid('FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action'),
    source: unverified('as clients of Lambda have reported it'),
  },
  {
    operation: 'PutResourcePolicy',
    name: 'answers with the policy as it was put',
    given: [FN],
    input: PUT.input,
    expect: ok({ Policy: DOCUMENT, RevisionId: '<uuid>' }),
    source: WHOLE,
  },
  {
    operation: 'GetResourcePolicy',
    name: 'that was put',
    given: [FN, PUT],
    input: { ResourceArn: ARN },
    expect: ok({ Policy: DOCUMENT, RevisionId: '<uuid>' }),
    source: WHOLE,
  },
  {
    operation: 'GetPolicy',
    name: 'that was put as a whole',
    given: [FN, PUT],
    input: { FunctionName: 'fn' },
    expect: ok({ Policy: DOCUMENT, RevisionId: '<uuid>' }),
    source: unverified('that both operations see one policy'),
  },
  {
    operation: 'PutResourcePolicy',
    name: 'of another revision',
    given: [FN],
    input: { ...PUT.input, RevisionId: '00000000-0000-4000-8000-000000000000' },
    expect: STALE,
    source: unverified('the text that was recorded for AddPermission'),
  },
  {
    operation: 'PutResourcePolicy',
    name: 'of a function that is not there',
    input: PUT.input,
    expect: notFound(`Function not found: ${ARN}`),
    source: unverified('the text that was recorded for AddPermission'),
  },
  {
    operation: 'GetResourcePolicy',
    name: 'none',
    given: [FN],
    input: { ResourceArn: ARN },
    expect: GONE,
    source: unverified('the text that was recorded for GetPolicy'),
  },
  {
    operation: 'DeleteResourcePolicy',
    name: 'answers without a body',
    given: [FN, PUT],
    input: { ResourceArn: ARN },
    expect: noContent,
    source: WHOLE,
  },
  {
    operation: 'GetPolicy',
    name: 'after the whole was deleted',
    given: [FN, PUT, step('DeleteResourcePolicy', { ResourceArn: ARN })],
    input: { FunctionName: 'fn' },
    expect: GONE,
    source: unverified('that both operations see one policy'),
  },
  {
    operation: 'DeleteResourcePolicy',
    name: 'of another revision',
    given: [FN, PUT],
    input: { ResourceArn: ARN, RevisionId: '00000000-0000-4000-8000-000000000000' },
    expect: STALE,
    source: unverified('the text that was recorded for AddPermission'),
  },
  {
    operation: 'DeleteResourcePolicy',
    name: 'none',
    given: [FN],
    input: { ResourceArn: ARN },
    expect: GONE,
    source: unverified('the text that was recorded for GetPolicy'),
  },
]
