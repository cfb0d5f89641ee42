/** Functions: create, read, update, delete. */
import { ARN, CREATE, FN, active, fnWith, got, listed, pending, updating } from '../function-bodies.ts'
import {
  conflict,
  created,
  documented,
  invalid,
  noContent,
  notFound,
  ok,
  precondition,
  recorded,
  step,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const from = (name: string) => recorded(`localstack test_lambda_api TestLambdaFunction.${name}, 2024`)
const LIFECYCLE = from('test_function_lifecycle')
const REVISIONS = recorded(
  'localstack test_lambda_api TestLambdaRevisions.test_function_revisions_basic, 2024',
)
const STALE = precondition(
  'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
)
const MISSING = notFound(`Function not found: ${ARN}`)
const CHANGED = {
  Description: 'Changed-Description',
  MemorySize: 512,
  Timeout: 10,
  Environment: { Variables: { ENV_A: 'a' } },
}
const OTHER_REGION = 'arn:aws:lambda:eu-west-1:000000000000:function:fn'
const unreachable = notFound("Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")

/** One case for each operation that takes a name and, here, nothing else. */
const each = (
  operations: readonly string[],
  one: Omit<ParityCase, 'operation'>,
  more: Readonly<Record<string, Input>> = {},
): ParityCase[] =>
  operations.map((operation) => ({ operation, ...one, input: { ...one.input, ...more[operation] } }))

/** Takes a while to prepare, so that the next request comes too early. */
const slowly = (ZipFile: string) => step('UpdateFunctionCode', { FunctionName: 'fn', ZipFile })
const BUSY = conflict(
  `The operation cannot be performed at this time. An update is in progress for resource: ${ARN}`,
)

export const functionCases: readonly ParityCase[] = [
  {
    operation: 'CreateFunction',
    name: 'answers while the function is being created',
    input: CREATE,
    expect: created(pending()),
    source: LIFECYCLE,
  },
  {
    operation: 'CreateFunction',
    name: 'environment variables',
    input: { ...CREATE, Environment: { Variables: { ENV_A: 'a' } } },
    expect: created(pending({ Environment: { Variables: { ENV_A: 'a' } } })),
    source: LIFECYCLE,
  },
  {
    operation: 'CreateFunction',
    name: 'by its ARN',
    input: { ...CREATE, FunctionName: ARN },
    expect: created(pending()),
    source: from('test_function_arns'),
  },
  {
    operation: 'CreateFunction',
    name: 'by account and name',
    input: { ...CREATE, FunctionName: '000000000000:function:fn' },
    expect: created(pending()),
    source: from('test_function_arns'),
  },
  {
    operation: 'GetFunction',
    name: 'an active function',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: ok(got(active())),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunction',
    name: 'with reserved concurrency',
    given: [FN, step('PutFunctionConcurrency', { FunctionName: 'fn', ReservedConcurrentExecutions: 5 })],
    input: { FunctionName: 'fn' },
    expect: ok(got(active(), { Concurrency: { ReservedConcurrentExecutions: 5 } })),
    source: documented('GetFunction in the API reference: Concurrency'),
  },
  {
    operation: 'GetFunctionConfiguration',
    name: 'an active function',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: ok(active()),
    source: LIFECYCLE,
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'answers while the update is in progress',
    given: [FN],
    input: { FunctionName: 'fn', ...CHANGED },
    expect: ok(updating(CHANGED)),
    source: LIFECYCLE,
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'nothing: is an update all the same',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: ok(updating()),
    source: from('test_redundant_updates'),
  },
  {
    operation: 'GetFunction',
    name: 'after an update',
    given: [FN, step('UpdateFunctionConfiguration', { FunctionName: 'fn', ...CHANGED }, { settles: 'fn' })],
    input: { FunctionName: 'fn' },
    expect: ok(got(active(CHANGED))),
    source: LIFECYCLE,
  },
  {
    operation: 'UpdateFunctionCode',
    name: 'answers while the update is in progress',
    given: [FN],
    input: { FunctionName: 'fn', ZipFile: '<other zip>' },
    expect: ok(updating()),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunctionConfiguration',
    name: 'after new code',
    given: [
      FN,
      step('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: '<other zip>' }, { settles: 'fn' }),
    ],
    input: { FunctionName: 'fn' },
    expect: ok(active()),
    source: LIFECYCLE,
  },
  ...each(
    ['UpdateFunctionCode', 'UpdateFunctionConfiguration'],
    {
      name: 'of another revision',
      given: [FN],
      input: { FunctionName: 'fn', RevisionId: 'wrong' },
      expect: STALE,
      source: REVISIONS,
    },
    { UpdateFunctionCode: { ZipFile: '<zip>' } },
  ),
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'of this revision',
    given: [FN, step('GetFunctionConfiguration', { FunctionName: 'fn' }, { as: 'now' })],
    input: { FunctionName: 'fn', RevisionId: '<now.RevisionId>', Timeout: 5 },
    expect: ok(updating({ Timeout: 5 })),
    source: REVISIONS,
  },
  {
    operation: 'DeleteFunction',
    name: 'answers without a body',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: noContent,
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunction',
    name: 'a deleted function',
    given: [FN, step('DeleteFunction', { FunctionName: 'fn' })],
    input: { FunctionName: 'fn' },
    expect: MISSING,
    source: LIFECYCLE,
  },
  ...each(
    [
      'DeleteFunction',
      'GetFunction',
      'GetFunctionConfiguration',
      'UpdateFunctionConfiguration',
      'UpdateFunctionCode',
    ],
    {
      name: 'of a function that is not there',
      input: { FunctionName: 'fn' },
      expect: MISSING,
      source: from('test_ops_on_nonexisting_fn'),
    },
    { UpdateFunctionCode: { ZipFile: '<zip>' } },
  ),
  {
    operation: 'DeleteFunction',
    name: 'a version of a function that is not there',
    input: { FunctionName: 'fn', Qualifier: '1233' },
    expect: MISSING,
    source: from('test_delete_on_nonexisting_version'),
  },
  ...each(['GetFunction', 'GetFunctionConfiguration'], {
    name: 'a version that is not there',
    given: [FN],
    input: { FunctionName: 'fn', Qualifier: '1221' },
    expect: notFound(`Function not found: ${ARN}:1221`),
    source: from('test_ops_on_nonexisting_version'),
  }),
  ...each(['DeleteFunction', 'GetFunction', 'GetFunctionConfiguration'], {
    name: "the ARN's qualifier is not the other one",
    input: { FunctionName: `${ARN}:1`, Qualifier: '$LATEST' },
    expect: invalid('The derived qualifier from the function name does not match the specified qualifier.'),
    source: from('test_ops_with_arn_qualifier_mismatch'),
  }),
  ...each(['GetFunction', 'GetFunctionConfiguration'], {
    name: "the ARN's qualifier is the other one, of a function that is not there",
    input: { FunctionName: `${ARN}:$LATEST`, Qualifier: '$LATEST' },
    expect: notFound(`Function not found: ${ARN}:$LATEST`),
    source: from('test_ops_with_arn_qualifier_mismatch'),
  }),
  {
    operation: 'DeleteFunction',
    name: '$LATEST alone',
    input: { FunctionName: `${ARN}:$LATEST`, Qualifier: '$LATEST' },
    expect: invalid('$LATEST version cannot be deleted without deleting the function.'),
    source: from('test_ops_with_arn_qualifier_mismatch'),
  },
  ...each(
    [
      'GetFunction',
      'GetFunctionConfiguration',
      'GetFunctionUrlConfig',
      'GetFunctionCodeSigningConfig',
      'GetFunctionEventInvokeConfig',
      'GetFunctionConcurrency',
      'DeleteFunction',
      'Invoke',
    ],
    {
      name: 'of another region',
      input: { FunctionName: OTHER_REGION },
      expect: unreachable,
      source: from('test_get_function_wrong_region'),
    },
  ),
  {
    operation: 'ListFunctions',
    name: 'none',
    input: {},
    expect: ok({ Functions: [] }),
    source: from('test_list_functions'),
  },
  {
    operation: 'ListFunctions',
    name: 'unqualified, without states',
    given: [fnWith({ Publish: true })],
    input: {},
    expect: ok({ Functions: [listed({ FunctionArn: ARN })] }),
    source: from('test_list_functions'),
  },
  {
    operation: 'ListFunctions',
    name: 'all versions',
    given: [fnWith({ Publish: true })],
    input: { FunctionVersion: 'ALL' },
    expect: ok({ Functions: [listed(), listed({ FunctionArn: `${ARN}:1`, Version: '1' })] }),
    source: from('test_list_functions'),
  },
  {
    operation: 'UpdateFunctionCode',
    name: 'an image for a function with a package',
    given: [FN],
    input: { FunctionName: 'fn', ImageUri: '000000000000.dkr.ecr.us-east-1.amazonaws.com/repo:latest' },
    expect: invalid("Please don't provide ImageUri when updating a function with packageType Zip."),
    source: recorded('localstack test_lambda_api TestLambdaImages.test_lambda_zip_file_to_image, 2024'),
  },
  {
    operation: 'UpdateFunctionCode',
    name: 'while another update is in progress',
    given: [FN, slowly('<first zip of many files>')],
    input: { FunctionName: 'fn', ZipFile: '<zip>' },
    expect: BUSY,
    source: from('test_lambda_concurrent_code_updates'),
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'while another update is in progress',
    given: [FN, slowly('<second zip of many files>')],
    input: { FunctionName: 'fn', Timeout: 5 },
    expect: BUSY,
    source: from('test_lambda_concurrent_config_updates'),
  },
  {
    operation: 'GetAccountSettings',
    name: 'of an account with nothing in it',
    input: {},
    // The members were recorded, the numbers are AWS's documented limits.
    expect: ok({
      AccountLimit: {
        TotalCodeSize: '<size>',
        CodeSizeUnzipped: 262_144_000,
        CodeSizeZipped: 52_428_800,
        ConcurrentExecutions: 1000,
        UnreservedConcurrentExecutions: 1000,
      },
      AccountUsage: { TotalCodeSize: 0, FunctionCount: 0 },
    }),
    source: recorded('localstack test_lambda_api TestLambdaAccountSettings.test_account_settings, 2024'),
  },
]
