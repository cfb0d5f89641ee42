/** Durable executions: started, described, stopped, and everything about those that are not there. */
import { ARN, CREATE, fnWith, pending, publish } from '../function-bodies.ts'
import {
  created,
  documented,
  invalid,
  noContent,
  notFound,
  observed,
  ok,
  refused,
  step,
  unverified,
  type Input,
  type ParityCase,
  type Step,
} from '../parity-case.ts'

const REFERENCE = documented('the durable execution operations in the API reference')
const SDKS = observed("AWS's durable execution SDKs, which look for this text")
const GUESS = unverified('the shapes of the API model; texts as clients report them')

const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const CONFIG = { DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 1 } }
const DURABLE = fnWith({ ...CONFIG, Code: { ZipFile: '<durable zip>' } })
/** Its executions are still running when the case looks at them. */
const SLOW = fnWith({ ...CONFIG, Timeout: 60, Code: { ZipFile: '<slow zip>' } })
const start = (more: Input = {}) => ({
  FunctionName: 'fn:$LATEST',
  DurableExecutionName: 'one',
  Payload: json({ a: 1 }),
  ...more,
})
const DONE = step('Invoke', start(), { as: 'run' })
const STARTED = step('Invoke', start({ InvocationType: 'Event' }), { as: 'run' })
const RUN = { DurableExecutionArn: '<run.headers.x-amz-durable-execution-arn>' }
const NOBODY = {
  DurableExecutionArn: `${ARN}:$LATEST/durable-execution/one/5b1f4ff0-8e6a-4d7c-9d3a-6c1f7f0c1a11`,
}
const missing = notFound('Durable Execution does not exist')
const badToken = invalid('Invalid checkpoint token')

const summary = (Status: string, more: Input = {}) => ({
  DurableExecutionArn: '<durable execution>',
  DurableExecutionName: 'one',
  FunctionArn: `${ARN}:$LATEST`,
  StartTimestamp: '<epoch>',
  Status,
  ...more,
})
const described = (Status: string, more: Input = {}) => ({
  ...summary(Status),
  InputPayload: '{"a":1}',
  Version: '$LATEST',
  ExecutionDataIncluded: true,
  DurableConfig: { RetentionPeriodInDays: 1, ExecutionTimeout: 60 },
  ...more,
})
const startedEvent = (Input: unknown) => ({
  EventType: 'ExecutionStarted',
  EventId: 1,
  Id: '<uuid>',
  Name: 'one',
  EventTimestamp: '<epoch>',
  ExecutionStartedDetails: { Input, ExecutionTimeout: 60 },
})
const ERROR = { ErrorType: 'Stopped', ErrorMessage: 'by hand' }
const stop = (more: Input = {}): Step => step('StopDurableExecution', { ...RUN, ...more })

