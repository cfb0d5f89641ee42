import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  ecrBlobKey,
  ecrContentPrefix,
  ecrImageKey,
  ecrRepositoryKey,
  ecrTagKey,
  type EcrRepository,
} from '#contracts/ecr.ts'
import type { Json } from '#kernel/json.ts'
import { HOUR_MS } from '#kernel/units.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { sha256Of } from '../../../test/support/tar-builder.ts'
import { imageOf } from './pushed-image.ts'
import { sweepRegistry } from './registry-sweep.ts'
import { createRepositories } from './repositories.ts'
import { RegistryError } from './registry-error.ts'

const where = { account: '000000000000', region: 'us-east-1' }
const repositoryOf = (name: string): EcrRepository => ({
  ...where,
  id: `id-of-${name}`,
  name,
  createdAt: 0,
  tagMutability: 'MUTABLE',
  mutabilityExclusions: [],
  scanOnPush: false,
  encryption: { encryptionType: 'AES256' },
  tags: [],
})

async function setUp() {
  const clock = createVirtualClock()
  const { meta, blobs } = createMemoryStore({ clock })
  const repositories = createRepositories({ meta, clock })
  const create = async (name: string) => {
    const repository = repositoryOf(name)
    await meta.txn([{ key: ecrRepositoryKey(where, name), doc: repository as unknown as Json }])
    return repository
  }
  const addBlob = async (repository: EcrRepository, text: string) => {
    const digest = sha256Of(text)
    await blobs.put(digest.slice(7), Buffer.from(text))
    await repositories.addBlob(repository, digest, text.length)
    return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: text.length }
  }
  const push = async (repository: EcrRepository, tag: string, layers: readonly object[], config: object) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers }))
    const { image, kind } = imageOf(bytes, 'application/vnd.oci.image.manifest.v1+json', clock.now())
    await blobs.put(image.digest.slice(7), bytes)
    await repositories.putImage(repository, image, kind, tag)
    return image
  }
  return { clock, meta, blobs, repositories, create, addBlob, push }
}

test('registry sweep: what an image names stays, what none names goes after a day, deleted repositories go whole', async () => {
  const { clock, meta, repositories, create, addBlob, push } = await setUp()
  const app = await create('app')
  const layer = await addBlob(app, 'layer')
  const config = await addBlob(app, 'config')
  const unused = await addBlob(app, 'unused')
  const image = await push(app, 'v1', [layer], config)
  const gone = await create('gone')
  await addBlob(gone, 'orphan')
  await repositories.addBlob(gone, layer.digest, 5)
  await meta.txn([{ key: ecrRepositoryKey(where, 'gone'), doc: null }])

  await sweepRegistry({ meta, clock })
  assert.deepEqual(await meta.list(ecrContentPrefix(gone.id), '', 10), [])
  const has = async (digest: string) => (await meta.get(ecrBlobKey(app.id, digest))) !== null
  assert.ok(await has(unused.digest), 'a push may still be under way')

  await clock.advance(23 * HOUR_MS)
  const fresh = await addBlob(app, 'fresh')
  const asked = await addBlob(app, 'asked for')
  await clock.advance(2 * HOUR_MS)
  assert.equal(await repositories.blobBytes(app, asked.digest), 9)
  await clock.advance(22 * HOUR_MS + HOUR_MS / 2)
  await sweepRegistry({ meta, clock })
  assert.deepEqual(
    await Promise.all([layer, config, asked, fresh, unused].map(({ digest }) => has(digest))),
    [true, true, true, false, false],
  )
  assert.ok(await meta.get(ecrImageKey(app.id, image.digest)))
  assert.ok(await meta.get(ecrTagKey(app.id, 'v1')))
  // What the sweeper of packages looks for: a digest in a key or a document.
  const rows = await meta.list(ecrContentPrefix(app.id), '', 100)
  const text = JSON.stringify(rows)
  for (const { digest } of [layer, config, image]) assert.ok(text.includes(digest.slice(7)))
})

test('registry: an image needs everything that it names, in its own repository', async () => {
  const { create, addBlob, push } = await setUp()
  const app = await create('app')
  const other = await create('other')
  const layer = await addBlob(other, 'layer')
  const config = await addBlob(app, 'config')
  const unknown = (error: unknown) => error instanceof RegistryError && error.code === 'MANIFEST_BLOB_UNKNOWN'
  await assert.rejects(push(app, 'v1', [layer], config), unknown)
  await addBlob(app, 'layer')
  await push(app, 'v1', [layer], config)
})

test('registry: an immutable tag may be pushed again with the same image only', async () => {
  const { meta, create, addBlob, push, repositories } = await setUp()
  const app = await create('app')
  const [one, two] = [await addBlob(app, 'one'), await addBlob(app, 'two')]
  const first = await push(app, 'v1', [], one)
  const immutable: EcrRepository = {
    ...app,
    tagMutability: 'IMMUTABLE_WITH_EXCLUSION',
    mutabilityExclusions: [{ filter: 'dev-*', filterType: 'WILDCARD' }],
  }
  await meta.txn([{ key: ecrRepositoryKey(where, 'app'), doc: immutable as unknown as Json }])
  await push(immutable, 'v1', [], one)
  await assert.rejects(
    push(immutable, 'v1', [], two),
    (error) => error instanceof RegistryError && error.code === 'TAG_INVALID',
  )
  assert.equal((await repositories.image(app, 'v1'))?.digest, first.digest)
  await push(immutable, 'dev-1', [], one)
  const moved = await push(immutable, 'dev-1', [], two)
  assert.equal((await repositories.image(app, 'dev-1'))?.digest, moved.digest)
})
