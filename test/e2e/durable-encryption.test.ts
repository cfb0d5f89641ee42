/** Durable executions under the KMS key of a DurableConfig. */
// parity: GetDurableExecution GetDurableExecutionHistory CheckpointDurableExecution
// parity: GetDurableExecution/KMSDisabledException GetDurableExecutionHistory/KMSDisabledException
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, lambdaClient } from '../support/clients.ts'
import { durableSdkForNode } from '../support/durable-sdks.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const HANDLER = `
const { withDurableExecution } = require('@aws/durable-execution-sdk-js')
exports.handler = withDurableExecution(async (event, context) => {
  const kept = await context.step('keep', async () => event.n)
  await context.wait({ seconds: 1 })
  return { child: kept }
})
`

const sdk = await durableSdkForNode()
const unless = { skip: typeof sdk === 'string' && sdk }

test('with a KMS key the data of executions rests encrypted, and ends with the key', unless, async (t) => {
  if (typeof sdk === 'string') return
  const directory = await temporaryDirectory(t)
  let program = await startProgram({ dataDirectory: directory })
  t.after(() => program.stop())
  const kms = () =>
    new KMSClient({
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    })
  const { KeyMetadata } = await kms().send(new CreateKeyCommand({}))
  const KMSKeyArn = KeyMetadata?.Arn
  const KeyId = KeyMetadata?.KeyId
  let lambda = lambdaClient(program.endpoint)
  await createFunction(lambda, {
    FunctionName: 'keyed',
    files: { ...sdk, 'index.js': HANDLER },
    Timeout: 30,
    MemorySize: 512,
    DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 1, KMSKeyArn },
  })
  const started = await lambda.send(
    new InvokeCommand({
      FunctionName: 'keyed',
      Qualifier: '$LATEST',
      Payload: Buffer.from(JSON.stringify({ flow: 'child', n: 'guarded-secret' })),
    }),
  )
  assert.deepEqual(JSON.parse(Buffer.from(started.Payload ?? []).toString()), { child: 'guarded-secret' })
  const DurableExecutionArn = started.DurableExecutionArn
  await program.stop()
  const files = (await readdir(join(directory, 'store'), { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile(),
  )
  assert.ok(files.length > 0)
  for (const { parentPath, name } of files) {
    const bytes = await readFile(join(parentPath, name))
    assert.ok(!bytes.includes('guarded-secret'), name)
  }

  program = await startProgram({ dataDirectory: directory })
  lambda = lambdaClient(program.endpoint)
  const get = () => lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }))
  const history = () => lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn }))
  await kms().send(new DisableKeyCommand({ KeyId }))
  for (const call of [get, history]) {
    const { name, status } = await errorOf(call())
    assert.deepEqual([name, status], ['KMSDisabledException', 502])
  }
  const refused = await errorOf(
    lambda.send(
      new InvokeCommand({ FunctionName: 'keyed', Qualifier: '$LATEST', Payload: Buffer.from('{}') }),
    ),
  )
  assert.deepEqual([refused.name, refused.status], ['KMSDisabledException', 502])
  await kms().send(new EnableKeyCommand({ KeyId }))
  const read = await get()
  assert.deepEqual(
    [read.Status, JSON.parse(read.Result ?? ''), JSON.parse(read.InputPayload ?? '')],
    ['SUCCEEDED', { child: 'guarded-secret' }, { flow: 'child', n: 'guarded-secret' }],
  )
  assert.ok((await history()).Events?.some(({ EventType }) => EventType === 'ExecutionSucceeded'))
})
