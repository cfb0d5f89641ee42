/** Functions with members that few have: images, file systems, tenants, VPCs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { arnOf, createControlPlane, ROLE, zip } from '../../../test/support/control-plane.ts'

const DIGEST = 'ab'.repeat(32)
const IMAGE = { FunctionName: 'img', Role: ROLE, PackageType: 'Image' }
const VPC = { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] }
const ACCESS_POINT = 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0'

test('a function of an image has neither runtime nor handler, and its code is an image', async () => {
  const { call, settle } = createControlPlane()
  const created = await call('CreateFunction', {
    ...IMAGE,
    Code: { ImageUri: 'registry.example:5000/team/app:v1' },
    ImageConfig: { EntryPoint: ['sh'], Command: ['-c', 'echo test'], WorkingDirectory: '/app1' },
  })
  assert.deepEqual(
    [
      created['PackageType'],
      created['CodeSha256'],
      created['CodeSize'],
      created['Runtime'],
      created['Handler'],
    ],
    ['Image', created['CodeSha256'], 0, undefined, undefined],
  )
  assert.match(created['CodeSha256'], /^[0-9a-f]{64}$/)
  assert.equal(created['RuntimeVersionConfig'], undefined)
  assert.deepEqual(created['ImageConfigResponse'], {
    ImageConfig: { EntryPoint: ['sh'], Command: ['-c', 'echo test'], WorkingDirectory: '/app1' },
  })
  await settle()
  const byDigest = (digest: string) => `registry.example:5000/team/app@sha256:${digest}`
  assert.deepEqual((await call('GetFunction', { FunctionName: 'img' }))['Code'], {
    RepositoryType: 'ECR',
    ImageUri: 'registry.example:5000/team/app:v1',
    ResolvedImageUri: byDigest(created['CodeSha256']),
  })
  const updated = await call('UpdateFunctionCode', { FunctionName: 'img', ImageUri: byDigest(DIGEST) })
  assert.equal(updated['CodeSha256'], DIGEST)
  await settle()
  assert.deepEqual((await call('GetFunction', { FunctionName: 'img' }))['Code'], {
    RepositoryType: 'ECR',
    ImageUri: byDigest(DIGEST),
    ResolvedImageUri: byDigest(DIGEST),
  })
})

test('a version keeps the image that its tag meant, and an update takes what the tag means now', async () => {
  const { call, settle, images } = createControlPlane()
  const ImageUri = 'registry.example/app:latest'
  const first = await call('CreateFunction', { ...IMAGE, Code: { ImageUri }, Publish: true })
  await settle()
  images.moveTags()
  const codeOf = async (Qualifier: string) =>
    (await call('GetFunction', { FunctionName: 'img', Qualifier }))['Code']['ResolvedImageUri']
  assert.equal(await codeOf('$LATEST'), await codeOf('1'))
  const second = await call('UpdateFunctionCode', { FunctionName: 'img', ImageUri, Publish: true })
  await settle()
  assert.equal(second['Version'], '2')
  assert.notEqual(second['CodeSha256'], first['CodeSha256'])
  assert.equal(await codeOf('1'), `registry.example/app@sha256:${first['CodeSha256']}`)
  assert.equal(await codeOf('2'), `registry.example/app@sha256:${second['CodeSha256']}`)
  assert.equal(await codeOf('$LATEST'), await codeOf('2'))
  // What has not moved is no new version.
  const third = await call('UpdateFunctionCode', { FunctionName: 'img', ImageUri, Publish: true })
  assert.equal(third['Version'], '2')
})

test('overrides of an image are replaced as a whole, and an empty request removes them', async () => {
  const { call, settle } = createControlPlane()
  await call('CreateFunction', {
    ...IMAGE,
    Code: { ImageUri: 'registry.example/app:v1' },
    ImageConfig: { EntryPoint: ['sh'], WorkingDirectory: '/app1' },
  })
  await settle()
  const change = async (ImageConfig: object) => {
    const answer = await call('UpdateFunctionConfiguration', { FunctionName: 'img', ImageConfig })
    await settle()
    return answer['ImageConfigResponse']
  }
  assert.deepEqual(await change({ Command: ['x'] }), { ImageConfig: { Command: ['x'] } })
  assert.equal(await change({}), undefined)
})

test('a function stays of its package type', async () => {
  const { call, create, fail, settle } = createControlPlane()
  await create('zipped')
  await call('CreateFunction', { ...IMAGE, Code: { ImageUri: 'registry.example/app:v1' } })
  await settle()
  const refused = async (operation: string, input: object) => (await fail(operation, input)).message
  assert.equal(
    await refused('UpdateFunctionCode', { FunctionName: 'img', ZipFile: zip() }),
    'Please provide ImageUri when updating a function with packageType Image.',
  )
  assert.equal(
    await refused('UpdateFunctionCode', { FunctionName: 'zipped', ImageUri: 'registry.example/app:v1' }),
    "Please don't provide ImageUri when updating a function with packageType Zip.",
  )
  assert.equal(
    await refused('UpdateFunctionConfiguration', { FunctionName: 'img', Layers: ['arn:l:1'] }),
    'Lambda layers are not supported for functions created with container images.',
  )
  const signing = 'Code signing is not supported for functions created with container images.'
  assert.equal(await refused('GetFunctionCodeSigningConfig', { FunctionName: 'img' }), signing)
  assert.equal(await refused('DeleteFunctionCodeSigningConfig', { FunctionName: 'img' }), signing)
  const CodeSigningConfigArn = 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0'
  assert.equal(
    await refused('CreateFunction', {
      ...IMAGE,
      FunctionName: 'signed',
      Code: { ImageUri: 'registry.example/app:v1' },
      CodeSigningConfigArn,
    }),
    signing,
  )
  for (const member of [
    { Handler: 'a.b' },
    { Runtime: 'nodejs22.x' },
    { Handler: 'a.b', Layers: ['arn:l:1'] },
  ]) {
    assert.equal(
      await refused('UpdateFunctionConfiguration', { FunctionName: 'img', ...member }),
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    )
  }
  assert.equal(
    await refused('UpdateFunctionConfiguration', {
      FunctionName: 'zipped',
      ImageConfig: { Command: ['x'] },
    }),
    'ImageConfig is not supported for functions of package type Zip.',
  )
})

test('a file system needs a VPC, and the VPC stays as long as the file system does', async () => {
  const { call, create, fail, settle } = createControlPlane()
  const FileSystemConfigs = [{ Arn: ACCESS_POINT, LocalMountPath: '/mnt/data' }]
  const created = await create('fn', { VpcConfig: VPC, FileSystemConfigs })
  assert.deepEqual(created['FileSystemConfigs'], FileSystemConfigs)
  const out = { FunctionName: 'fn', VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } }
  assert.equal(
    (await fail('UpdateFunctionConfiguration', out)).message,
    `Function VPC configuration cannot be removed with access point ${ACCESS_POINT} referenced.`,
  )
  const both = await call('UpdateFunctionConfiguration', { ...out, FileSystemConfigs: [] })
  assert.equal(both['FileSystemConfigs'], undefined)
  assert.deepEqual(both['VpcConfig'], {
    SubnetIds: [],
    SecurityGroupIds: [],
    VpcId: '',
    Ipv6AllowedForDualStack: false,
  })
  await settle()
  assert.equal(
    (await fail('UpdateFunctionConfiguration', { FunctionName: 'fn', FileSystemConfigs })).message,
    `Function must be configured to execute in a VPC to reference access point ${ACCESS_POINT}.`,
  )
})

test('S3 Files read directly unless told otherwise, EFS has no such setting', async () => {
  const { create, fail } = createControlPlane()
  const s3 =
    'arn:aws:s3files:us-east-1:000000000000:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0'
  const created = await create('fn', {
    VpcConfig: VPC,
    FileSystemConfigs: [{ Arn: s3, LocalMountPath: '/mnt/data' }],
  })
  assert.deepEqual(created['FileSystemConfigs'], [
    { Arn: s3, LocalMountPath: '/mnt/data', S3FilesConfig: { DirectS3Read: 'AUTO' } },
  ])
  const { code } = await fail('UpdateFunctionConfiguration', {
    FunctionName: 'fn',
    FileSystemConfigs: [
      { Arn: ACCESS_POINT, LocalMountPath: '/mnt/data', S3FilesConfig: { DirectS3Read: 'DISABLED' } },
    ],
  })
  assert.equal(code, 'InvalidParameterValueException')
})

test('isolation of tenants is for life, and versions have it too', async () => {
  const { call, create } = createControlPlane()
  const TenancyConfig = { TenantIsolationMode: 'PER_TENANT' }
  assert.deepEqual((await create('fn', { TenancyConfig }))['TenancyConfig'], TenancyConfig)
  assert.deepEqual((await call('PublishVersion', { FunctionName: 'fn' }))['TenancyConfig'], TenancyConfig)
  const { Configuration } = await call('GetFunction', { FunctionName: 'fn', Qualifier: '1' })
  assert.deepEqual(
    [Configuration.TenancyConfig, Configuration.FunctionArn],
    [TenancyConfig, arnOf('fn', '1')],
  )
})
