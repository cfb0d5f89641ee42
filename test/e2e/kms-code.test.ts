/** Code packages under a customer's KMS key: `SourceKMSKeyArn`. */
// parity: CreateFunction UpdateFunctionCode GetFunction Invoke
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'

import { errorOf, invoke, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const codeOf = (text: string) => zipOf({ 'index.mjs': `export const handler = async () => '${text}'` })

test('code under a KMS key rests encrypted, runs, and ends with the key', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  const kms = new KMSClient({
    endpoint: program.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const { KeyId, Arn: SourceKMSKeyArn = '' } = KeyMetadata ?? {}
  const FunctionName = 'guarded'
  const wait = { client: lambda, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }
  const create = async (name: string, key: string, ZipFile: Uint8Array) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: 'nodejs26.x',
        Handler: 'index.handler',
        Role: ROLE,
        Code: { ZipFile, SourceKMSKeyArn: key },
      }),
    )
  const zip = await codeOf('secret-code')
  const digest = createHash('sha256').update(zip).digest('base64')

  const created = await create(FunctionName, SourceKMSKeyArn, zip)
  assert.deepEqual([created.CodeSha256, created.CodeSize], [digest, zip.byteLength])
  await waitUntilFunctionActiveV2(wait, { FunctionName })
  assert.equal((await invoke(lambda, FunctionName)).payload, 'secret-code')
  await lambda.send(new PublishVersionCommand({ FunctionName }))

  const blobs = (
    await readdir(join(dataDirectory, 'store'), { recursive: true, withFileTypes: true })
  ).filter((entry) => entry.isFile())
  assert.ok(blobs.length > 0)
  for (const { parentPath, name } of blobs) {
    assert.ok(!(await readFile(join(parentPath, name))).includes('index.mjs'), name)
  }

  const codeNow = async () => (await lambda.send(new GetFunctionCommand({ FunctionName }))).Code
  const shown = await codeNow()
  assert.equal(shown?.SourceKMSKeyArn, SourceKMSKeyArn)
  const download = await fetch(shown?.Location ?? '')
  assert.equal(download.headers.get('content-length'), String(zip.byteLength))
  assert.deepEqual(Buffer.from(await download.arrayBuffer()), zip)

  await kms.send(new DisableKeyCommand({ KeyId }))
  const renew = async (Timeout: number) => {
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout }))
    return await waitUntilFunctionUpdatedV2(wait, { FunctionName }).then(
      () => undefined,
      () => undefined,
    )
  }
  await renew(7)
  const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName }))
  assert.deepEqual(
    [Configuration?.LastUpdateStatus, Configuration?.LastUpdateStatusReasonCode],
    ['Failed', 'DisabledKMSKey'],
  )
  // What ran before goes on, as after any update that failed.
  assert.equal((await invoke(lambda, FunctionName)).payload, 'secret-code')
  // Of the version no environment runs.
  const refused = await errorOf(invoke(lambda, FunctionName, undefined, { Qualifier: '1' }))
  assert.deepEqual([refused.name, refused.status], ['KMSDisabledException', 502])
  const hidden = await codeNow()
  assert.deepEqual([hidden?.Location, hidden?.Error?.ErrorCode], [undefined, 'KMSDisabledException'])
  for (const attempt of [
    create('never', SourceKMSKeyArn, zip),
    lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: zip, SourceKMSKeyArn })),
  ]) {
    assert.equal((await errorOf(attempt)).name, 'InvalidParameterValueException')
  }

  await kms.send(new EnableKeyCommand({ KeyId }))
  await renew(8)
  assert.equal((await invoke(lambda, FunctionName, undefined, { Qualifier: '1' })).payload, 'secret-code')
  // New code without a key rests as any other.
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await codeOf('plain-code') }))
  await waitUntilFunctionUpdatedV2(wait, { FunctionName })
  assert.equal((await invoke(lambda, FunctionName)).payload, 'plain-code')
  assert.equal((await codeNow())?.SourceKMSKeyArn, undefined)
})
