/** Durable executions with the official SDK for Python, unchanged, inside a real function. */
// parity: CheckpointDurableExecution SendDurableExecutionCallbackSuccess SendDurableExecutionCallbackFailure
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import {
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackSuccessCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { createFunction, eventually, lambdaClient } from '../support/clients.ts'
import { durableSdkForPython } from '../support/durable-sdks.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

/** Where the SDK's own types of errors come from, as it tells the service. */
const ERRORS = 'aws_durable_execution_sdk_python.exceptions.'

const PLAIN = `
def handler(event, context):
    return event['n'] * 2
`
const sdk = await durableSdkForPython()

async function deploy(lambda: LambdaClient, files: Record<string, Uint8Array>) {
  const common = { Runtime: 'python3.11', Handler: 'app.handler', Timeout: 60 } as const
  await Promise.all([
    createFunction(lambda, {
      ...common,
      FunctionName: 'flows',
      MemorySize: 512,
      DurableConfig: { ExecutionTimeout: 300 },
      files,
    }),
    createFunction(lambda, { ...common, FunctionName: 'plain', files: { 'app.py': PLAIN } }),
  ])
}

async function start(lambda: LambdaClient, flow: string) {
  const { DurableExecutionArn = '' } = await lambda.send(
    new InvokeCommand({
      FunctionName: 'flows:$LATEST',
      InvocationType: 'Event',
      Payload: Buffer.from(JSON.stringify({ flow })),
    }),
  )
  return DurableExecutionArn
}

const historyOf = async (lambda: LambdaClient, DurableExecutionArn: string) =>
  (await lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn, MaxItems: 1000 })))
    .Events ?? []

const eventOf = (lambda: LambdaClient, arn: string, type: string, parentName?: string) =>
  eventually(`there is ${type}`, async () => {
    const events = await historyOf(lambda, arn)
    return events.find(
      ({ EventType, ParentId }) =>
        EventType === type &&
        (parentName === undefined ||
          events.some(({ Id, Name }) => Id !== undefined && Id === ParentId && Name === parentName)),
    )
  })

async function resultOf(lambda: LambdaClient, DurableExecutionArn: string) {
  const execution = await eventually(
    'it has ended',
    async () => {
      const found = await lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }))
      return found.Status === 'RUNNING' ? undefined : found
    },
    60_000,
  )
  assert.deepEqual([execution.Status, execution.Error], ['SUCCEEDED', undefined])
  return JSON.parse(execution.Result ?? 'null') as unknown
}

const count = (types: readonly (string | undefined)[], wanted: string) =>
  types.filter((type) => type === wanted).length

test('durable functions with the SDK for Python', { skip: typeof sdk === 'string' && sdk }, async (t) => {
  if (typeof sdk === 'string') return
  const dataDirectory = await temporaryDirectory(t)
  let program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  let lambda = lambdaClient(program.endpoint)
  const app = await readFile(join(import.meta.dirname, 'durable-python', 'app.py'))
  await deploy(lambda, { ...sdk, 'app.py': app })

  await t.test('everything, over a kill -9', async () => {
    const arn = await start(lambda, 'everything')
    const CallbackId = (await eventOf(lambda, arn, 'CallbackStarted')).CallbackStartedDetails?.CallbackId
    await lambda.send(
      new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('yes') }),
    )
    await eventOf(lambda, arn, 'WaitStarted')
    await program.kill9()
    program = await startProgram({ dataDirectory })
    lambda = lambdaClient(program.endpoint)
    assert.deepEqual(
      await resultOf(lambda, arn),
      {
        first: 'one',
        answer: 'yes',
        retried: 2,
        both: ['L', 'R'],
        squares: [1, 4, 9],
        nested: { child: 7 },
      },
      program.output(),
    )
  })

  const flows: Record<string, () => Promise<void>> = {
    async conditions() {
      const arn = await start(lambda, 'conditions')
      assert.deepEqual(await resultOf(lambda, arn), {
        polled: 3,
        failed: ['WaitForConditionError', 'KeyError', "'gone'"],
      })
      const polls = (await historyOf(lambda, arn)).filter(({ Name }) => Name === 'polled')
      assert.equal(polls.filter(({ SubType }) => SubType === 'WaitForCondition').length, polls.length)
      assert.equal(polls.at(-1)?.EventType, 'StepSucceeded')
    },
    async callbacks() {
      const arn = await start(lambda, 'callbacks')
      const idOf = async (name: string) =>
        (await eventOf(lambda, arn, 'CallbackStarted', name)).CallbackStartedDetails?.CallbackId
      await lambda.send(
        new SendDurableExecutionCallbackSuccessCommand({
          CallbackId: await idOf('submitted'),
          Result: Buffer.from('yes'),
        }),
      )
      await lambda.send(
        new SendDurableExecutionCallbackFailureCommand({
          CallbackId: await idOf('rejected'),
          Error: { ErrorType: 'Rejected', ErrorMessage: 'not today' },
        }),
      )
      assert.deepEqual(await resultOf(lambda, arn), {
        submitted: 'yes',
        rejected: ['CallbackExternalError', `${ERRORS}CallbackExternalError`, 'not today'],
        late: ['CallbackTimeoutError', `${ERRORS}CallbackTimeoutError`, 'Callback timed out'],
        silent: ['CallbackTimeoutError', `${ERRORS}CallbackTimeoutError`, 'Callback timed out on heartbeat'],
        unsent: ['CallbackSubmitterError', `${ERRORS}CallbackSubmitterError`, 'unreachable'],
      })
    },
    async children() {
      const arn = await start(lambda, 'children')
      assert.deepEqual(await resultOf(lambda, arn), {
        large: 400_000,
        failed: ['ChildContextError', `${ERRORS}StepError`, 'no'],
      })
      const types = (await historyOf(lambda, arn)).map(({ EventType }) => EventType)
      // What has been checkpointed does not run again, though the child does.
      assert.deepEqual([count(types, 'StepSucceeded'), count(types, 'StepFailed')], [2, 1])
    },
    async invokes() {
      assert.deepEqual(await resultOf(lambda, await start(lambda, 'invokes')), {
        plain: [2, 4, 6],
        failed: [
          ['InvokeError', 'ValueError', 'no way'],
          ['InvokeError', 'TypeError', "unsupported operand type(s) for *: 'NoneType' and 'int'"],
        ],
      })
    },
    async batches() {
      assert.deepEqual(await resultOf(lambda, await start(lambda, 'batches')), {
        tolerant: ['ALL_COMPLETED', 2, 2, 0],
        strict: ['FAILURE_TOLERANCE_EXCEEDED', 1, 1, 0],
        first: ['MIN_SUCCESSFUL_REACHED', 1, 0, 1, ['quick']],
        states: [false, true, false, true],
      })
    },
    async retries() {
      assert.deepEqual(await resultOf(lambda, await start(lambda, 'retries')), {
        interrupted: 2,
        exhausted: ['StepError', 'RuntimeError', 'never'],
        block: 2,
      })
    },
  }
  await t.test('flows', { concurrency: 3 }, async (group) => {
    await Promise.all(Object.entries(flows).map(([name, flow]) => group.test(name, flow)))
  })
})
