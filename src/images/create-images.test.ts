import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import { LambdaError } from '#contracts/errors.ts'
import { systemClock as clock, type Clock } from '#kernel/clock.ts'
import { systemRandom as random } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { startForeignRegistry, type ForeignRegistry } from '../../test/support/foreign-registry.ts'
import type { ImageOfLayout } from '../../test/support/oci-layout.ts'
import { sha256Of, tarOf, type TarFile } from '../../test/support/tar-builder.ts'
import { createImages } from './create-images.ts'
import type { RegistryCredentials } from './remote/credentials.ts'
import { createRegistryHttp } from './remote/registry-http.ts'
import { createRemoteSources } from './remote/remote-sources.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }
const scratch = mkdtempSync(join(tmpdir(), 'images-'))
after(() => rmSync(scratch, { recursive: true }))
let instances = 0

const LOGIN: RegistryCredentials = { kind: 'basic', user: 'user', password: 'secret' }

function imagesFrom({
  credentials = LOGIN,
  maxImageBytes,
  imagesClock = clock,
  guardsLoopback = false,
}: {
  readonly credentials?: RegistryCredentials | 'none'
  readonly maxImageBytes?: number
  readonly imagesClock?: Clock
  readonly guardsLoopback?: boolean
} = {}) {
  const directory = join(scratch, String(++instances))
  const http = createRegistryHttp({ clock, retryAfterMs: [1, 1] })
  const incoming = join(directory, 'incoming')
  const images = createImages({
    sourceFor: createRemoteSources({
      http,
      credentials: async () => (credentials === 'none' ? undefined : credentials),
      directory: incoming,
      guardsLoopback,
      clock,
      random,
    }),
    directory,
    clock: imagesClock,
    logger: silent,
    ...(maxImageBytes !== undefined && { maxImageBytes }),
  })
  const left = () => readdirSync(incoming)
  return { images, directory, left }
}

const BYTES = Buffer.alloc(300_000, 'some bytes that repeat')
const layer = (kind: 'tar' | 'gzip' | 'zstd', files: readonly TarFile[]) => {
  const tar = tarOf(files)
  const bytes = kind === 'gzip' ? gzipSync(tar) : kind === 'zstd' ? zstdCompressSync(tar) : tar
  return { tar, kind, bytes }
}
const sample = (architecture: string): ImageOfLayout => ({
  architecture,
  layers: [
    layer('gzip', [{ name: 'etc/base', content: 'base' }]),
    layer('zstd', [{ name: 'app/run', content: `for ${architecture}`, mode: 0o755 }]),
    layer('tar', [{ name: 'app/data', content: BYTES }]),
  ],
  config: {
    Entrypoint: ['/app/run'],
    Cmd: ['serve'],
    WorkingDir: '/app',
    Env: ['A=b=c', 'EMPTY='],
    User: '1000',
  },
})
const CONFIG = {
  entrypoint: ['/app/run'],
  cmd: ['serve'],
  workingDirectory: '/app',
  environment: [
    ['A', 'b=c'],
    ['EMPTY', ''],
  ],
  user: '1000',
}
const failed =
  (code: string, text: RegExp | string = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof LambdaError, String(error))
    assert.equal(error.code, code)
    if (typeof text === 'string') assert.equal(error.message, text)
    else assert.match(error.message, text)
    return true
  }
const x86_64 = { architecture: 'x86_64' } as const

for (const auth of ['none', 'basic', 'token'] as const) {
  test(`images: pulls from a registry with authentication "${auth}"`, async () => {
    await using registry = await startForeignRegistry(auth)
    registry.tag('v1', registry.add(sample('amd64')))
    const { images, left } = imagesFrom()
    const uri = `${registry.host}/team/app:v1`
    const resolved = await images.resolve(uri, x86_64)
    assert.deepEqual(
      [resolved.uri, resolved.resolvedUri, resolved.config],
      [uri, `${registry.host}/team/app@${resolved.manifestDigest}`, CONFIG],
    )
    const { root, config } = await images.prepare(resolved)
    assert.deepEqual(config, CONFIG)
    assert.equal(readFileSync(join(root, 'app/run'), 'utf8'), 'for amd64')
    assert.equal(statSync(join(root, 'app/run')).mode & 0o777, 0o755)
    assert.ok(readFileSync(join(root, 'app/data')).equals(BYTES))
    assert.equal(readFileSync(join(root, 'etc/base'), 'utf8'), 'base')
    assert.deepEqual(left(), [], 'what was transferred is gone once it is unpacked')
    const asked = registry.seen.length
    assert.equal((await images.prepare(resolved)).root, root)
    assert.equal(registry.seen.length, asked, 'a prepared image asks nobody')
    const tokens = registry.seen.filter((line) => line.includes('/token'))
    assert.equal(tokens.length, auth === 'token' ? 1 : 0)
    if (tokens[0]) {
      const { searchParams } = new URL(tokens[0].split(' ')[1] ?? '', 'http://registry')
      assert.deepEqual(Object.fromEntries(searchParams), {
        service: 'test',
        scope: 'repository:team/app:pull',
      })
    }
    // Blobs come from another origin, which has no business with the credentials.
    const elsewhere = registry.seen.filter((line) => line.startsWith('GET /sha256'))
    assert.equal(elsewhere.length, 5)
    assert.ok(elsewhere.every((line) => line.endsWith(' -')))
  })
}