export const durableCases: readonly ParityCase[] = [
  {
    operation: 'Invoke',
    name: 'an execution to its end',
    given: [DURABLE],
    input: start(),
    expect: ok('"done"', { 'x-amz-executed-version': '$LATEST', 'x-amz-function-error': null }),
    source: REFERENCE,
  },
  {
    operation: 'Invoke',
    name: 'a durable function by its name alone',
    given: [DURABLE],
    input: { FunctionName: 'fn' },
    expect: invalid('You cannot invoke a durable function using an unqualified ARN.'),
    source: observed('users of durable functions, who have quoted this text'),
  },
  {
    operation: 'Invoke',
    name: 'a name that is taken, with another payload',
    given: [DURABLE, DONE],
    input: start({ Payload: json({ a: 2 }) }),
    expect: refused(409, 'DurableExecutionAlreadyStartedException', {
      Type: 'User',
      Message: 'Execution already started: <run.headers.x-amz-durable-execution-arn>',
    }),
    source: unverified('the error of the API model; its text is as clients report it'),
  },
  {
    operation: 'CreateFunction',
    name: 'durable: answers with its settings',
    input: { ...CREATE, ...CONFIG },
    expect: created(pending(CONFIG)),
    source: documented('DurableConfig of FunctionConfiguration in the API reference'),
  },
  {
    operation: 'GetDurableExecution',
    name: 'that is running',
    given: [SLOW, STARTED],
    input: RUN,
    expect: ok(described('RUNNING')),
    source: REFERENCE,
  },
  {
    operation: 'GetDurableExecution',
    name: 'that has succeeded',
    given: [DURABLE, DONE],
    input: RUN,
    expect: ok(described('SUCCEEDED', { Result: '"done"', EndTimestamp: '<epoch>' })),
    source: REFERENCE,
  },
  {
    operation: 'GetDurableExecution',
    name: 'without its data',
    given: [SLOW, STARTED],
    input: { ...RUN, IncludeExecutionData: false },
    expect: ok({
      ...summary('RUNNING'),
      Version: '$LATEST',
      ExecutionDataIncluded: false,
      DurableConfig: { RetentionPeriodInDays: 1, ExecutionTimeout: 60 },
    }),
    source: GUESS,
  },
  {
    operation: 'GetDurableExecution',
    name: 'that was stopped',
    given: [SLOW, STARTED, stop({ Error: ERROR })],
    input: RUN,
    expect: ok(described('STOPPED', { Error: ERROR, EndTimestamp: '<epoch>' })),
    source: REFERENCE,
  },
  {
    operation: 'StopDurableExecution',
    name: 'that is running',
    given: [SLOW, STARTED],
    input: RUN,
    expect: ok({ StopTimestamp: '<epoch>' }),
    source: REFERENCE,
  },
  {
    operation: 'StopDurableExecution',
    name: 'that has ended: is no error',
    given: [DURABLE, DONE],
    input: RUN,
    expect: ok({ StopTimestamp: '<epoch>' }),
    source: documented('StopDurableExecution in the API reference: ended executions are left as they are'),
  },
  {
    operation: 'GetDurableExecutionHistory',
    name: 'that is running',
    given: [SLOW, STARTED],
    input: { ...RUN, IncludeExecutionData: true },
    expect: ok({ Events: [startedEvent({ Payload: '{"a":1}', Truncated: false })] }),
    source: REFERENCE,
  },
  {
    operation: 'GetDurableExecutionHistory',
    name: 'without its data',
    given: [SLOW, STARTED],
    input: { ...RUN, IncludeExecutionData: false },
    expect: ok({ Events: [startedEvent({ Truncated: true })] }),
    source: GUESS,
  },
  {
    operation: 'GetDurableExecutionHistory',
    name: 'the last event first',
    given: [SLOW, STARTED, stop({ Error: ERROR })],
    input: { ...RUN, IncludeExecutionData: true, ReverseOrder: true, MaxItems: 1 },
    expect: ok({
      Events: [
        {
          EventType: 'ExecutionStopped',
          EventId: 2,
          Id: '<uuid>',
          Name: 'one',
          EventTimestamp: '<epoch>',
          ExecutionStoppedDetails: { Error: { Payload: ERROR, Truncated: false } },
        },
      ],
      NextMarker: '<marker>',
    }),
    source: REFERENCE,
  },
  {
    operation: 'ListDurableExecutionsByFunction',
    name: 'one that is running',
    given: [SLOW, STARTED],
    input: { FunctionName: 'fn' },
    expect: ok({ DurableExecutions: [summary('RUNNING')] }),
    source: REFERENCE,
  },
  {
    operation: 'ListDurableExecutionsByFunction',
    name: 'one that has ended',
    given: [DURABLE, DONE],
    input: { FunctionName: 'fn' },
    expect: ok({ DurableExecutions: [summary('SUCCEEDED', { EndTimestamp: '<epoch>' })] }),
    source: REFERENCE,
  },
  {
    operation: 'ListDurableExecutionsByFunction',
    name: 'none of this state',
    given: [DURABLE, DONE],
    input: { FunctionName: 'fn', Statuses: ['FAILED'] },
    expect: ok({ DurableExecutions: [] }),
    source: REFERENCE,
  },
  {
    operation: 'ListDurableExecutionsByFunction',
    name: 'none of this name',
    given: [DURABLE, DONE],
    input: { FunctionName: 'fn', DurableExecutionName: 'two' },
    expect: ok({ DurableExecutions: [] }),
    source: REFERENCE,
  },
  {
    operation: 'ListDurableExecutionsByFunction',
    name: 'none at all',
    given: [DURABLE],
    input: { FunctionName: 'fn' },
    expect: ok({ DurableExecutions: [] }),
    source: REFERENCE,
  },
  {
    operation: 'ListDurableExecutionsByFunction',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: notFound(`Function not found: ${ARN}:$LATEST`),
    source: unverified('what was recorded for other operations on a missing function'),
  },
  ...(['GetDurableExecution', 'GetDurableExecutionHistory', 'StopDurableExecution'] as const).map(
    (operation): ParityCase => ({
      operation,
      name: 'that is not there',
      input: NOBODY,
      expect: missing,
      source: GUESS,
    }),
  ),
  ...(['GetDurableExecutionState', 'CheckpointDurableExecution'] as const).flatMap(
    (operation): ParityCase[] => [
      {
        operation,
        name: 'with a token that is none',
        given: [SLOW, STARTED],
        input: { ...RUN, CheckpointToken: 'x' },
        expect: badToken,
        source: SDKS,
      },
      {
        operation,
        name: 'that is not there',
        input: { ...NOBODY, CheckpointToken: 'x' },
        expect: badToken,
        source: SDKS,
      },
      {
        operation,
        name: 'that has ended',
        given: [DURABLE, DONE],
        input: { ...RUN, CheckpointToken: 'x' },
        expect: badToken,
        source: SDKS,
      },
    ],
  ),
  ...(
    [
      'SendDurableExecutionCallbackSuccess',
      'SendDurableExecutionCallbackFailure',
      'SendDurableExecutionCallbackHeartbeat',
    ] as const
  ).map((operation): ParityCase => ({
    operation,
    name: 'an id that is none',
    input: { CallbackId: 'eA==' },
    expect: invalid('Invalid callback id'),
    source: GUESS,
  })),
  {
    operation: 'DeleteFunction',
    name: 'with executions',
    given: [DURABLE, DONE, publish()],
    input: { FunctionName: 'fn' },
    expect: noContent,
    source: unverified('that executions do not hold a function'),
  },
]
