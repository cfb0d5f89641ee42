/** AWS Signer, and the signatures that Lambda asks for: real SDK clients, a bucket between them. */
// parity: CreateFunction UpdateFunctionCode PublishLayerVersion UpdateFunctionConfiguration CreateCodeSigningConfig
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import {
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  PublishLayerVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
  type CodeSigningPolicy,
  type LambdaClient,
} from '@aws-sdk/client-lambda'
import {
  CancelSigningProfileCommand,
  DescribeSigningJobCommand,
  GetSigningPlatformCommand,
  GetSigningProfileCommand,
  ListSigningJobsCommand,
  ListSigningPlatformsCommand,
  ListSigningProfilesCommand,
  ListTagsForResourceCommand,
  PutSigningProfileCommand,
  RevokeSignatureCommand,
  RevokeSigningProfileCommand,
  StartSigningJobCommand,
  TagResourceCommand,
  UntagResourceCommand,
  waitUntilSuccessfulSigningJob,
  type SignatureValidityPeriod,
  type SignerClient,
} from '@aws-sdk/client-signer'
import { fromBufferPromise } from 'yauzl'

import { startBucket, type Bucket } from '../support/bucket.ts'
import { errorOf, invoke, lambdaClient, ROLE, signerClient, zipOf } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'
import { buildZip, type ZipPart } from '../support/zip-builder.ts'

