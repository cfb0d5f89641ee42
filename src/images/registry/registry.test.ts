import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { ecrRepositoryKey, type EcrRepository } from '#contracts/ecr.ts'
import { systemClock as clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { systemRandom as random } from '#kernel/random.ts'
import { createSealer } from '#kernel/sealed.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { pushImage } from '../../../test/support/push-image.ts'
import { sha256Of, tarOf } from '../../../test/support/tar-builder.ts'
import { createImages } from '../create-images.ts'
import { createRegistry } from './create-registry.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const home = { account: '000000000000', region: 'us-east-1' }

test('registry: a store that keeps no files serves parts of blobs and images to run all the same', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'registry-'))
  const { meta, blobs } = createMemoryStore({ clock })
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const copies = join(directory, 'copies')
  const registry = createRegistry({
    meta,
    blobs,
    directory: join(directory, 'uploads'),
    copies,
    needsToken: false,
    home,
    port,
    sealer: createSealer(Buffer.alloc(32)),
    clock,
    random,
    logger,
  })
  await registry.start()
  server.on('request', (request, response) => {
    if (!registry.door(request, response)) response.writeHead(404).end()
  })
  t.after(async () => {
    await registry.stop()
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  })
  const repository: EcrRepository = {
    ...home,
    id: 'the-id',
    name: 'app',
    createdAt: 0,
    tagMutability: 'MUTABLE',
    mutabilityExclusions: [],
    scanOnPush: false,
    encryption: { encryptionType: 'AES256' },
    tags: [],
  }
  await meta.txn([{ key: ecrRepositoryKey(home, 'app'), doc: repository as unknown as Json }])

  const layer = tarOf([{ name: 'app/run', content: 'run'.repeat(100_000) }])
  const endpoint = `http://127.0.0.1:${port}`
  const digest = await pushImage(endpoint, { repository: 'app', tag: 'v1' }, [layer], { Cmd: ['/app/run'] })
  const blob = `${endpoint}/v2/app/blobs/${sha256Of(layer)}`
  for (const [start, end] of [
    [0, 9],
    [1000, 200_000],
    [layer.length - 5, layer.length - 1],
  ] as const) {
    const part = await fetch(blob, { headers: { range: `bytes=${start}-${end}` } })
    assert.equal(part.status, 206)
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(layer.subarray(start, end + 1)))
  }
  assert.ok(Buffer.from(await (await fetch(blob)).arrayBuffer()).equals(layer))

  const images = createImages({
    sourceFor: (host) => {
      const source = registry.sourceFor(host)
      assert.ok(source)
      return source
    },
    directory,
    clock,
    logger,
  })
  const resolved = await images.resolve(`localhost:${port}/app:v1`, { architecture: 'x86_64' })
  assert.equal(resolved.resolvedUri, `localhost:${port}/app@${digest}`)
  const { root } = await images.prepare(resolved)
  assert.equal(readFileSync(join(root, 'app/run'), 'utf8').length, 300_000)
  assert.deepEqual(existsSync(copies) ? readdirSync(copies) : [], [])
})
