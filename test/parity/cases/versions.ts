/** Versions: publishing, describing and listing them. */
import {
  ARN,
  CREATE,
  FN,
  active,
  configure,
  fnWith,
  got,
  listed,
  pending,
  publish,
  version,
} from '../function-bodies.ts'
import {
  created,
  invalid,
  noContent,
  notFound,
  ok,
  precondition,
  recorded,
  step,
  type ParityCase,
} from '../parity-case.ts'

const from = (name: string) => recorded(`localstack test_lambda_api TestLambdaVersions.${name}, 2024`)
const ON_CREATE = from('test_publish_version_on_create')
const LIFECYCLE = from('test_version_lifecycle')
const SHA = from('test_publish_with_wrong_sha256')
const WITH_UPDATE = from('test_publish_with_update')
const PUBLISHED = fnWith({ Publish: true })
const PENDING_VERSION = {
  State: 'Pending',
  StateReason: 'The function is being created.',
  StateReasonCode: 'Creating',
}

export const versionCases: readonly ParityCase[] = [
  {
    operation: 'CreateFunction',
    name: 'publishes version 1 at once, under the unqualified ARN',
    input: { ...CREATE, Publish: true },
    expect: created(pending({ Version: '1' })),
    source: ON_CREATE,
  },
  {
    operation: 'GetFunction',
    name: 'the unqualified function beside its version',
    given: [PUBLISHED],
    input: { FunctionName: 'fn' },
    expect: ok(got(active())),
    source: ON_CREATE,
  },
  {
    operation: 'GetFunction',
    name: 'a version',
    given: [PUBLISHED],
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: ok(got(version('1'))),
    source: ON_CREATE,
  },
  {
    operation: 'GetFunction',
    name: '$LATEST by its name',
    given: [PUBLISHED],
    input: { FunctionName: 'fn', Qualifier: '$LATEST' },
    expect: ok(got(active({ FunctionArn: `${ARN}:$LATEST` }))),
    source: ON_CREATE,
  },
  {
    operation: 'ListVersionsByFunction',
    name: '$LATEST and a version, without states',
    given: [PUBLISHED],
    input: { FunctionName: 'fn' },
    expect: ok({ Versions: [listed(), listed({ FunctionArn: `${ARN}:1`, Version: '1' })] }),
    source: ON_CREATE,
  },
  {
    operation: 'PublishVersion',
    name: 'nothing has changed since the last version',
    given: [PUBLISHED],
    input: { FunctionName: 'fn' },
    expect: created(version('1')),
    source: ON_CREATE,
  },
  {
    operation: 'ListVersionsByFunction',
    name: 'only $LATEST',
    given: [fnWith({ Description: 'No version :(' })],
    input: { FunctionName: 'fn' },
    expect: ok({ Versions: [listed({ Description: 'No version :(' })] }),
    source: LIFECYCLE,
  },
  {
    operation: 'PublishVersion',
    name: 'a first version with a description of its own',
    given: [FN],
    input: { FunctionName: 'fn', Description: 'First version description :)' },
    expect: created(version('1', { Description: 'First version description :)' })),
    source: LIFECYCLE,
  },
  {
    operation: 'PublishVersion',
    name: "a version takes the function's description",
    given: [fnWith({ Description: 'First version :)' })],
    input: { FunctionName: 'fn' },
    expect: created(version('1', { Description: 'First version :)' })),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunctionConfiguration',
    name: 'a version',
    given: [FN, publish({ Description: 'First version description :)' })],
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: ok(version('1', { Description: 'First version description :)' })),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunction',
    name: 'a version after the function has changed',
    given: [FN, publish({ Description: 'one' }), configure({ Description: 'two' })],
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: ok(got(version('1', { Description: 'one' }))),
    source: LIFECYCLE,
  },
  {
    operation: 'PublishVersion',
    name: 'a second version',
    given: [FN, publish(), configure({ Description: 'Second version :))' })],
    input: { FunctionName: 'fn' },
    expect: created(version('2', { Description: 'Second version :))' })),
    source: LIFECYCLE,
  },
  {
    operation: 'PublishVersion',
    name: 'a second version twice',
    given: [FN, publish(), configure({ Description: 'Second version :))' }), publish()],
    input: { FunctionName: 'fn' },
    expect: created(version('2', { Description: 'Second version :))' })),
    source: LIFECYCLE,
  },
  {
    operation: 'ListVersionsByFunction',
    name: 'three versions in their order',
    given: [FN, publish({ Description: 'one' }), configure({ Description: 'two' }), publish()],
    input: { FunctionName: 'fn' },
    expect: ok({
      Versions: [
        listed({ Description: 'two' }),
        listed({ Description: 'one', FunctionArn: `${ARN}:1`, Version: '1' }),
        listed({ Description: 'two', FunctionArn: `${ARN}:2`, Version: '2' }),
      ],
    }),
    source: LIFECYCLE,
  },
  {
    operation: 'PublishVersion',
    name: 'of other code than the caller means',
    given: [FN],
    input: { FunctionName: 'fn', CodeSha256: 'somenonexistentsha256' },
    expect: invalid(
      'CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST (<fn.CodeSha256>). Please try again with the CodeSHA256 in $LATEST.',
    ),
    source: SHA,
  },
  {
    operation: 'PublishVersion',
    name: 'of the code that the caller means',
    given: [FN],
    input: { FunctionName: 'fn', CodeSha256: '<fn.CodeSha256>' },
    expect: created(version('1')),
    source: SHA,
  },
  {
    operation: 'UpdateFunctionCode',
    name: 'publishes: answers with the new version, Pending',
    given: [FN],
    input: { FunctionName: 'fn', ZipFile: '<other zip>', Publish: true },
    expect: ok({ ...pending({ FunctionArn: `${ARN}:1`, Version: '1' }), ...PENDING_VERSION }),
    source: WITH_UPDATE,
  },
  {
    operation: 'PublishVersion',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: notFound(`Function not found: ${ARN}`),
    source: from('test_publish_with_wrong_sha256 and others: the text of a missing function'),
  },
  {
    operation: 'PublishVersion',
    name: 'of another revision',
    given: [FN],
    input: { FunctionName: 'fn', RevisionId: 'wrong' },
    expect: precondition(
      'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
    ),
    source: recorded(
      'localstack test_lambda_api TestLambdaRevisions.test_function_revisions_version_and_alias, 2024',
    ),
  },
  {
    operation: 'DeleteFunction',
    name: 'one version',
    given: [FN, publish()],
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: noContent,
    source: recorded(
      'localstack test_lambda_api TestLambdaFunction.test_function_lifecycle, 2024: a deletion',
    ),
  },
  {
    operation: 'GetFunction',
    name: 'a version that was deleted',
    given: [FN, publish(), step('DeleteFunction', { FunctionName: 'fn', Qualifier: '1' })],
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: notFound(`Function not found: ${ARN}:1`),
    source: recorded('localstack test_lambda_api TestLambdaFunction.test_ops_on_nonexisting_version, 2024'),
  },
]
