/** Code packages from a bucket, against a small S3-compatible server that checks the signatures it gets. */
// parity: CreateFunction UpdateFunctionCode PublishLayerVersion
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import {
  CreateFunctionCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  ListFunctionsCommand,
  PublishLayerVersionCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
  type FunctionCode,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { startBucket, type Bucket } from '../support/bucket.ts'
import { errorOf, invoke, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

describe('code from a bucket', () => {
  let program: Program
  let bucket: Bucket
  let lambda: LambdaClient
  before(async () => {
    bucket = await startBucket()
    program = await startProgram({ args: bucket.args })
    lambda = lambdaClient(program.endpoint)
  })
  after(async () => {
    await program.stop()
    bucket.close()
  })
  const create = (name: string, Code: FunctionCode) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: 'nodejs26.x',
        Handler: 'index.handler',
        Role: ROLE,
        Code,
      }),
    )
  const code = (text: string) =>
    zipOf({ 'index.js': `exports.handler = async () => ${JSON.stringify(text)}` })
  const wait = { maxWaitTime: 30, minDelay: 1, maxDelay: 1 }

  test('create, update to a version of the object, and a layer', async () => {
    const first = await code('one')
    bucket.objects.set('/code/app.zip', first)
    bucket.objects.set('/code/dir/with%20space%20and%20%C3%BC%2B%281%29.zip', await code('two'))
    bucket.objects.set('/code/app.zip?versionId=v3', await code('three'))
    const created = await create('stored', { S3Bucket: 'code', S3Key: 'app.zip' })
    assert.equal(created.CodeSha256, createHash('sha256').update(first).digest('base64'))
    assert.equal(created.CodeSize, first.byteLength)
    await waitUntilFunctionActiveV2({ client: lambda, ...wait }, { FunctionName: 'stored' })
    assert.equal((await invoke(lambda, 'stored', {})).payload, 'one')
    for (const [source, says] of [
      [{ S3Key: 'dir/with space and ü+(1).zip' }, 'two'],
      [{ S3Key: 'app.zip', S3ObjectVersion: 'v3' }, 'three'],
    ] as const) {
      await lambda.send(
        new UpdateFunctionCodeCommand({ FunctionName: 'stored', S3Bucket: 'code', ...source }),
      )
      await waitUntilFunctionUpdatedV2({ client: lambda, ...wait }, { FunctionName: 'stored' })
      assert.equal((await invoke(lambda, 'stored', {})).payload, says)
    }
    // The object is copied: later changes in the bucket do not reach the function.
    bucket.objects.clear()
    const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName: 'stored' }))
    assert.equal((await fetch(Code?.Location ?? '')).status, 200)

    bucket.objects.set('/code/layer.zip', await zipOf({ 'nodejs/x.js': '1' }))
    const layer = await lambda.send(
      new PublishLayerVersionCommand({
        LayerName: 'stored',
        Content: { S3Bucket: 'code', S3Key: 'layer.zip' },
      }),
    )
    assert.equal(layer.Version, 1)
    assert.ok(bucket.requests.every((line) => line.startsWith('GET /')))
  })

  test('a package that stays in its bucket is named so and counts for nothing', async () => {
    bucket.objects.set('/code/kept.zip?versionId=v1', await code('kept'))
    const used = async () =>
      (await lambda.send(new GetAccountSettingsCommand({}))).AccountUsage?.TotalCodeSize
    const before = await used()
    const source = { S3Bucket: 'code', S3Key: 'kept.zip', S3ObjectVersion: 'v1' }
    await create('referenced', { ...source, S3ObjectStorageMode: 'REFERENCE' })
    await waitUntilFunctionActiveV2({ client: lambda, ...wait }, { FunctionName: 'referenced' })
    assert.equal((await invoke(lambda, 'referenced', {})).payload, 'kept')
    assert.equal(await used(), before)
    const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName: 'referenced' }))
    assert.deepEqual(Code?.ResolvedS3Object, source)
    const layer = await lambda.send(
      new PublishLayerVersionCommand({
        LayerName: 'referenced',
        Content: { ...source, S3ObjectStorageMode: 'REFERENCE' },
      }),
    )
    assert.deepEqual(layer.Content?.ResolvedS3Object, source)
    assert.equal(await used(), before)
    // Copied, it counts.
    const copied = await lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName: 'referenced', ...source, S3ObjectStorageMode: 'COPY' }),
    )
    assert.equal(await used(), (before ?? 0) + (copied.CodeSize ?? 0))
    const unversioned = await errorOf(
      create('never', { S3Bucket: 'code', S3Key: 'kept.zip', S3ObjectStorageMode: 'REFERENCE' }),
    )
    assert.equal(unversioned.name, 'InvalidParameterValueException')
  })

  const refusals: readonly (readonly [string, FunctionCode, string])[] = [
    [
      'a missing key',
      { S3Bucket: 'code', S3Key: 'none.zip' },
      'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
    ],
    [
      'a missing bucket',
      { S3Bucket: 'nothing', S3Key: 'app.zip' },
      'Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist',
    ],
    [
      'a bucket of others',
      { S3Bucket: 'private', S3Key: 'app.zip' },
      'Error occurred while GetObject. S3 Error Code: AccessDenied. S3 Error Message: Access Denied',
    ],
    [
      'an error with an entity in its text',
      { S3Bucket: 'code', S3Key: 'slow-down' },
      'Error occurred while GetObject. S3 Error Code: SlowDown. S3 Error Message: Reduce your request rate & try again.',
    ],
    [
      'a key that leads out of the bucket',
      { S3Bucket: 'code', S3Key: '../private/app.zip' },
      'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
    ],
    [
      'an object that is no zip',
      { S3Bucket: 'code', S3Key: 'text.zip' },
      'Could not unzip uploaded file. Please check your file, then try to upload again.',
    ],
    ['an empty object', { S3Bucket: 'code', S3Key: 'empty.zip' }, 'Uploaded file must be a non-empty zip'],
    [
      'an object that never ends',
      { S3Bucket: 'code', S3Key: 'endless' },
      'Unzipped size must be smaller than 262144000 bytes',
    ],
    [
      'an object that says it is too large',
      { S3Bucket: 'code', S3Key: 'claims-much' },
      'Unzipped size must be smaller than 262144000 bytes',
    ],
  ]
  for (const [name, source, message] of refusals) {
    test(`${name} is refused with S3's words, and creates nothing`, async () => {
      bucket.objects.set('/code/text.zip', Buffer.from('no zip'))
      bucket.objects.set('/code/empty.zip', Buffer.alloc(0))
      assert.deepEqual(await errorOf(create('refused', source)), {
        name: 'InvalidParameterValueException',
        status: 400,
        message,
      })
      const { Functions } = await lambda.send(new ListFunctionsCommand({}))
      assert.ok(!Functions?.some(({ FunctionName }) => FunctionName === 'refused'))
    })
  }

  test('an endpoint that breaks off or talks nonsense is an error of the service or of S3, not a hang', async () => {
    const cut = await errorOf(create('refused', { S3Bucket: 'code', S3Key: 'cut' }))
    assert.deepEqual([cut.name, cut.status], ['ServiceException', 500])
    const nonsense = await errorOf(create('refused', { S3Bucket: 'code', S3Key: 'nonsense' }))
    assert.deepEqual([nonsense.name, nonsense.status], ['InvalidParameterValueException', 400])
  })

  test('a bucket together with a zip, or half a bucket, is refused', async () => {
    const zip = await code('x')
    for (const source of [
      { ZipFile: zip, S3Bucket: 'code', S3Key: 'app.zip' },
      { S3Bucket: 'code' },
      { S3Key: 'app.zip' },
      {},
    ]) {
      const error = await errorOf(create('refused', source))
      assert.deepEqual([error.name, error.status], ['InvalidParameterValueException', 400])
    }
  })
})

test('without an S3 endpoint no bucket exists', async (t) => {
  const program = await startProgram()
  t.after(() => program.stop())
  const error = await errorOf(
    lambdaClient(program.endpoint).send(
      new CreateFunctionCommand({
        FunctionName: 'refused',
        Runtime: 'nodejs26.x',
        Handler: 'index.handler',
        Role: ROLE,
        Code: { S3Bucket: 'code', S3Key: 'app.zip' },
      }),
    ),
  )
  assert.deepEqual(error, {
    name: 'InvalidParameterValueException',
    status: 400,
    message:
      'Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist',
  })
})