const platformId = 'AWSLambda-SHA384-ECDSA'
const ARN = 'arn:aws:signer:us-east-1:000000000000:'
const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`
const source = (text: string) => ({
  'index.mjs': `export const handler = async () => ${JSON.stringify(text)}`,
})

const refused = (why: string, name: string) => ({
  name: 'CodeVerificationFailedException',
  message: `Lambda cannot deploy the function. ${why} Check the provided signature for ${name}.`,
  status: 400,
})
const MISMATCH =
  'The function or layer might be signed using a signature that the client is not configured to accept.'
const BROKEN =
  'The function or layer code is not properly signed. This can mean that the code was signed incorrectly or modified after it was signed.'

/** Name and content of each entry. */
async function partsOf(bytes: Uint8Array): Promise<readonly ZipPart[]> {
  const zip = await fromBufferPromise(Buffer.from(bytes))
  const parts: ZipPart[] = []
  for await (const entry of zip.eachEntry()) {
    const isDirectory = entry.fileName.endsWith('/')
    const chunks: Buffer[] = []
    if (!isDirectory) {
      for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
    }
    parts.push({
      name: entry.fileName,
      data: Buffer.concat(chunks),
      mode: isDirectory ? 0o040755 : 0o100644,
    })
  }
  return parts
}

describe('signer', () => {
  let program: Program
  let bucket: Bucket
  let dataDirectory = ''
  let lambda: LambdaClient
  let signer: SignerClient
  before(async () => {
    bucket = await startBucket()
    dataDirectory = await mkdtemp(join(tmpdir(), 'lambent-e2e-'))
    program = await startProgram({ dataDirectory, args: bucket.args })
    lambda = lambdaClient(program.endpoint)
    signer = signerClient(program.endpoint)
  })
  after(async () => {
    await program.stop()
    bucket.close()
    await rm(dataDirectory, { recursive: true, force: true, maxRetries: 5 })
  })

  const putProfile = async (profileName: string, signatureValidityPeriod?: SignatureValidityPeriod) => {
    const made = await signer.send(
      new PutSigningProfileCommand({ profileName, platformId, signatureValidityPeriod }),
    )
    return {
      profileName,
      profileVersion: made.profileVersion,
      profileVersionArn: made.profileVersionArn ?? '',
    }
  }

  /** Uploads the package, has it signed, and fetches the result. */
  const sign = async (profileName: string, zip: Uint8Array) => {
    bucket.objects.set('/code/app.zip?versionId=v1', zip)
    const { jobId } = await signer.send(
      new StartSigningJobCommand({
        profileName,
        source: { s3: { bucketName: 'code', key: 'app.zip', version: 'v1' } },
        destination: { s3: { bucketName: 'code', prefix: 'signed/' } },
      }),
    )
    await waitUntilSuccessfulSigningJob(
      { client: signer, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { jobId },
    )
    const signed = bucket.objects.get(`/code/signed/${jobId}.zip`)
    assert.ok(signed)
    return { jobId: jobId ?? '', signed, jobArn: `${ARN}/signing-jobs/${jobId}` }
  }

  const configOf = async (mode: CodeSigningPolicy, ...SigningProfileVersionArns: string[]) => {
    const { CodeSigningConfig } = await lambda.send(
      new CreateCodeSigningConfigCommand({
        AllowedPublishers: { SigningProfileVersionArns },
        CodeSigningPolicies: { UntrustedArtifactOnDeployment: mode },
      }),
    )
    return CodeSigningConfig?.CodeSigningConfigArn
  }
  const create = (FunctionName: string, ZipFile: Uint8Array, CodeSigningConfigArn: string | undefined) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: 'nodejs26.x',
        Handler: 'index.handler',
        Role: ROLE,
        Code: { ZipFile },
        CodeSigningConfigArn,
      }),
    )
  const update = (FunctionName: string, ZipFile: Uint8Array, DryRun?: boolean) =>
    lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, DryRun }))
  const settled = (FunctionName: string) =>
    waitUntilFunctionUpdatedV2(
      { client: lambda, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { FunctionName },
    )

  test('a profile is made, read, tagged, listed and canceled', async () => {
    const { profileName, profileVersion, profileVersionArn } = await putProfile('life')
    assert.match(profileVersion ?? '', /^[a-zA-Z0-9]{10}$/)
    assert.equal(profileVersionArn, `${ARN}/signing-profiles/life/${profileVersion}`)
    const resourceArn = `${ARN}/signing-profiles/life`
    await signer.send(new TagResourceCommand({ resourceArn, tags: { team: 'a', gone: 'b' } }))
    await signer.send(new UntagResourceCommand({ resourceArn, tagKeys: ['gone'] }))
    const { tags } = await signer.send(new ListTagsForResourceCommand({ resourceArn }))
    assert.deepEqual(tags, { team: 'a' })
    const { $metadata: _, ...read } = await signer.send(new GetSigningProfileCommand({ profileName }))
    assert.deepEqual(read, {
      profileName,
      profileVersion,
      profileVersionArn,
      platformId,
      platformDisplayName: 'AWS Lambda',
      signatureValidityPeriod: { value: 135, type: 'MONTHS' },
      status: 'Active',
      arn: resourceArn,
      tags: { team: 'a' },
    })
    const listed = async (includeCanceled: boolean) =>
      (await signer.send(new ListSigningProfilesCommand({ includeCanceled }))).profiles?.map((each) => [
        each.profileName,
        each.status,
      ])
    assert.ok((await listed(false))?.some(([name]) => name === 'life'))
    await signer.send(new CancelSigningProfileCommand({ profileName }))
    assert.ok(!(await listed(false))?.some(([name]) => name === 'life'))
    assert.deepEqual(
      (await listed(true))?.find(([name]) => name === 'life'),
      ['life', 'Canceled'],
    )
    // A canceled profile keeps its name and signs nothing more.
    assert.equal((await errorOf(putProfile('life'))).name, 'ValidationException')
    assert.equal((await errorOf(sign('life', await zipOf(source('x'))))).name, 'ValidationException')
  })

  test('what does not exist, or is no platform of Lambda, is refused', async () => {
    assert.deepEqual(await errorOf(sign('nobody', await zipOf(source('x')))), {
      name: 'ResourceNotFoundException',
      message: 'profile with name nobody does not exist',
      status: 404,
    })
    for (const command of [
      new GetSigningProfileCommand({ profileName: 'nobody' }),
      new CancelSigningProfileCommand({ profileName: 'nobody' }),
      new DescribeSigningJobCommand({ jobId: 'nothing' }),
      new RevokeSignatureCommand({ jobId: 'nothing', reason: 'x' }),
    ]) {
      assert.equal(
        (await errorOf(signer.send(command as GetSigningProfileCommand))).name,
        'ResourceNotFoundException',
      )
    }
    const other = new PutSigningProfileCommand({
      profileName: 'other',
      platformId: 'Notation-OCI-SHA384-ECDSA',
    })
    assert.equal((await errorOf(signer.send(other))).name, 'ValidationException')
    const long = putProfile('long', { value: 136, type: 'MONTHS' })
    assert.equal((await errorOf(long)).name, 'ValidationException')
    const { platforms } = await signer.send(new ListSigningPlatformsCommand({}))
    const { $metadata: _, ...platform } = await signer.send(new GetSigningPlatformCommand({ platformId }))
    assert.deepEqual(platforms, [platform])
    assert.equal(platform.maxSizeInMB, 250)
  })

  test('signed code is deployed under Enforce; unsigned, foreign and changed code is not', async () => {
    const { profileName, profileVersionArn } = await putProfile('strict')
    const other = await putProfile('stranger')
    const { signed, jobArn } = await sign(profileName, await zipOf(source('signed')))
    const config = await configOf('Enforce', profileVersionArn)
    const created = await create('enforced', signed, config)
    assert.deepEqual([created.SigningProfileVersionArn, created.SigningJobArn], [profileVersionArn, jobArn])
    await settled('enforced')
    assert.equal((await invoke(lambda, 'enforced')).payload, 'signed')

    const unsigned = await zipOf(source('unsigned'))
    assert.deepEqual(await errorOf(update('enforced', unsigned)), refused(MISMATCH, functionArn('enforced')))
    assert.deepEqual(
      await errorOf(update('enforced', unsigned, true)),
      refused(MISMATCH, functionArn('enforced')),
    )
    assert.deepEqual(await errorOf(create('new', unsigned, config)), refused(MISMATCH, 'new'))
    const foreign = (await sign(other.profileName, unsigned)).signed
    assert.deepEqual(await errorOf(update('enforced', foreign)), refused(MISMATCH, functionArn('enforced')))

    const parts = await partsOf(signed)
    assert.deepEqual(
      parts.map(({ name }) => name),
      ['index.mjs', 'META_INF/', 'META_INF/aws_signer_signature_v1.0.SF'],
    )
    const evil = buildZip(
      parts.map((part) => (part.name === 'index.mjs' ? { ...part, data: 'evil()' } : part)),
    )
    assert.deepEqual(await errorOf(update('enforced', evil)), refused(BROKEN, functionArn('enforced')))
    assert.equal((await invoke(lambda, 'enforced')).payload, 'signed')
    // The signature is over names and contents: how they are compressed does not matter.
    const recompressed = buildZip(
      parts.map((part) => ({ ...part, deflate: !String(part.name).endsWith('/') })),
    )
    const updated = await update('enforced', recompressed)
    assert.deepEqual([updated.SigningProfileVersionArn, updated.SigningJobArn], [profileVersionArn, jobArn])
    await settled('enforced')
  })

  test('Warn lets everything through but changed code; without a configuration nothing is refused', async () => {
    const { profileName, profileVersionArn } = await putProfile('lax')
    const { signed } = await sign(profileName, await zipOf(source('signed')))
    const config = await configOf('Warn', profileVersionArn)
    const evil = buildZip(
      (await partsOf(signed)).map((part) => ({ ...part, name: String(part.name).replace('index', 'i') })),
    )
    assert.deepEqual(await errorOf(create('warned', evil, config)), refused(BROKEN, 'warned'))
    const created = await create('warned', await zipOf(source('unsigned')), config)
    assert.equal(created.SigningJobArn, undefined)
    assert.equal((await create('free', evil, undefined)).SigningJobArn, undefined)
  })

  test('layers show their signatures, and have to have them', async () => {
    const { profileName, profileVersionArn } = await putProfile('layers')
    const config = await configOf('Enforce', profileVersionArn)
    const publish = (LayerName: string, ZipFile: Uint8Array) =>
      lambda.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile } }))
    const { signed, jobArn } = await sign(profileName, await zipOf({ 'nodejs/x.js': '1' }))
    const good = await publish('signed', signed)
    assert.deepEqual(
      [good.Content?.SigningProfileVersionArn, good.Content?.SigningJobArn],
      [profileVersionArn, jobArn],
    )
    const bad = await publish('unsigned', await zipOf({ 'nodejs/x.js': '1' }))
    assert.equal(bad.Content?.SigningJobArn, undefined)
    const code = (await sign(profileName, await zipOf(source('signed')))).signed
    await create('layered', code, config)
    await settled('layered')
    const attach = (...Layers: (string | undefined)[]) =>
      lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: 'layered',
          Layers: Layers.filter((arn) => arn !== undefined),
        }),
      )
    assert.deepEqual(
      await errorOf(attach(good.LayerVersionArn, bad.LayerVersionArn)),
      refused(MISMATCH, bad.LayerVersionArn ?? ''),
    )
    await attach(good.LayerVersionArn)
    await settled('layered')
    const { Layers } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'layered' }))
    assert.deepEqual(Layers, [
      {
        Arn: good.LayerVersionArn,
        CodeSize: signed.byteLength,
        SigningProfileVersionArn: profileVersionArn,
        SigningJobArn: jobArn,
      },
    ])
  })

  test('a revoked signature, and those of a revoked profile from a moment on, are refused', async () => {
    const first = await putProfile('revoked')
    const config = await configOf('Enforce', first.profileVersionArn)
    const one = await sign('revoked', await zipOf(source('one')))
    await new Promise((resolve) => setTimeout(resolve, 50))
    const effectiveTime = new Date()
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const two = await sign('revoked', await zipOf(source('two')))
    await create('r1', two.signed, config)
    await signer.send(
      new RevokeSigningProfileCommand({
        profileName: 'revoked',
        profileVersion: first.profileVersion,
        reason: 'stolen',
        effectiveTime,
      }),
    )
    const profile = await signer.send(new GetSigningProfileCommand({ profileName: 'revoked' }))
    assert.deepEqual([profile.status, profile.statusReason], ['Revoked', 'stolen'])
    const REVOKED = 'The signature of the function or layer has been revoked.'
    assert.deepEqual(await errorOf(create('r2', two.signed, config)), refused(REVOKED, 'r2'))
    await create('r3', one.signed, config)
    await signer.send(new RevokeSignatureCommand({ jobId: one.jobId, reason: 'wrong' }))
    assert.deepEqual(await errorOf(create('r4', one.signed, config)), refused(REVOKED, 'r4'))
    const job = await signer.send(new DescribeSigningJobCommand({ jobId: one.jobId }))
    assert.deepEqual([job.status, job.revocationRecord?.reason], ['Succeeded', 'wrong'])
    // Under Warn it counts for nothing, and hinders nothing.
    await create('r5', one.signed, await configOf('Warn', first.profileVersionArn))
  })

  test('a job is described and listed; its token starts it once; a broken one says why', async () => {
    await putProfile('jobs', { value: 2, type: 'DAYS' })
    const { jobId } = await sign('jobs', await zipOf(source('x')))
    const {
      $metadata: _,
      createdAt,
      completedAt,
      signatureExpiresAt,
      ...job
    } = await signer.send(new DescribeSigningJobCommand({ jobId }))
    assert.equal(Number(signatureExpiresAt) - Number(createdAt), 2 * 86_400_000)
    assert.ok(completedAt)
    const { profileVersion } = await signer.send(new GetSigningProfileCommand({ profileName: 'jobs' }))
    assert.deepEqual(job, {
      jobId,
      source: { s3: { bucketName: 'code', key: 'app.zip', version: 'v1' } },
      signedObject: { s3: { bucketName: 'code', key: `signed/${jobId}.zip` } },
      platformId,
      platformDisplayName: 'AWS Lambda',
      profileName: 'jobs',
      profileVersion,
      requestedBy: 'arn:aws:iam::000000000000:root',
      status: 'Succeeded',
      statusReason: 'Signing Succeeded',
      jobOwner: '000000000000',
      jobInvoker: '000000000000',
    })
    const start = (key: string, clientRequestToken: string) =>
      signer.send(
        new StartSigningJobCommand({
          profileName: 'jobs',
          source: { s3: { bucketName: 'code', key, version: 'v1' } },
          destination: { s3: { bucketName: 'code' } },
          clientRequestToken,
        }),
      )
    const [once, again] = [await start('app.zip', 'token'), await start('app.zip', 'token')]
    assert.equal(once.jobId, again.jobId)
    bucket.objects.set('/code/text.zip?versionId=v1', Buffer.from('no zip'))
    for (const [key, reason] of [
      ['missing.zip', /NoSuchKey/],
      ['text.zip', /not a readable zip/],
    ] as const) {
      const failed = await start(key, key)
      await assert.rejects(
        waitUntilSuccessfulSigningJob(
          { client: signer, maxWaitTime: 20, minDelay: 1, maxDelay: 1 },
          { jobId: failed.jobId },
        ),
      )
      const told = await signer.send(new DescribeSigningJobCommand({ jobId: failed.jobId }))
      assert.equal(told.status, 'Failed')
      assert.match(told.statusReason ?? '', reason)
      assert.equal(told.signedObject, undefined)
    }
    const failed = await signer.send(new ListSigningJobsCommand({ status: 'Failed' }))
    assert.equal(failed.jobs?.length, 2)
    const page = await signer.send(new ListSigningJobsCommand({ maxResults: 1 }))
    assert.equal(page.jobs?.length, 1)
    assert.ok(page.nextToken)
  })

  test('signatures outlive a crash, with the key that made them', async () => {
    const { profileName, profileVersionArn } = await putProfile('lasting')
    const before = await sign(profileName, await zipOf(source('before')))
    const config = await configOf('Enforce', profileVersionArn)
    // A job that was only just started is done by whoever comes after.
    bucket.objects.set('/code/app.zip?versionId=v1', await zipOf(source('open')))
    const { jobId } = await signer.send(
      new StartSigningJobCommand({
        profileName,
        source: { s3: { bucketName: 'code', key: 'app.zip', version: 'v1' } },
        destination: { s3: { bucketName: 'code' } },
      }),
    )
    await program.kill9()
    program = await startProgram({ dataDirectory, args: bucket.args })
    lambda = lambdaClient(program.endpoint)
    signer = signerClient(program.endpoint)
    assert.equal((await create('lasting1', before.signed, config)).SigningJobArn, before.jobArn)
    await waitUntilSuccessfulSigningJob(
      { client: signer, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { jobId },
    )
    const later = await sign(profileName, await zipOf(source('later')))
    assert.equal((await create('lasting2', later.signed, config)).SigningJobArn, later.jobArn)
  })
})
