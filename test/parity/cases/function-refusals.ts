/** Functions that AWS does not create or change: names, roles, processors and packages that are none. */
import { ARN, CREATE, FN } from '../function-bodies.ts'
import {
  conflict,
  invalid,
  notFound,
  recorded,
  refused,
  validation,
  type ParityCase,
} from '../parity-case.ts'

const from = (name: string) => recorded(`localstack test_lambda_api TestLambdaFunction.${name}, 2024`)
const OTHER_REGION = 'arn:aws:lambda:eu-west-1:000000000000:function:fn'
const unreachable = notFound("Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")

export const functionRefusalCases: readonly ParityCase[] = [
  {
    operation: 'CreateFunction',
    name: 'a name that is too long',
    input: { ...CREATE, FunctionName: 'a'.repeat(65) },
    expect: invalid(
      `1 validation error detected: Value '${'a'.repeat(65)}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ),
    source: from('test_function_arns'),
  },
  {
    operation: 'CreateFunction',
    name: 'an ARN that is too long',
    input: { ...CREATE, FunctionName: ARN.replace(/fn$/, 'a'.repeat(120)) },
    expect: validation(
      `1 validation error detected: Value '${ARN.replace(/fn$/, 'a'.repeat(120))}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 140`,
    ),
    source: from('test_function_arns'),
  },
  {
    operation: 'CreateFunction',
    name: 'an ARN of another region',
    input: { ...CREATE, FunctionName: OTHER_REGION },
    expect: unreachable,
    source: from('test_function_arns'),
  },
  {
    operation: 'CreateFunction',
    name: 'an ARN of another account: an error without a text',
    input: { ...CREATE, FunctionName: 'arn:aws:lambda:us-east-1:123456789012:function:fn' },
    expect: refused(403, 'AccessDeniedException', { Message: null }),
    source: from('test_function_arns'),
  },
  {
    operation: 'CreateFunction',
    name: 'that is there already',
    given: [FN],
    input: CREATE,
    expect: conflict('Function already exist: fn'),
    source: recorded('moto test_lambda, test_create_function_with_already_exists and others'),
  },
  ...(['CreateFunction', 'UpdateFunctionConfiguration'] as const).map((operation): ParityCase => ({
    operation,
    name: 'a role that is none',
    input: operation === 'CreateFunction' ? { ...CREATE, Role: 'r1' } : { FunctionName: 'fn', Role: 'r1' },
    expect: validation(
      "1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
    ),
    source: from('test_create_lambda_exceptions'),
  })),
  {
    operation: 'CreateFunction',
    name: 'two processors',
    input: { ...CREATE, Architectures: ['x86_64', 'arm64'] },
    expect: validation(
      "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1",
    ),
    source: from('test_create_lambda_exceptions'),
  },
  {
    operation: 'CreateFunction',
    name: 'a processor that is none',
    input: { ...CREATE, Architectures: ['X86_64'] },
    expect: validation(
      "1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
    ),
    source: from('test_create_lambda_exceptions'),
  },
  {
    operation: 'CreateFunction',
    name: 'a package that is no zip',
    input: { ...CREATE, Code: { ZipFile: '<no zip>' } },
    expect: invalid('Could not unzip uploaded file. Please check your file, then try to upload again.'),
    source: from('test_create_lambda_exceptions'),
  },
  {
    operation: 'CreateFunction',
    name: 'a name with two colons',
    input: { ...CREATE, FunctionName: 'invalid:function:name' },
    // Recorded with the pattern of 2024, before it knew `eusc-` regions.
    expect: validation(
      "1 validation error detected: Value 'invalid:function:name' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
    ),
    source: from('test_function_arns'),
  },
  {
    operation: 'ListFunctions',
    name: 'a kind of versions that is none',
    input: { FunctionVersion: 'invalid' },
    expect: validation(
      "1 validation error detected: Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]",
    ),
    source: from('test_list_functions'),
  },
  {
    operation: 'Invoke',
    name: 'a name that is none',
    input: { FunctionName: 'arn:aws:lambda:us-east-1:123400000000@function:myfn' },
    // Recorded with the pattern of 2024, before it knew `eusc-` regions.
    expect: validation(
      "1 validation error detected: Value 'arn:aws:lambda:us-east-1:123400000000@function:myfn' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    ),
    source: from('test_invalid_invoke'),
  },
]
