/** Reserved concurrency and the account's limits. */
import { ARN, FN, publish } from '../function-bodies.ts'
import { invalid, noContent, notFound, ok, recorded, refused, step, type ParityCase } from '../parity-case.ts'

const EXCEPTIONS = recorded(
  'localstack test_lambda_api TestLambdaReservedConcurrency.test_function_concurrency_exceptions, 2024',
)
const LIFECYCLE = recorded(
  'localstack test_lambda_api TestLambdaReservedConcurrency.test_function_concurrency, 2024',
)
const LIMITS = recorded(
  'localstack test_lambda_api TestLambdaReservedConcurrency.test_function_concurrency_limits, 2024',
)
const put = (ReservedConcurrentExecutions: number) => ({ FunctionName: 'fn', ReservedConcurrentExecutions })
const reserve = (count: number) => step('PutFunctionConcurrency', put(count))

export const concurrencyCases: readonly ParityCase[] = [
  {
    operation: 'PutFunctionConcurrency',
    name: 'nothing at all',
    given: [FN],
    input: put(0),
    expect: ok({ ReservedConcurrentExecutions: 0 }),
    source: LIFECYCLE,
  },
  {
    operation: 'PutFunctionConcurrency',
    name: 'one',
    given: [FN, reserve(0)],
    input: put(1),
    expect: ok({ ReservedConcurrentExecutions: 1 }),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunctionConcurrency',
    name: 'one',
    given: [FN, reserve(1)],
    input: { FunctionName: 'fn' },
    expect: ok({ ReservedConcurrentExecutions: 1 }),
    source: LIFECYCLE,
  },
  {
    operation: 'DeleteFunctionConcurrency',
    name: 'answers without a body',
    given: [FN, reserve(1)],
    input: { FunctionName: 'fn' },
    expect: noContent,
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunctionConcurrency',
    name: 'after it was deleted: an object without members',
    given: [FN, reserve(1), step('DeleteFunctionConcurrency', { FunctionName: 'fn' })],
    input: { FunctionName: 'fn' },
    expect: ok({}),
    source: LIFECYCLE,
  },
  {
    operation: 'PutFunctionConcurrency',
    name: 'of a function that is not there',
    input: put(1),
    expect: notFound(`Function not found: ${ARN}:$LATEST`),
    source: EXCEPTIONS,
  },
  {
    operation: 'PutFunctionConcurrency',
    name: 'too much, of a function that is not there',
    input: put(1001),
    expect: notFound(`Function not found: ${ARN}:$LATEST`),
    source: EXCEPTIONS,
  },
  {
    operation: 'PutFunctionConcurrency',
    name: 'of a version',
    given: [FN, publish()],
    input: { FunctionName: `${ARN}:1`, ReservedConcurrentExecutions: 1 },
    expect: invalid(
      'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
    ),
    source: EXCEPTIONS,
  },
  {
    operation: 'GetFunctionConcurrency',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: notFound(`Function not found: ${ARN}`),
    source: recorded('localstack test_lambda_api TestLambdaFunction.test_ops_on_nonexisting_fn, 2024'),
  },
  {
    operation: 'PutFunctionConcurrency',
    name: 'leaves too little for the others',
    given: [FN],
    input: put(901),
    // Recorded without a `Type`.
    expect: refused(400, 'InvalidParameterValueException', {
      message:
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
    }),
    source: LIMITS,
  },
  {
    operation: 'PutFunctionConcurrency',
    name: 'leaves just enough for the others',
    given: [FN],
    input: put(900),
    expect: ok({ ReservedConcurrentExecutions: 900 }),
    source: LIMITS,
  },
]
