/** Callbacks of durable executions, answered from outside. */
import { fnWith } from '../function-bodies.ts'
import {
  NO_BODY,
  documented,
  observed,
  ok,
  refused,
  step,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const REFERENCE = documented('the callback operations in the API reference')
const CLOSED = observed('the durable execution SDKs and their users, who have quoted this text')

/** An execution that waits for a callback, and the callback's id. */
const WAITING = [
  fnWith({
    DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 1 },
    Timeout: 30,
    Code: { ZipFile: '<callback zip>' },
  }),
  step(
    'Invoke',
    {
      FunctionName: 'fn:$LATEST',
      InvocationType: 'Event',
      DurableExecutionName: 'one',
      Payload: Buffer.from('{}'),
    },
    { as: 'run' },
  ),
  step(
    'GetDurableExecutionHistory',
    { DurableExecutionArn: '<run.headers.x-amz-durable-execution-arn>' },
    { as: 'history', until: { member: 'Events.1.CallbackStartedDetails.CallbackId' } },
  ),
]
const CALLBACK = { CallbackId: '<history.Events.1.CallbackStartedDetails.CallbackId>' }
const ANSWERED = [
  ...WAITING,
  step('SendDurableExecutionCallbackSuccess', { ...CALLBACK, Result: Buffer.from('"yes"') }),
]
const OPERATIONS = {
  SendDurableExecutionCallbackSuccess: { Result: Buffer.from('"yes"') },
  SendDurableExecutionCallbackFailure: { Error: { ErrorType: 'No', ErrorMessage: 'not today' } },
  SendDurableExecutionCallbackHeartbeat: {},
} satisfies Record<string, Input>

export const callbackCases: readonly ParityCase[] = Object.entries(OPERATIONS).flatMap(
  ([operation, more]): ParityCase[] => [
    {
      operation,
      name: 'of an execution that waits for it',
      given: WAITING,
      input: { ...CALLBACK, ...more },
      expect: ok(NO_BODY),
      source: REFERENCE,
    },
    {
      operation,
      name: 'that has been answered',
      given: ANSWERED,
      input: { ...CALLBACK, ...more },
      expect: refused(400, 'CallbackTimeoutException', {
        Type: 'User',
        Message: 'The callback is either timed out or already completed',
      }),
      source: CLOSED,
    },
  ],
)
