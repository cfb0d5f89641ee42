/** What is told of durable executions whose KMS key can't be used any more, once nothing of them is in memory. */
// parity: GetDurableExecution/KMSDisabledException GetDurableExecution/KMSInvalidStateException
// parity: GetDurableExecutionHistory/KMSDisabledException GetDurableExecutionHistory/KMSInvalidStateException
// parity: GetDurableExecutionState/KMSDisabledException GetDurableExecutionState/KMSInvalidStateException
// parity: CheckpointDurableExecution/KMSDisabledException CheckpointDurableExecution/KMSInvalidStateException
// parity: StopDurableExecution/KMSDisabledException StopDurableExecution/KMSInvalidStateException
// parity: SendDurableExecutionCallbackSuccess/KMSDisabledException
// parity: SendDurableExecutionCallbackSuccess/KMSInvalidStateException
// parity: SendDurableExecutionCallbackFailure/KMSDisabledException
// parity: SendDurableExecutionCallbackFailure/KMSInvalidStateException
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  CreateKeyCommand,
  DisableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import {
  CheckpointDurableExecutionCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  GetDurableExecutionStateCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  ListTagsCommand,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, eventually, lambdaClient } from '../support/clients.ts'
import { SHOWS_ITS_TOKEN, WAITS_FOR_A_CALLBACK } from '../support/durable-guests.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const kmsClient = (endpoint: string) =>
  new KMSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })

interface Begun {
  readonly running: string
  readonly token: string
  readonly waiting: string
  readonly callback: string
}

/** Two executions under the key: one whose function runs and has shown its token, one that waits for a callback. */
async function begin(lambda: LambdaClient, name: string, KMSKeyArn: string): Promise<Begun> {
  const start = async (FunctionName: string, code: string) => {
    await createFunction(lambda, {
      FunctionName,
      files: { 'index.js': code },
      Timeout: 30,
      DurableConfig: { ExecutionTimeout: 600, RetentionPeriodInDays: 1, KMSKeyArn },
    })
    const { DurableExecutionArn = '' } = await lambda.send(
      new InvokeCommand({
        FunctionName,
        Qualifier: '$LATEST',
        InvocationType: 'Event',
        Payload: Buffer.from('{}'),
      }),
    )
    return DurableExecutionArn
  }
  const running = await start(`${name}-running`, SHOWS_ITS_TOKEN)
  const waiting = await start(`${name}-waiting`, WAITS_FOR_A_CALLBACK)
  const { FunctionArn: Resource } = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: `${name}-running` }),
  )
  const token = await eventually(
    'the token is shown',
    async () => (await lambda.send(new ListTagsCommand({ Resource }))).Tags?.['token'],
  )
  const callback = await eventually('the callback is there', async () => {
    const { Events = [] } = await lambda.send(
      new GetDurableExecutionHistoryCommand({ DurableExecutionArn: waiting }),
    )
    return Events.find(({ CallbackStartedDetails }) => CallbackStartedDetails)?.CallbackStartedDetails
      ?.CallbackId
  })
  return { running, token, waiting, callback }
}

/** Everything that needs the data of one of them. */
const requests = (lambda: LambdaClient, { running, token, waiting, callback: CallbackId }: Begun) => {
  const DurableExecutionArn = running
  const no = { ErrorType: 'No', ErrorMessage: 'not today' }
  return {
    GetDurableExecution: () => lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn })),
    GetDurableExecutionHistory: () =>
      lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn: waiting })),
    GetDurableExecutionState: () =>
      lambda.send(new GetDurableExecutionStateCommand({ DurableExecutionArn, CheckpointToken: token })),
    CheckpointDurableExecution: () =>
      lambda.send(
        new CheckpointDurableExecutionCommand({
          DurableExecutionArn,
          CheckpointToken: token,
          Updates: [{ Id: 's1', Name: 'first', Type: 'STEP', Action: 'SUCCEED', Payload: '"one"' }],
        }),
      ),
    StopDurableExecution: () =>
      lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn, Error: no })),
    SendDurableExecutionCallbackSuccess: () =>
      lambda.send(
        new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('"yes"') }),
      ),
    SendDurableExecutionCallbackFailure: () =>
      lambda.send(new SendDurableExecutionCallbackFailureCommand({ CallbackId, Error: no })),
  }
}

test('durable executions under a key that can not be used', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  let program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const kms = kmsClient(program.endpoint)
  const newKey = async () => (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? ''
  const [disabled, leaving] = [await newKey(), await newKey()]
  const lambda = lambdaClient(program.endpoint)
  const [ofDisabled, ofLeaving] = [
    await begin(lambda, 'disabled', disabled),
    await begin(lambda, 'leaving', leaving),
  ]
  await kms.send(new DisableKeyCommand({ KeyId: disabled }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: leaving, PendingWindowInDays: 7 }))
  await program.kill9()

  program = await startProgram({ dataDirectory })
  const again = lambdaClient(program.endpoint)
  const text = (because: string, cause: string) =>
    `Lambda was unable to access the data of the durable execution because ${because}. Please check the function's KMS key settings. KMS Exception: ${cause}`
  for (const [begun, name, message] of [
    [
      ofDisabled,
      'KMSDisabledException',
      text('the KMS key used is disabled', `DisabledException KMS Message: ${disabled} is disabled.`),
    ],
    [
      ofLeaving,
      'KMSInvalidStateException',
      text(
        'the KMS key used is in an invalid state for Decrypt',
        `KMSInvalidStateException KMS Message: ${leaving} is pending deletion.`,
      ),
    ],
  ] as const) {
    for (const [operation, request] of Object.entries(requests(again, begun))) {
      assert.deepEqual(
        { operation, ...(await errorOf(request())) },
        { operation, name, message, status: 502 },
      )
    }
  }
})