test('images: an index is resolved for the architecture; its digest names the image', async () => {
  await using registry = await startForeignRegistry('none')
  const index = registry.addIndex([sample('amd64'), sample('arm64')])
  registry.tag('both', index)
  const { images, directory } = imagesFrom()
  const uri = `${registry.host}/app:both`
  for (const [architecture, go] of [
    ['x86_64', 'amd64'],
    ['arm64', 'arm64'],
  ] as const) {
    const resolved = await images.resolve(uri, { architecture })
    assert.equal(resolved.resolvedUri, `${registry.host}/app@${index.digest}`)
    assert.notEqual(resolved.manifestDigest, index.digest)
    const { root } = await images.prepare({ resolvedUri: resolved.resolvedUri, architecture })
    assert.equal(readFileSync(join(root, 'app/run'), 'utf8'), `for ${go}`)
  }
  assert.equal(readdirSync(join(directory, 'unpacked/layers')).length, 4, 'two of three layers are shared')
  registry.tag('one', registry.addIndex([sample('arm64'), sample('riscv64')]))
  await assert.rejects(
    images.resolve(`${registry.host}/app:one`, x86_64),
    failed('InvalidParameterValueException', /There is no image for linux\/amd64/),
  )
})

test('images: a layer that breaks off is taken up where it was, and preparations share the work', async () => {
  await using registry = await startForeignRegistry('none')
  const image = sample('amd64')
  registry.tag('v1', registry.add(image))
  const big = sha256Of(image.layers[2]?.bytes ?? '')
  let broken = 0
  registry.intercept = ({ url, headers }, response) => {
    if (!url?.startsWith(`/${big}`) || broken > 0) return false
    assert.equal(headers.range, undefined)
    broken++
    response.writeHead(200, { 'content-length': String(registry.blobs.get(big)?.length) })
    response.write(registry.blobs.get(big)?.subarray(0, 100_000), () => response.destroy())
    return true
  }
  const { images } = imagesFrom()
  const resolved = await images.resolve(`${registry.host}/app:v1`, x86_64)
  const before = registry.seen.length
  const all = await Promise.all(Array.from({ length: 5 }, () => images.prepare(resolved)))
  assert.equal(new Set(all.map(({ root }) => root)).size, 1)
  assert.ok(readFileSync(join(all[0]?.root ?? '', 'app/data')).equals(BYTES))
  assert.equal(broken, 1)
  // Manifest, configuration and three layers, each blob by way of a redirect; one of them twice.
  assert.equal(registry.seen.length - before, 1 + 2 * 4 + 2)
})

