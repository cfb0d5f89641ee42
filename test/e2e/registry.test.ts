/** Our own registry of container images: skopeo pushes and pulls, the SDK and the AWS CLI use the ECR API beside it. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'

import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteLifecyclePolicyCommand,
  DeleteRepositoryCommand,
  DeleteRepositoryPolicyCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  ListImagesCommand,
  ListTagsForResourceCommand,
  PutImageCommand,
  PutImageTagMutabilityCommand,
  PutLifecyclePolicyCommand,
  SetRepositoryPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
  ECRClient,
} from '@aws-sdk/client-ecr'

import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'

import { errorOf, makeExecutionRole, ROLE } from '../support/clients.ts'
import { writeLayout, type Described, type ImageOfLayout } from '../support/oci-layout.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'
import { clientEnvironment } from '../support/python-clients.ts'
import { sha256Of, tarOf } from '../support/tar-builder.ts'

const run = promisify(execFile)
const SKOPEO = '/usr/bin/skopeo'
const BUSYBOX = '/bin/busybox'
const AWS = '/usr/bin/aws'
const OWNER = { accessKeyId: 'AKIDOWNER', secretAccessKey: 'the secret of the owner' }
const missing = [SKOPEO, BUSYBOX].find((path) => !existsSync(path))

const busybox = (architecture: string): ImageOfLayout => {
  const base = tarOf([
    { name: 'bin/', type: '5', mode: 0o755 },
    { name: 'bin/busybox', content: readFileSync(BUSYBOX), mode: 0o755 },
    { name: 'bin/sh', type: '2', target: 'busybox' },
  ])
  const app = tarOf([{ name: 'app/run', content: `#!/bin/sh\necho ${architecture}\n`, mode: 0o755 }])
  return {
    architecture,
    layers: [base, app].map((tar) => ({ tar, kind: 'gzip', bytes: gzipSync(tar, { level: 1 }) })),
    config: { Entrypoint: ['/app/run'], Env: ['PATH=/bin'], WorkingDir: '/app' },
  }
}

describe('the registry of container images', { skip: missing && `${missing} is not installed` }, () => {
  let program: Program
  let ecr: ECRClient
  let directory: string
  let image: Described
  let index: Described
  const cleanUp: (() => Promise<void>)[] = []

  before(async () => {
    directory = await temporaryDirectory({ after: (end) => void cleanUp.push(end) })
    image = writeLayout(join(directory, 'image'), [busybox('amd64')])
    index = writeLayout(join(directory, 'index'), [busybox('amd64'), busybox('arm64')])
    await start()
  })
  after(async () => {
    await program.stop()
    for (const end of cleanUp) await end()
  })
  const start = async () => {
    const keys = [`--access-key-id=${OWNER.accessKeyId}`, `--secret-access-key=${OWNER.secretAccessKey}`]
    program = await startProgram({ dataDirectory: join(directory, 'data'), args: ['--auth=iam', ...keys] })
    ecr = new ECRClient(as(OWNER))
  }

  const as = (credentials: typeof OWNER) => ({
    endpoint: program.endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  })
  const create = async (repositoryName: string) => {
    const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName }))
    return repository?.repositoryUri ?? ''
  }
  /** User and password of `docker login`. */
  const token = async (client = ecr) => {
    const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}))
    const [data] = authorizationData ?? []
    assert.equal(data?.proxyEndpoint, program.endpoint)
    return Buffer.from(data.authorizationToken ?? '', 'base64').toString()
  }
  const skopeo = async (...args: string[]) =>
    (await run(SKOPEO, ['--insecure-policy', ...args], { timeout: 60_000 })).stdout
  const push = async (layout: string, to: string, ...options: string[]) => {
    const credentials = `--dest-creds=${await token()}`
    const from = `oci:${join(directory, layout)}:latest`
    return skopeo('copy', '--dest-tls-verify=false', credentials, ...options, from, `docker://${to}`)
  }
  const inspect = async (from: string, ...options: string[]) => {
    const credentials = `--creds=${await token()}`
    return JSON.parse(
      await skopeo('inspect', '--tls-verify=false', credentials, ...options, `docker://${from}`),
    )
  }

  test('an image that skopeo pushed comes back as it was, also after the program was killed', async () => {
    const uri = await create('team/app')
    assert.equal(uri, `127.0.0.1:${program.port}/team/app`)
    await push('image', `${uri}:v1`)
    await program.kill9()
    await start()
    const pushed = `127.0.0.1:${program.port}/team/app`
    const seen = await inspect(`${pushed}:v1`)
    assert.deepEqual(
      [seen.Digest, seen.RepoTags, seen.Architecture, seen.Layers.length, seen.Env],
      [image.digest, ['v1'], 'amd64', 2, ['PATH=/bin']],
    )
    const back = join(directory, 'back')
    const credentials = `--src-creds=${await token()}`
    await skopeo('copy', '--src-tls-verify=false', credentials, `docker://${pushed}:v1`, `dir:${back}`)
    for (const digest of [...seen.Layers, image.digest]) {
      const hex = String(digest).replace('sha256:', '')
      const copied = readFileSync(join(back, digest === image.digest ? 'manifest.json' : hex))
      assert.ok(copied.equals(readFileSync(join(directory, 'image/blobs/sha256', hex))))
    }
  })

  test('an index is pushed with all its images, and layers go from repository to repository', async () => {
    const uri = await create('team/both')
    await push('index', `${uri}:all`, '--all')
    assert.deepEqual(
      (await inspect(`${uri}:all`, '--raw')).manifests.map(({ platform }: never) => platform),
      [
        { os: 'linux', architecture: 'amd64' },
        { os: 'linux', architecture: 'arm64' },
      ],
    )
    const details = await ecr.send(new DescribeImagesCommand({ repositoryName: 'team/both' }))
    assert.equal(details.imageDetails?.length, 3)
    const tagged = details.imageDetails.find(({ imageTags }) => imageTags)
    assert.deepEqual(
      [tagged?.imageDigest, tagged?.imageTags, tagged?.imageManifestMediaType],
      [index.digest, ['all'], 'application/vnd.oci.image.index.v1+json'],
    )
    const other = await create('other')
    const both = [`--src-creds=${await token()}`, `--dest-creds=${await token()}`]
    const plain = ['--src-tls-verify=false', '--dest-tls-verify=false']
    await skopeo('copy', ...plain, ...both, '--all', `docker://${uri}:all`, `docker://${other}:copy`)
    assert.equal((await inspect(`${other}:copy`)).Name, other)
  })

  test('who has no token, and what is not there, is answered as by ECR', async () => {
    const uri = await create('closed')
    const failure = async (attempt: Promise<unknown>) => (await errorOf(attempt)).message
    const from = `oci:${join(directory, 'image')}:latest`
    assert.match(
      await failure(skopeo('copy', '--dest-tls-verify=false', from, `docker://${uri}:v1`)),
      /authentication required|unauthorized|Not Authorized/i,
    )
    assert.match(
      await failure(push('image', `127.0.0.1:${program.port}/nowhere:v1`)),
      /name unknown: The repository with name 'nowhere' does not exist in the registry with id '000000000000'/,
    )
    assert.match(await failure(inspect(`${uri}:none`)), /manifest unknown: Requested image not found/)
    await ecr.send(
      new PutImageTagMutabilityCommand({ repositoryName: 'closed', imageTagMutability: 'IMMUTABLE' }),
    )
    await push('image', `${uri}:v1`)
    await push('image', `${uri}:v1`)
    assert.match(
      await failure(push('index', `${uri}:v1`, '--all')),
      /tag invalid: The image tag 'v1' already exists in the 'closed' repository and cannot be overwritten because the repository is immutable\./,
    )
  })

  test('the ECR API describes, reads, retags and deletes what was pushed', async () => {
    const repositoryName = 'api'
    const uri = await create(repositoryName)
    const again = await errorOf(create(repositoryName))
    assert.deepEqual(again, {
      name: 'RepositoryAlreadyExistsException',
      message: "The repository with name 'api' already exists in the registry with id '000000000000'",
      status: 400,
    })
    await push('image', `${uri}:v1`)
    const { images, failures } = await ecr.send(
      new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }, { imageTag: 'v9' }] }),
    )
    assert.deepEqual(failures, [
      {
        imageId: { imageTag: 'v9' },
        failureCode: 'ImageNotFound',
        failureReason: 'Requested image not found',
      },
    ])
    const imageManifest = images?.[0]?.imageManifest ?? ''
    await ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: 'v2' }))
    const exists = await errorOf(
      ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: 'v2' })),
    )
    assert.equal(exists.name, 'ImageAlreadyExistsException')
    assert.deepEqual((await inspect(`${uri}:v2`)).RepoTags, ['v1', 'v2'])
    const { imageIds } = await ecr.send(new ListImagesCommand({ repositoryName, maxResults: 1 }))
    assert.deepEqual(imageIds, [{ imageDigest: image.digest, imageTag: 'v1' }])

    const full = await errorOf(ecr.send(new DeleteRepositoryCommand({ repositoryName })))
    assert.equal(full.name, 'RepositoryNotEmptyException')
    const untagged = await ecr.send(
      new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }] }),
    )
    assert.deepEqual(untagged.imageIds, [{ imageDigest: image.digest, imageTag: 'v1' }])
    await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest: image.digest }] }))
    const gone = await errorOf(
      ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'v2' }] })),
    )
    assert.deepEqual(gone, {
      name: 'ImageNotFoundException',
      message:
        "The image with imageId {imageDigest:'null', imageTag:'v2'} does not exist within the repository with name 'api' in the registry with id '000000000000'",
      status: 400,
    })
    await ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }))
    const unknown = await errorOf(
      ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] })),
    )
    assert.deepEqual(unknown, {
      name: 'RepositoryNotFoundException',
      message: "The repository with name 'api' does not exist in the registry with id '000000000000'",
      status: 400,
    })
  })

  test('blobs come in one piece or many, are read in parts, and belong to their repository', async () => {
    await create('raw')
    const authorization = `Basic ${Buffer.from(await token()).toString('base64')}`
    const ask = async (method: string, path: string, headers: Record<string, string> = {}, body?: string) => {
      const response = await fetch(new URL(path, program.endpoint), {
        method,
        headers: { authorization, ...headers },
        ...(body !== undefined && { body }),
      })
      const { status } = response
      return { status, text: await response.text(), header: (name: string) => response.headers.get(name) }
    }
    const errorOfAnswer = ({ text }: { readonly text: string }) => JSON.parse(text).errors[0].code
    assert.equal((await ask('GET', '/v2/')).status, 200)
    const bare = await fetch(`${program.endpoint}/v2/`)
    assert.equal(bare.status, 401)
    assert.match(bare.headers.get('www-authenticate') ?? '', /^Basic realm=/)

    const digest = sha256Of('0123456789')
    const begun = await ask('POST', '/v2/raw/blobs/uploads/')
    const upload = begun.header('location') ?? ''
    assert.equal(begun.status, 202)
    const first = await ask('PATCH', upload, { 'content-range': '0-3' }, '0123')
    assert.deepEqual([first.status, first.header('range')], [202, '0-3'])
    assert.equal((await ask('PATCH', upload, { 'content-range': '7-9' }, '789')).status, 416)
    const status = await ask('GET', upload)
    assert.deepEqual([status.status, status.header('range')], [204, '0-3'])
    assert.equal((await ask('PATCH', upload, { 'content-range': '4-6' }, '456')).status, 202)
    const done = await ask('PUT', `${upload}?digest=${digest}`, {}, '789')
    assert.deepEqual([done.status, done.header('docker-content-digest')], [201, digest])
    assert.equal(errorOfAnswer(await ask('GET', upload)), 'BLOB_UPLOAD_UNKNOWN')

    const part = await ask('GET', `/v2/raw/blobs/${digest}`, { range: 'bytes=2-4' })
    assert.deepEqual([part.status, part.text, part.header('content-range')], [206, '234', 'bytes 2-4/10'])
    assert.equal((await ask('GET', `/v2/raw/blobs/${digest}`, { range: 'bytes=10-' })).status, 416)
    const head = await ask('HEAD', `/v2/raw/blobs/${digest}`)
    assert.deepEqual([head.status, head.header('content-length')], [200, '10'])
    await create('elsewhere')
    assert.equal(errorOfAnswer(await ask('GET', `/v2/elsewhere/blobs/${digest}`)), 'BLOB_UNKNOWN')
    const mounted = await ask('POST', `/v2/elsewhere/blobs/uploads/?mount=${digest}&from=raw`)
    assert.equal(mounted.status, 201)
    assert.equal((await ask('GET', `/v2/elsewhere/blobs/${digest}`)).text, '0123456789')

    const whole = await ask('POST', `/v2/raw/blobs/uploads/?digest=${sha256Of('one')}`, {}, 'one')
    assert.equal(whole.status, 201)
    const wrong = await ask('POST', `/v2/raw/blobs/uploads/?digest=${sha256Of('two')}`, {}, 'three')
    assert.deepEqual([wrong.status, errorOfAnswer(wrong)], [400, 'DIGEST_INVALID'])
    const canceled = (await ask('POST', '/v2/raw/blobs/uploads/')).header('location') ?? ''
    assert.equal((await ask('DELETE', canceled)).status, 204)

    const manifest = (config: string) =>
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 10 },
        layers: [],
        subject: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: image.digest, size: 1 },
      })
    const lacking = await ask('PUT', '/v2/raw/manifests/v1', {}, manifest(sha256Of('nowhere')))
    assert.deepEqual([lacking.status, errorOfAnswer(lacking)], [400, 'MANIFEST_BLOB_UNKNOWN'])
    assert.equal(errorOfAnswer(await ask('PUT', '/v2/raw/manifests/v1', {}, '{')), 'MANIFEST_INVALID')
    for (const tag of ['v1', 'v2', 'v3']) {
      const put = await ask('PUT', `/v2/raw/manifests/${tag}`, {}, manifest(digest))
      assert.deepEqual([put.status, put.header('oci-subject')], [201, image.digest])
    }
    const tags = await ask('GET', '/v2/raw/tags/list?n=2')
    assert.deepEqual(JSON.parse(tags.text), { name: 'raw', tags: ['v1', 'v2'] })
    assert.equal(tags.header('link'), '</v2/raw/tags/list?n=2&last=v2>; rel="next"')
    const { manifests } = JSON.parse((await ask('GET', `/v2/raw/referrers/${image.digest}`)).text)
    assert.deepEqual(
      manifests.map((one: { digest: string }) => one.digest),
      [sha256Of(manifest(digest))],
    )
    assert.equal((await ask('DELETE', '/v2/raw/manifests/v3')).status, 202)
    assert.equal((await ask('DELETE', `/v2/raw/manifests/${sha256Of(manifest(digest))}`)).status, 202)
    assert.equal(
      errorOfAnswer(await ask('HEAD', '/v2/raw/manifests/v1').then(() => ask('GET', '/v2/raw/manifests/v1'))),
      'MANIFEST_UNKNOWN',
    )
    assert.equal(errorOfAnswer(await ask('GET', '/v2/RAW/tags/list')), 'NAME_INVALID')
    assert.equal((await ask('DELETE', `/v2/raw/blobs/${digest}`)).status, 405)
  })

  test('a repository of another region is reached by a name that says so', async () => {
    const there = new ECRClient({ ...as(OWNER), region: 'eu-west-1' })
    const repositoryName = 'team/app'
    const { repository } = await there.send(new CreateRepositoryCommand({ repositoryName }))
    const uri = repository?.repositoryUri ?? ''
    assert.equal(uri, `127.0.0.1:${program.port}/000000000000.eu-west-1/team/app`)
    await push('image', `${uri}:there`)
    const { imageIds } = await there.send(new ListImagesCommand({ repositoryName }))
    assert.deepEqual(imageIds, [{ imageDigest: image.digest, imageTag: 'there' }])
    assert.deepEqual((await inspect(`${uri}:there`)).RepoTags, ['there'])
    const here = await ecr.send(new ListImagesCommand({ repositoryName }))
    assert.deepEqual(
      here.imageIds?.map(({ imageTag }) => imageTag),
      ['v1'],
    )
  })

  test('policies of the caller and of the repository say who may push and who may pull', async () => {
    const iam = new IAMClient(as(OWNER))
    const UserName = 'puller'
    await iam.send(new CreateUserCommand({ UserName }))
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['ecr:GetAuthorizationToken', 'lambda:CreateFunction', 'iam:PassRole'],
          Resource: '*',
        },
      ],
    })
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'log-in', PolicyDocument }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {}
    const puller = new ECRClient(as({ accessKeyId, secretAccessKey }))

    const uri = await create('shared')
    await push('image', `${uri}:v1`)
    const from = `docker://${uri}:v1`
    const pull = async () => skopeo('inspect', '--tls-verify=false', `--creds=${await token(puller)}`, from)
    const { message } = await errorOf(pull())
    assert.match(
      message,
      /User: arn:aws:iam::000000000000:user\/puller is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:000000000000:repository\/shared because no identity-based policy allows the ecr:BatchGetImage action/,
    )
    // Nor may a function be made of what one may not read.
    await makeExecutionRole(program.endpoint, OWNER)
    const lambda = new LambdaClient(as({ accessKeyId, secretAccessKey }))
    const makeFunction = () =>
      lambda.send(
        new CreateFunctionCommand({
          FunctionName: 'of-image',
          PackageType: 'Image',
          Role: ROLE,
          Code: { ImageUri: `${uri}:v1` },
        }),
      )
    assert.deepEqual(await errorOf(makeFunction()), {
      name: 'AccessDeniedException',
      message: 'Lambda does not have permission to access the ECR image. Check the ECR permissions.',
      status: 403,
    })
    const policyText = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::000000000000:user/puller' },
          Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:ListImages'],
        },
      ],
    })
    await ecr.send(new SetRepositoryPolicyCommand({ repositoryName: 'shared', policyText }))
    assert.equal(JSON.parse(await pull()).Digest, image.digest)
    assert.equal(`sha256:${(await makeFunction()).CodeSha256}`, image.digest)
    const credentials = `--dest-creds=${await token(puller)}`
    const pushed = skopeo(
      'copy',
      '--dest-tls-verify=false',
      credentials,
      `oci:${join(directory, 'index')}:latest`,
      `docker://${uri}:v2`,
    )
    // It asks by HEAD first, whose answers have no text.
    assert.match((await errorOf(pushed)).message, /403 \(Forbidden\)|is not authorized to perform/)
  })

  test('policies and tags of a repository are kept', async () => {
    const repositoryName = 'settings'
    await create(repositoryName)
    const resourceArn = `arn:aws:ecr:us-east-1:000000000000:repository/${repositoryName}`
    const none = await errorOf(ecr.send(new GetRepositoryPolicyCommand({ repositoryName })))
    assert.equal(none.name, 'RepositoryPolicyNotFoundException')
    const policyText = JSON.stringify({ Version: '2012-10-17', Statement: [] })
    await ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText }))
    const policy = await ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))
    assert.equal(policy.policyText, policyText)
    await ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName }))

    const absent = await errorOf(ecr.send(new GetLifecyclePolicyCommand({ repositoryName })))
    assert.equal(absent.name, 'LifecyclePolicyNotFoundException')
    const lifecyclePolicyText = JSON.stringify({
      rules: [
        {
          rulePriority: 1,
          selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 5 },
          action: { type: 'expire' },
        },
      ],
    })
    await ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }))
    await ecr.send(new DeleteLifecyclePolicyCommand({ repositoryName }))

    const tags = [
      { Key: 'team', Value: 'a' },
      { Key: 'stage', Value: 'b' },
    ]
    await ecr.send(new TagResourceCommand({ resourceArn, tags }))
    await ecr.send(new UntagResourceCommand({ resourceArn, tagKeys: ['team'] }))
    assert.deepEqual((await ecr.send(new ListTagsForResourceCommand({ resourceArn }))).tags, tags.slice(1))
  })

  test('the AWS CLI makes a repository and logs skopeo in', async (t) => {
    if (!existsSync(AWS)) return t.skip('the Debian package awscli is not installed')
    const { accessKeyId, secretAccessKey } = OWNER
    const env = {
      ...clientEnvironment(program.endpoint),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    }
    const aws = async (...args: string[]) =>
      (await run(AWS, [...args, '--endpoint-url', program.endpoint], { env, timeout: 60_000 })).stdout
    const { repository } = JSON.parse(await aws('ecr', 'create-repository', '--repository-name', 'cli'))
    assert.equal(repository.repositoryArn, 'arn:aws:ecr:us-east-1:000000000000:repository/cli')
    const password = (await aws('ecr', 'get-login-password')).trim()
    const auth = ['--tls-verify=false', '--authfile', join(directory, 'auth.json')]
    await skopeo('login', ...auth, '-u', 'AWS', '-p', password, `127.0.0.1:${program.port}`)
    const target = ['--dest-tls-verify=false', '--authfile', join(directory, 'auth.json')]
    await skopeo(
      'copy',
      ...target,
      `oci:${join(directory, 'image')}:latest`,
      `docker://${repository.repositoryUri}:1`,
    )
    const { imageIds } = await ecr.send(new ListImagesCommand({ repositoryName: 'cli' }))
    assert.deepEqual(imageIds, [{ imageDigest: image.digest, imageTag: '1' }])
  })
})
