import assert from 'node:assert/strict'
import { test } from 'node:test'

import type {
  AddLayerVersionPermissionResponse,
  GetLayerVersionPolicyResponse,
  ListLayersResponse,
  ListLayerVersionsResponse,
  PublishLayerVersionResponse,
} from '@aws-sdk/client-lambda'

import { LambdaError } from '#contracts/errors.ts'
import { createCodeLinks } from '#control-plane/artifacts/code-link.ts'
import { createCodeStore } from '#control-plane/artifacts/code-store.ts'
import { createLayerResolver } from '#control-plane/layers/layer-resolver.ts'
import { createLayerOperations } from '#control-plane/layers/operations.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { RequestContext } from '#wire/service.ts'

import { buildZip } from '../../../test/support/zip-builder.ts'
import { createCommitter } from '../commit.ts'
import { createDocuments } from '../documents.ts'

const SCOPE = { account: '000000000000', region: 'us-east-1' }
const ZIP = buildZip([{ name: 'python/lib.py', data: 'x = 1' }])
const ARN = 'arn:aws:lambda:us-east-1:000000000000:layer:tools'

function create() {
  const clock = createVirtualClock(Date.UTC(2026, 10, 21, 2, 0, 0))
  const { meta, blobs } = createMemoryStore({ clock })
  const code = createCodeStore({
    blobs,
    links: createCodeLinks({ key: Buffer.alloc(32), clock }),
    bucket: undefined,
    temporaryDirectory: '/nonexistent',
    verifySignature: async () => undefined,
    clock,
  })
  const handlers = createLayerOperations({
    meta,
    code,
    committer: createCommitter(meta),
    clock,
    random: seededRandom(1),
  })
  const call = async <Output>(operation: string, input: object, account = SCOPE.account): Promise<Output> => {
    const context: RequestContext = {
      ...SCOPE,
      account,
      requestId: 'r',
      principal: { account, arn: `arn:aws:iam::${account}:user/u`, accessKeyId: 'k' },
      endpoint: 'http://127.0.0.1:4566',
      signal: new AbortController().signal,
      traceId: undefined,
    }
    return (await handlers[operation]?.(input as never, context)) as Output
  }
  const publish = (name = 'tools', more: object = {}) =>
    call<PublishLayerVersionResponse>('PublishLayerVersion', {
      LayerName: name,
      Content: { ZipFile: ZIP },
      ...more,
    })
  return {
    meta,
    blobs,
    call,
    publish,
    resolver: createLayerResolver({ meta }),
    documents: createDocuments(meta),
  }
}

const fails = (code: string, status: number, message: string) => (reason: unknown) => {
  assert.ok(reason instanceof LambdaError, String(reason))
  assert.deepEqual([reason.code, reason.status, reason.message], [code, status, message])
  return true
}

test('publishing answers the whole version, and getting it by name or ARN answers the same', async () => {
  const { call, publish } = create()
  const published = await publish('tools', {
    Description: 'd',
    LicenseInfo: 'MIT',
    CompatibleRuntimes: ['python3.14'],
    CompatibleArchitectures: ['x86_64'],
  })
  const { Location, CodeSha256, ...content } = published.Content ?? {}
  assert.match(String(Location), /^http:\/\/127\.0\.0\.1:4566\/_lambent\/code\/[0-9a-f]{64}\?/)
  assert.match(String(CodeSha256), /^[A-Za-z0-9+/]{43}=$/)
  assert.deepEqual(content, { CodeSize: ZIP.byteLength })
  assert.deepEqual(
    { ...published, Content: undefined },
    {
      Content: undefined,
      LayerArn: ARN,
      LayerVersionArn: `${ARN}:1`,
      Version: 1,
      Description: 'd',
      CreatedDate: '2026-11-21T02:00:00.000+0000',
      CompatibleRuntimes: ['python3.14'],
      CompatibleArchitectures: ['x86_64'],
      LicenseInfo: 'MIT',
    },
  )
  assert.deepEqual(await call('GetLayerVersion', { LayerName: 'tools', VersionNumber: 1 }), published)
  assert.deepEqual(await call('GetLayerVersion', { LayerName: ARN, VersionNumber: 1 }), published)
  assert.deepEqual(await call('GetLayerVersionByArn', { Arn: `${ARN}:1` }), published)
})

test('members that were left out stay out, empty lists stay lists', async () => {
  const { publish } = create()
  const bare = await publish('bare')
  assert.equal(bare.Description, '')
  assert.ok(
    !('CompatibleRuntimes' in bare) && !('CompatibleArchitectures' in bare) && !('LicenseInfo' in bare),
  )
  const empty = await publish('empty', { CompatibleRuntimes: [], CompatibleArchitectures: [] })
  assert.deepEqual([empty.CompatibleRuntimes, empty.CompatibleArchitectures], [[], []])
})

