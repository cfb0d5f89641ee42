/** How a function's runtime is updated, and what happens to recursive invocations. */
import { ARN, FN, publish } from '../function-bodies.ts'
import {
  documented,
  invalid,
  notFound,
  ok,
  recorded,
  step,
  unverified,
  validation,
  type ParityCase,
} from '../parity-case.ts'

const RECURSION = recorded('localstack test_lambda_api TestLambdaRecursion, 2024')
const RUNTIME = documented('PutRuntimeManagementConfig and GetRuntimeManagementConfig in the API reference')
const QUALIFIED = unverified('that the ARN of a runtime management configuration is qualified')
const missing = notFound(`Function not found: ${ARN}`)
const OTHERS = unverified('the text that was recorded for other operations on a missing function')
const RUNTIME_ARN = '<fn.RuntimeVersionConfig.RuntimeVersionArn>'

const recursion = (RecursiveLoop: string) =>
  step('PutFunctionRecursionConfig', { FunctionName: 'fn', RecursiveLoop })

export const settingCases: readonly ParityCase[] = [
  {
    operation: 'GetFunctionRecursionConfig',
    name: 'the default',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: ok({ RecursiveLoop: 'Terminate' }),
    source: RECURSION,
  },
  {
    operation: 'PutFunctionRecursionConfig',
    name: 'allowed',
    given: [FN],
    input: { FunctionName: 'fn', RecursiveLoop: 'Allow' },
    expect: ok({ RecursiveLoop: 'Allow' }),
    source: RECURSION,
  },
  {
    operation: 'GetFunctionRecursionConfig',
    name: 'after it was allowed',
    given: [FN, recursion('Allow')],
    input: { FunctionName: 'fn' },
    expect: ok({ RecursiveLoop: 'Allow' }),
    source: RECURSION,
  },
  {
    operation: 'PutFunctionRecursionConfig',
    name: 'back to the default',
    given: [FN, recursion('Allow')],
    input: { FunctionName: 'fn', RecursiveLoop: 'Terminate' },
    expect: ok({ RecursiveLoop: 'Terminate' }),
    source: RECURSION,
  },
  {
    operation: 'PutFunctionRecursionConfig',
    name: 'a value that is none',
    given: [FN],
    input: { FunctionName: 'fn', RecursiveLoop: 'InvalidValue' },
    expect: validation(
      "1 validation error detected: Value 'InvalidValue' at 'recursiveLoop' failed to satisfy constraint: Member must satisfy enum value set: [Terminate, Allow]",
    ),
    source: RECURSION,
  },
  ...(['GetFunctionRecursionConfig', 'PutFunctionRecursionConfig'] as const).map((operation): ParityCase => ({
    operation,
    name: 'of a function that is not there',
    input: { FunctionName: 'fn', ...(operation.startsWith('Put') && { RecursiveLoop: 'Allow' }) },
    expect: missing,
    source: OTHERS,
  })),
  {
    operation: 'GetRuntimeManagementConfig',
    name: 'the default',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: ok({ UpdateRuntimeOn: 'Auto', FunctionArn: `${ARN}:$LATEST` }),
    source: QUALIFIED,
  },
  {
    operation: 'PutRuntimeManagementConfig',
    name: 'with the next update of the function',
    given: [FN],
    input: { FunctionName: 'fn', UpdateRuntimeOn: 'FunctionUpdate' },
    expect: ok({ UpdateRuntimeOn: 'FunctionUpdate', FunctionArn: `${ARN}:$LATEST` }),
    source: QUALIFIED,
  },
  {
    operation: 'PutRuntimeManagementConfig',
    name: 'by hand, of a version',
    given: [FN, publish()],
    input: {
      FunctionName: 'fn',
      Qualifier: '1',
      UpdateRuntimeOn: 'Manual',
      RuntimeVersionArn: RUNTIME_ARN,
    },
    expect: ok({ UpdateRuntimeOn: 'Manual', FunctionArn: `${ARN}:1`, RuntimeVersionArn: RUNTIME_ARN }),
    source: RUNTIME,
  },
  {
    operation: 'GetRuntimeManagementConfig',
    name: 'by hand, of a version',
    given: [
      FN,
      publish(),
      step('PutRuntimeManagementConfig', {
        FunctionName: 'fn',
        Qualifier: '1',
        UpdateRuntimeOn: 'Manual',
        RuntimeVersionArn: RUNTIME_ARN,
      }),
    ],
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: ok({ UpdateRuntimeOn: 'Manual', FunctionArn: `${ARN}:1`, RuntimeVersionArn: RUNTIME_ARN }),
    source: RUNTIME,
  },
  {
    operation: 'PutRuntimeManagementConfig',
    name: 'of an alias',
    given: [FN, publish(), step('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' })],
    input: { FunctionName: 'fn', Qualifier: 'live', UpdateRuntimeOn: 'Auto' },
    expect: invalid(`The provided function name ${ARN}:live is invalid. Aliases are not allowed.`),
    source: unverified('that aliases have none is documented; the text is not'),
  },
  ...(['GetRuntimeManagementConfig', 'PutRuntimeManagementConfig'] as const).map((operation): ParityCase => ({
    operation,
    name: 'of a function that is not there',
    input: { FunctionName: 'fn', ...(operation.startsWith('Put') && { UpdateRuntimeOn: 'Auto' }) },
    expect: missing,
    source: OTHERS,
  })),
]
