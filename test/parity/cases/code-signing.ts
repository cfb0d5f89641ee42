/** Code signing configurations, and what functions have to do with them. */
import { ARN, FN } from '../function-bodies.ts'
import {
  created,
  noContent,
  notFound,
  ok,
  recorded,
  refused,
  step,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const LIFECYCLE = recorded(
  'localstack test_lambda_api TestCodeSigningConfig.test_function_code_signing_config, 2024',
)
const NOT_FOUND = recorded(
  'localstack test_lambda_api TestCodeSigningConfig.test_code_signing_not_found_excs, 2024',
)

const PROFILE = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/test'
const CREATE_CONFIG = {
  Description: 'Testing CodeSigning Config',
  AllowedPublishers: { SigningProfileVersionArns: [PROFILE] },
  CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' },
}
const CONFIG = step('CreateCodeSigningConfig', CREATE_CONFIG, { as: 'csc' })
const CONFIG_ARN = '<csc.CodeSigningConfig.CodeSigningConfigArn>'
const MISSING_ARN = 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000'
const view = (more: Input = {}) => ({
  AllowedPublishers: { SigningProfileVersionArns: [PROFILE] },
  CodeSigningConfigArn: 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-<id>',
  CodeSigningConfigId: 'csc-<id>',
  CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' },
  Description: 'Testing CodeSigning Config',
  LastModified: '<date>',
  ...more,
})
const WARN = { CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Warn' } }
const ATTACHED = [
  FN,
  CONFIG,
  step('PutFunctionCodeSigningConfig', { FunctionName: 'fn', CodeSigningConfigArn: CONFIG_ARN }),
]
/** Recorded without a `Type`. */
const configNotFound = refused(404, 'ResourceNotFoundException', {
  Message: `The Lambda code signing configuration ${MISSING_ARN} can not be found.`,
})
const toPutNotFound = refused(404, 'CodeSigningConfigNotFoundException', {
  Message: `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${MISSING_ARN}.`,
  Type: 'User',
})
const noFunction = notFound(`Function not found: ${ARN}`)

export const codeSigningCases: readonly ParityCase[] = [
  {
    operation: 'CreateCodeSigningConfig',
    name: 'with all members',
    input: CREATE_CONFIG,
    expect: created({ CodeSigningConfig: view() }),
    source: LIFECYCLE,
  },
  {
    operation: 'UpdateCodeSigningConfig',
    name: 'the policy',
    given: [CONFIG],
    input: { CodeSigningConfigArn: CONFIG_ARN, ...WARN },
    expect: ok({ CodeSigningConfig: view(WARN) }),
    source: LIFECYCLE,
  },
  {
    operation: 'UpdateCodeSigningConfig',
    name: 'nothing',
    given: [CONFIG],
    input: { CodeSigningConfigArn: CONFIG_ARN },
    expect: ok({ CodeSigningConfig: view() }),
    source: NOT_FOUND,
  },
  {
    operation: 'GetCodeSigningConfig',
    name: 'after an update',
    given: [CONFIG, step('UpdateCodeSigningConfig', { CodeSigningConfigArn: CONFIG_ARN, ...WARN })],
    input: { CodeSigningConfigArn: CONFIG_ARN },
    expect: ok({ CodeSigningConfig: view(WARN) }),
    source: LIFECYCLE,
  },
  {
    operation: 'PutFunctionCodeSigningConfig',
    name: 'of a function',
    given: [FN, CONFIG],
    input: { FunctionName: 'fn', CodeSigningConfigArn: CONFIG_ARN },
    expect: ok({
      CodeSigningConfigArn: 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-<id>',
      FunctionName: 'fn',
    }),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunctionCodeSigningConfig',
    name: 'of a function',
    given: ATTACHED,
    input: { FunctionName: 'fn' },
    expect: ok({
      CodeSigningConfigArn: 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-<id>',
      FunctionName: 'fn',
    }),
    source: LIFECYCLE,
  },
  {
    operation: 'ListCodeSigningConfigs',
    name: 'one',
    given: [CONFIG],
    input: {},
    expect: ok({ CodeSigningConfigs: [view()] }),
    source: LIFECYCLE,
  },
  {
    operation: 'ListFunctionsByCodeSigningConfig',
    name: 'one',
    given: ATTACHED,
    input: { CodeSigningConfigArn: CONFIG_ARN },
    expect: ok({ FunctionArns: [ARN] }),
    source: LIFECYCLE,
  },
  {
    operation: 'ListFunctionsByCodeSigningConfig',
    name: 'none',
    given: [CONFIG],
    input: { CodeSigningConfigArn: CONFIG_ARN },
    expect: ok({ FunctionArns: [] }),
    source: NOT_FOUND,
  },
  {
    operation: 'DeleteFunctionCodeSigningConfig',
    name: 'answers without a body',
    given: ATTACHED,
    input: { FunctionName: 'fn' },
    expect: noContent,
    source: LIFECYCLE,
  },
  {
    operation: 'DeleteCodeSigningConfig',
    name: 'answers without a body',
    given: [CONFIG],
    input: { CodeSigningConfigArn: CONFIG_ARN },
    expect: noContent,
    source: LIFECYCLE,
  },
  {
    operation: 'DeleteCodeSigningConfig',
    name: 'that is not there',
    input: { CodeSigningConfigArn: MISSING_ARN },
    expect: configNotFound,
    source: NOT_FOUND,
  },
  {
    operation: 'DeleteFunctionCodeSigningConfig',
    name: 'of a function without one',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: noContent,
    source: NOT_FOUND,
  },
  {
    operation: 'DeleteFunctionCodeSigningConfig',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: noFunction,
    source: NOT_FOUND,
  },
  {
    operation: 'PutFunctionCodeSigningConfig',
    name: 'of a function that is not there',
    given: [CONFIG],
    input: { FunctionName: 'fn', CodeSigningConfigArn: CONFIG_ARN },
    expect: noFunction,
    source: NOT_FOUND,
  },
  {
    operation: 'PutFunctionCodeSigningConfig',
    name: 'that is not there',
    given: [FN],
    input: { FunctionName: 'fn', CodeSigningConfigArn: MISSING_ARN },
    expect: toPutNotFound,
    source: NOT_FOUND,
  },
  {
    operation: 'PutFunctionCodeSigningConfig',
    name: 'neither is there',
    input: { FunctionName: 'fn', CodeSigningConfigArn: MISSING_ARN },
    expect: toPutNotFound,
    source: NOT_FOUND,
  },
  {
    operation: 'UpdateCodeSigningConfig',
    name: 'that is not there',
    input: { CodeSigningConfigArn: MISSING_ARN, Description: 'new' },
    expect: configNotFound,
    source: NOT_FOUND,
  },
  {
    operation: 'UpdateCodeSigningConfig',
    name: 'nothing of one that is not there',
    input: { CodeSigningConfigArn: MISSING_ARN },
    expect: configNotFound,
    source: NOT_FOUND,
  },
  {
    operation: 'GetCodeSigningConfig',
    name: 'that is not there',
    input: { CodeSigningConfigArn: MISSING_ARN },
    expect: configNotFound,
    source: NOT_FOUND,
  },
  {
    operation: 'GetFunctionCodeSigningConfig',
    name: 'of a function without one: no members',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: ok({}),
    source: NOT_FOUND,
  },
  {
    operation: 'GetFunctionCodeSigningConfig',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: noFunction,
    source: NOT_FOUND,
  },
  {
    operation: 'ListFunctionsByCodeSigningConfig',
    name: 'of one that is not there',
    input: { CodeSigningConfigArn: MISSING_ARN },
    expect: configNotFound,
    source: NOT_FOUND,
  },
]