test('version numbers are never used again, also when all versions were deleted', async () => {
  const { call, publish } = create()
  await publish()
  await publish()
  await call('DeleteLayerVersion', { LayerName: 'tools', VersionNumber: 1 })
  await call('DeleteLayerVersion', { LayerName: 'tools', VersionNumber: 2 })
  assert.equal((await publish()).Version, 3)
})

test('concurrent publications get different numbers', async () => {
  const { publish } = create()
  const versions = await Promise.all(Array.from({ length: 10 }, () => publish()))
  assert.deepEqual(
    versions.map(({ Version }) => Version).toSorted((a, b) => Number(a) - Number(b)),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
})

test('deleting is idempotent and gives the code storage back; the package stays for functions that use it', async () => {
  const { call, publish, documents, resolver, blobs } = create()
  await publish()
  const [attached] = await resolver.resolve([`${ARN}:1`], SCOPE)
  assert.equal((await documents.counters(SCOPE)).doc.codeSizeBytes, ZIP.byteLength)
  for (const layer of ['tools', 'tools', 'never-there']) {
    assert.deepEqual(await call('DeleteLayerVersion', { LayerName: layer, VersionNumber: 1 }), {})
  }
  assert.equal((await documents.counters(SCOPE)).doc.codeSizeBytes, 0)
  assert.equal(await blobs.has(String(attached?.blob)), true)
})

test('versions are listed from the newest, in pages, and by runtime and architecture', async () => {
  const { call, publish } = create()
  for (const runtime of ['python3.14', 'nodejs24.x', 'python3.14', 'nodejs24.x', 'python3.14']) {
    await publish('tools', { CompatibleRuntimes: [runtime], CompatibleArchitectures: ['arm64'] })
  }
  await call('DeleteLayerVersion', { LayerName: 'tools', VersionNumber: 3 })
  const list = async (input: object) => {
    const page = await call<ListLayerVersionsResponse>('ListLayerVersions', { LayerName: 'tools', ...input })
    return { marker: page.NextMarker, versions: page.LayerVersions?.map(({ Version }) => Version) }
  }
  assert.deepEqual(await list({}), { marker: undefined, versions: [5, 4, 2, 1] })
  const first = await list({ MaxItems: 2 })
  assert.deepEqual(first.versions, [5, 4])
  assert.deepEqual(await list({ MaxItems: 2, Marker: first.marker }), { marker: undefined, versions: [2, 1] })
  assert.deepEqual((await list({ CompatibleRuntime: 'python3.14' })).versions, [5, 1])
  assert.deepEqual((await list({ CompatibleArchitecture: 'x86_64' })).versions, [])
  assert.deepEqual((await list({ LayerName: 'unknown' })).versions, [])
  await assert.rejects(list({ Marker: 'nonsense' }), { code: 'InvalidParameterValueException' })
})

test('layers are listed by name with their newest matching version', async () => {
  const { call, publish } = create()
  await publish('beta', { CompatibleRuntimes: ['python3.14'] })
  await publish('beta')
  await publish('alpha')
  await publish('gone')
  await call('DeleteLayerVersion', { LayerName: 'gone', VersionNumber: 1 })
  const list = async (input: object) => {
    const page = await call<ListLayersResponse>('ListLayers', input)
    const layers = page.Layers?.map((layer) => `${layer.LayerName}:${layer.LatestMatchingVersion?.Version}`)
    return { marker: page.NextMarker, layers }
  }
  assert.deepEqual(await list({}), { marker: undefined, layers: ['alpha:1', 'beta:2'] })
  const first = await list({ MaxItems: 1 })
  assert.deepEqual(first.layers, ['alpha:1'])
  assert.deepEqual(await list({ MaxItems: 1, Marker: first.marker }), {
    marker: undefined,
    layers: ['beta:2'],
  })
  assert.deepEqual((await list({ CompatibleRuntime: 'python3.14' })).layers, ['beta:1'])
})

test('what does not exist gets the error of AWS', async () => {
  const { call, publish } = create()
  await publish()
  const missing = fails('ResourceNotFoundException', 404, 'The resource you requested does not exist.')
  const tooSmall = fails('InvalidParameterValueException', 400, 'Layer Version Cannot be less than 1')
  await assert.rejects(call('GetLayerVersion', { LayerName: 'unknown', VersionNumber: 1 }), missing)
  await assert.rejects(call('GetLayerVersion', { LayerName: 'tools', VersionNumber: 2 }), missing)
  await assert.rejects(call('GetLayerVersionByArn', { Arn: `${ARN}:2` }), missing)
  await assert.rejects(call('GetLayerVersion', { LayerName: 'tools', VersionNumber: 0 }), tooSmall)
  await assert.rejects(call('GetLayerVersion', { LayerName: 'tools', VersionNumber: -1 }), tooSmall)
  await assert.rejects(call('DeleteLayerVersion', { LayerName: 'tools', VersionNumber: -1 }), tooSmall)
})

test('statements of a policy are added, shown and removed as AWS does', async () => {
  const { call, publish } = create()
  await publish()
  const on = (more: object) => ({ LayerName: 'tools', VersionNumber: 1, ...more })
  const add = (id: string, more: object = {}) =>
    call<AddLayerVersionPermissionResponse>(
      'AddLayerVersionPermission',
      on({ StatementId: id, Action: 'lambda:GetLayerVersion', Principal: '*', ...more }),
    )
  const policy = () => call<GetLayerVersionPolicyResponse>('GetLayerVersionPolicy', on({}))
  const noPolicy = fails('ResourceNotFoundException', 404, 'No policy is associated with the given resource.')
  await assert.rejects(policy(), noPolicy)
  const first = await add('s1')
  assert.equal(
    first.Statement,
    `{"Sid":"s1","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"${ARN}:1"}`,
  )
  assert.deepEqual(await policy(), {
    Policy: `{"Version":"2012-10-17","Id":"default","Statement":[${first.Statement}]}`,
    RevisionId: first.RevisionId,
  })
  const oldRevision = fails(
    'PreconditionFailedException',
    412,
    'The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id',
  )
  await assert.rejects(add('s2', { RevisionId: 'old' }), oldRevision)
  await assert.rejects(
    add('s1'),
    fails(
      'ResourceConflictException',
      409,
      'The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing statement.',
    ),
  )
  const second = await add('s2', {
    RevisionId: first.RevisionId,
    Principal: '123456789012',
    OrganizationId: 'o-1',
  })
  assert.deepEqual(JSON.parse(String(second.Statement)).Principal, { AWS: 'arn:aws:iam::123456789012:root' })
  const remove = (id: string, more: object = {}) =>
    call('RemoveLayerVersionPermission', on({ StatementId: id, ...more }))
  await assert.rejects(
    remove('nothing'),
    fails('ResourceNotFoundException', 404, 'Statement nothing is not found in resource policy.'),
  )
  await assert.rejects(remove('s1', { RevisionId: 'old' }), oldRevision)
  await remove('s1')
  await remove('s2')
  await assert.rejects(policy(), noPolicy)
  await assert.rejects(
    call('GetLayerVersionPolicy', { LayerName: 'tools', VersionNumber: 9 }),
    fails('ResourceNotFoundException', 404, `Layer version ${ARN}:9 does not exist.`),
  )
})

test('another account uses a layer only when its policy says so', async () => {
  const { call, publish, resolver } = create()
  await publish()
  const other = { account: '111111111111', region: 'us-east-1' }
  const get = () => call('GetLayerVersionByArn', { Arn: `${ARN}:1` }, other.account)
  const forbidden = { code: 'AccessDeniedException', status: 403 }
  await assert.rejects(get(), forbidden)
  await assert.rejects(resolver.resolve([`${ARN}:1`], other), forbidden)
  await assert.rejects(resolver.resolve([`${ARN}:77`], other), forbidden)
  await call('AddLayerVersionPermission', {
    LayerName: 'tools',
    VersionNumber: 1,
    StatementId: 's',
    Action: 'lambda:GetLayerVersion',
    Principal: other.account,
  })
  await get()
  assert.equal((await resolver.resolve([`${ARN}:1`], other)).length, 1)
})

test('layers of a function are resolved in order', async () => {
  const { publish, resolver } = create()
  await publish('b')
  await publish('a')
  const arns = ['b:1', 'a:1'].map((name) => `arn:aws:lambda:us-east-1:000000000000:layer:${name}`)
  const resolved = await resolver.resolve(arns, SCOPE)
  assert.deepEqual(
    resolved.map(({ arn, codeSizeBytes, unzippedBytes }) => ({ arn, codeSizeBytes, unzippedBytes })),
    arns.map((arn) => ({ arn, codeSizeBytes: ZIP.byteLength, unzippedBytes: 5 })),
  )
})

test('layers that cannot be attached are refused with the texts of AWS', async () => {
  const { publish, resolver } = create()
  await publish()
  await publish()
  const refuse = (arns: readonly string[], message: string) =>
    assert.rejects(resolver.resolve(arns, SCOPE), fails('InvalidParameterValueException', 400, message))
  const two = (a: string, b: string) =>
    `Two different versions of the same layer are not allowed to be referenced in the same function. ${a} and ${b} are versions of the same layer.`
  await refuse([`${ARN}:1`, `${ARN}:2`], two(`${ARN}:1`, `${ARN}:2`))
  await refuse([`${ARN}:1`, `${ARN}:1`], two(`${ARN}:1`, `${ARN}:1`))
  await refuse([`${ARN}:9`], `Layer version ${ARN}:9 does not exist.`)
  await refuse(
    Array.from({ length: 6 }, (_, index) => `${ARN}${index}:1`),
    'Cannot reference more than 5 layers.',
  )
  await refuse(
    [`${ARN.replace('us-east-1', 'eu-west-1')}:1`],
    'Layers are not in the same region as the function. Layers are expected to be in region us-east-1.',
  )
})