test('images: what is damaged, too large or of another kind is refused, and nothing of it stays', async () => {
  await using registry = await startForeignRegistry('none')
  const prepare = async (images: ReturnType<typeof imagesFrom>['images'], tag: string) =>
    images.prepare(await images.resolve(`${registry.host}/app:${tag}`, x86_64))
  const image = sample('amd64')
  registry.tag('v1', registry.add(image))
  const last = sha256Of(image.layers[2]?.bytes ?? '')

  const changed = imagesFrom()
  registry.blobs.set(last, Buffer.alloc(image.layers[2]?.bytes.length ?? 0))
  await assert.rejects(
    prepare(changed.images, 'v1'),
    failed('InvalidImage', 'A layer does not hash to its digest.'),
  )
  assert.deepEqual(changed.left(), [])
  registry.blobs.set(last, Buffer.concat([image.layers[2]?.bytes ?? Buffer.alloc(0), Buffer.alloc(1)]))
  await assert.rejects(prepare(changed.images, 'v1'), failed('InvalidImage', /longer than its manifest says/))
  registry.blobs.set(last, image.layers[2]?.bytes ?? Buffer.alloc(0))
  await prepare(changed.images, 'v1')

  const small = imagesFrom({ maxImageBytes: 100_000 })
  const bomb = layer('gzip', [{ name: 'zeros', content: Buffer.alloc(150_000) }])
  registry.tag('bomb', registry.add({ architecture: 'amd64', layers: [bomb], config: {} }))
  await assert.rejects(
    prepare(small.images, 'bomb'),
    failed('InvalidImage', 'SizeLimitExceeded: Uncompressed container image size exceeds 10 GiB limit'),
  )
  assert.deepEqual(readdirSync(join(small.directory, 'unpacked/layers')), [])

  const lying = layer('gzip', [{ name: 'x', content: 'one' }])
  const other = { ...lying, tar: tarOf([{ name: 'x', content: 'two' }]) }
  registry.tag('lying', registry.add({ architecture: 'amd64', layers: [other], config: {} }))
  await assert.rejects(prepare(small.images, 'lying'), failed('InvalidImage', /does not hash to/))

  const chart = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: sha256Of(''), size: 0 },
      layers: [],
    }),
  )
  registry.blobs.set(sha256Of(chart), chart)
  registry.tag('chart', { mediaType: '', digest: sha256Of(chart), size: chart.length })
  const uri = `${registry.host}/app:chart`
  await assert.rejects(
    small.images.resolve(uri, x86_64),
    failed(
      'InvalidParameterValueException',
      `The image manifest, config or layer media type for the source image ${uri} is not supported.`,
    ),
  )
})

test('images: what is not there or not allowed is told in the words of the API', async () => {
  await using registry = await startForeignRegistry('token')
  const resolve = (uri: string, credentials: RegistryCredentials = LOGIN) =>
    imagesFrom({ credentials }).images.resolve(uri, x86_64)
  const uri = `${registry.host}/app:none`
  await assert.rejects(
    resolve(uri),
    failed(
      'InvalidParameterValueException',
      `Source image ${uri} does not exist. Provide a valid source image.`,
    ),
  )
  await assert.rejects(
    resolve('no such thing'),
    failed(
      'InvalidParameterValueException',
      'Source image no such thing is not valid. Provide a valid source image.',
    ),
  )
  await assert.rejects(
    resolve(uri, { kind: 'basic', user: 'user', password: 'wrong' }),
    failed(
      'AccessDeniedException',
      'Lambda does not have permission to access the ECR image. Check the ECR permissions.',
    ),
  )
  const asked = registry.seen.length
  const guarded = (credentials: RegistryCredentials | 'none') =>
    imagesFrom({ credentials, guardsLoopback: true }).images.resolve(uri, x86_64)
  await assert.rejects(guarded('none'), failed('AccessDeniedException'))
  assert.equal(registry.seen.length, asked, 'services of this machine are not for everybody to ask')
  await assert.rejects(guarded(LOGIN), failed('InvalidParameterValueException', /does not exist/))
  const { images } = imagesFrom()
  const resolvedUri = `${registry.host}/app@${sha256Of('gone')}`
  await assert.rejects(images.prepare({ resolvedUri, ...x86_64 }), failed('ImageDeleted'))
  await assert.rejects(images.prepare({ resolvedUri: uri, ...x86_64 }), failed('InvalidImage'))
})

test('images: a registry that is not well is tried again, then given up; waiting ends with the signal', async () => {
  await using registry: ForeignRegistry = await startForeignRegistry('none')
  registry.tag('v1', registry.add(sample('amd64')))
  let answers = 0
  registry.intercept = (_request, response) => {
    if (++answers > 2) return false
    response.writeHead(503).end()
    return true
  }
  const { images } = imagesFrom()
  const uri = `${registry.host}/app:v1`
  await images.resolve(uri, x86_64)
  registry.intercept = (_request, response) => {
    response.writeHead(503).end()
    return true
  }
  await assert.rejects(images.resolve(uri, x86_64), failed('ServiceException', /answers 503/))
  registry.intercept = () => true
  const abort = new AbortController()
  const reason = new Error('nobody waits')
  const waiting = images.resolve(uri, { ...x86_64, signal: abort.signal })
  abort.abort(reason)
  await assert.rejects(waiting, reason)

  const virtual = createVirtualClock()
  const hanging = imagesFrom({ imagesClock: virtual }).images.resolve(uri, x86_64)
  const told = assert.rejects(hanging, failed('ServiceException', /does not answer in time/))
  await virtual.advance(20_000)
  await told
})
