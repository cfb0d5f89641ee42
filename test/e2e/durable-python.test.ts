/** Durable executions with the official SDK for Python, unchanged, inside a real function. */
// parity: CheckpointDurableExecution SendDurableExecutionCallbackSuccess
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  SendDurableExecutionCallbackSuccessCommand,
} from '@aws-sdk/client-lambda'

import { createFunction, eventually, lambdaClient } from '../support/clients.ts'
import { durableSdkForPython } from '../support/durable-sdks.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const HANDLER = `
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryDecision

attempts = 0

def flaky(_):
    global attempts
    attempts += 1
    if attempts < 2:
        raise RuntimeError('not yet')
    return attempts

def soon(error, attempt):
    return RetryDecision.retry(Duration.from_seconds(1)) if attempt < 3 else RetryDecision.no_retry()

def right(child):
    child.wait(Duration.from_seconds(1), 'short')
    return child.step(lambda _: 'R', 'right')

@durable_execution
def handler(event, context):
    if event.get('child'):
        context.wait(Duration.from_seconds(1))
        return {'child': event['child']}
    first = context.step(lambda _: 'one', 'first')
    callback = context.create_callback('answer')
    answer = callback.result()
    context.wait(Duration.from_seconds(2), 'pause')
    retried = context.step(flaky, 'retried', StepConfig(retry_strategy=soon))
    both = context.parallel([lambda child: child.step(lambda _: 'L', 'left'), right], 'both')
    squares = context.map([1, 2, 3], lambda child, item, index, items: child.step(lambda _: item * item), 'squares')
    nested = context.invoke('flows:$LATEST', {'child': 7}, 'nested')
    return {'first': first, 'answer': answer, 'retried': retried, 'both': both.get_results(),
            'squares': squares.get_results(), 'nested': nested}
`

const sdk = await durableSdkForPython()

test(
  'a durable function with the SDK for Python, over a kill -9',
  { skip: typeof sdk === 'string' && sdk },
  async (t) => {
    if (typeof sdk === 'string') return
    const dataDirectory = await temporaryDirectory(t)
    let program = await startProgram({ dataDirectory })
    t.after(() => program.stop())
    let lambda = lambdaClient(program.endpoint)
    await createFunction(lambda, {
      FunctionName: 'flows',
      Runtime: 'python3.11',
      Handler: 'app.handler',
      Timeout: 60,
      MemorySize: 512,
      DurableConfig: { ExecutionTimeout: 300 },
      files: { ...sdk, 'app.py': HANDLER },
    })
    const { DurableExecutionArn } = await lambda.send(
      new InvokeCommand({
        FunctionName: 'flows:$LATEST',
        InvocationType: 'Event',
        Payload: Buffer.from('{}'),
      }),
    )
    const eventOf = (type: string) =>
      eventually(`there is ${type}`, async () => {
        const history = await lambda.send(
          new GetDurableExecutionHistoryCommand({ DurableExecutionArn, MaxItems: 1000 }),
        )
        return history.Events?.find(({ EventType }) => EventType === type)
      })
    const { CallbackStartedDetails } = await eventOf('CallbackStarted')
    const CallbackId = CallbackStartedDetails?.CallbackId
    await lambda.send(
      new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('yes') }),
    )
    await eventOf('WaitStarted')
    await program.kill9()
    program = await startProgram({ dataDirectory })
    lambda = lambdaClient(program.endpoint)
    const execution = await eventually(
      'it has ended',
      async () => {
        const found = await lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }))
        return found.Status === 'RUNNING' ? undefined : found
      },
      60_000,
    )
    assert.deepEqual(
      [execution.Status, execution.Error, JSON.parse(execution.Result ?? 'null')],
      [
        'SUCCEEDED',
        undefined,
        {
          first: 'one',
          answer: 'yes',
          retried: 2,
          both: ['L', 'R'],
          squares: [1, 4, 9],
          nested: { child: 7 },
        },
      ],
      program.output(),
    )
  },
)
