import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { LambdaError } from '#contracts/errors.ts'
import type { Alias, FunctionHead, FunctionVersion } from '#contracts/function.ts'
import { aliasKey, functionKey, versionKey } from '#contracts/keys.ts'
import { createCatalog, versionOfAlias } from '#data-plane/frontend/catalog.ts'
import { createDocumentCache } from '#documents/create-document-cache.ts'
import { aVersion, ID } from '../../../test/support/function-version.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import type { Json } from '#kernel/json.ts'
import type { Random } from '#kernel/random.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { Meta } from '#store/port.ts'

const json = (doc: unknown) => doc as Json
const head = (latest: FunctionVersion): Json =>
  json({
    account: latest.account,
    region: latest.region,
    name: latest.name,
    latest,
    createdAt: 0,
    nextVersion: 1,
    tags: {},
  } satisfies FunctionHead)
const alias = (name: string, version: string, additionalVersion?: Alias['additionalVersion']): Json =>
  json({
    ...ID,
    alias: name,
    version,
    description: '',
    revisionId: 'r',
    ...(additionalVersion ? { additionalVersion } : {}),
  })

const draws = (...values: number[]): Random => ({
  next: () => values.shift() ?? 0,
  uuid: () => '',
  hex: () => '',
})

/** A store that counts reads and can hold answers back. */
const setup = async (options: { readonly random?: Random } = {}) => {
  const store = createMemoryStore({ clock: createVirtualClock() })
  const reads: string[] = []
  let hold: Promise<void> | undefined
  const meta: Meta = {
    ...store.meta,
    async get(key) {
      reads.push(key)
      const row = await store.meta.get(key)
      await hold
      return row
    },
  }
  const documents = createDocumentCache({ meta })
  await documents.start()
  const catalog = createCatalog({ documents, random: draws(), ...options })
  const holdReads = () => {
    let release = () => {}
    hold = new Promise((resolve) => {
      release = () => {
        hold = undefined
        resolve()
      }
    })
    return release
  }
  return { meta: store.meta, catalog, reads, holdReads }
}
const put = (meta: Meta, key: string, doc: Json | null) => meta.txn([{ key, doc }])
const notFound = (qualifier: string) => (error: LambdaError) => {
  assert.deepEqual(
    [error.code, error.status, error.message],
    [
      'ResourceNotFoundException',
      404,
      `Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello:${qualifier}`,
    ],
  )
  return true
}

test('catalog: an unknown function, version and alias are not found, each by the name that was asked for', async () => {
  const { catalog, meta } = await setup()
  await assert.rejects(async () => catalog.resolve(ID, undefined), notFound('$LATEST'))
  await put(meta, functionKey(ID), head(aVersion()))
  await assert.rejects(async () => catalog.resolve(ID, '7'), notFound('7'))
  await assert.rejects(async () => catalog.resolve(ID, 'live'), notFound('live'))
})

test('catalog: the second resolve needs no read and answers at once', async () => {
  const { catalog, meta, reads } = await setup()
  await put(meta, functionKey(ID), head(aVersion()))
  await put(meta, versionKey(ID, '3'), json(aVersion({ version: '3' })))
  await put(meta, aliasKey(ID, 'live'), alias('live', '3'))
  for (const qualifier of [undefined, '$LATEST', '3', 'live']) await catalog.resolve(ID, qualifier)
  const before = reads.length
  const seen = [undefined, '$LATEST', '3', 'live'].map(
    (q) => (catalog.resolve(ID, q) as FunctionVersion).version,
  )
  assert.deepEqual(seen, ['$LATEST', '$LATEST', '3', '3'])
  assert.equal(reads.length, before)
  assert.equal(catalog.resolve(ID, undefined), catalog.resolve(ID, undefined), 'the same object each time')
})

test('catalog: a change is seen by the next resolve, without a read', async () => {
  const { catalog, meta, reads } = await setup()
  await put(meta, functionKey(ID), head(aVersion({ generation: 'g1' })))
  await catalog.resolve(ID, undefined)
  await put(meta, functionKey(ID), head(aVersion({ generation: 'g2' })))
  assert.equal((catalog.resolve(ID, undefined) as FunctionVersion).generation, 'g2')
  assert.equal(reads.length, 1)
  await put(meta, functionKey(ID), null)
  await assert.rejects(async () => catalog.resolve(ID, undefined), notFound('$LATEST'))
})

test('catalog: an alias to a deleted version names the version', async () => {
  const { catalog, meta } = await setup()
  await put(meta, versionKey(ID, '3'), json(aVersion({ version: '3' })))
  await put(meta, aliasKey(ID, 'live'), alias('live', '3'))
  await catalog.resolve(ID, 'live')
  await put(meta, versionKey(ID, '3'), null)
  await assert.rejects(async () => catalog.resolve(ID, 'live'), notFound('3'))
  await put(meta, aliasKey(ID, 'live'), alias('live', '$LATEST'))
  await put(meta, functionKey(ID), head(aVersion()))
  assert.equal((await catalog.resolve(ID, 'live')).version, '$LATEST')
})

test('catalog: readers of one key share one read', async () => {
  const { catalog, meta, reads, holdReads } = await setup()
  await put(meta, functionKey(ID), head(aVersion()))
  const release = holdReads()
  const all = Promise.all([catalog.resolve(ID, undefined), catalog.resolve(ID, '$LATEST')])
  release()
  const [a, b] = await all
  assert.equal(a, b)
  assert.equal(reads.length, 1)
})

test('catalog: a change during a read leaves no stale entry', async () => {
  const { catalog, meta, holdReads } = await setup()
  await put(meta, functionKey(ID), head(aVersion({ generation: 'old' })))
  const release = holdReads()
  const reading = catalog.resolve(ID, undefined)
  await put(meta, functionKey(ID), head(aVersion({ generation: 'new' })))
  release()
  assert.equal((await reading).generation, 'new')
  assert.equal((catalog.resolve(ID, undefined) as FunctionVersion).generation, 'new')
})

test('catalog: a deletion during a read is not found afterwards', async () => {
  const { catalog, meta, holdReads } = await setup()
  await put(meta, functionKey(ID), head(aVersion()))
  const release = holdReads()
  const reading = catalog.resolve(ID, undefined)
  await put(meta, functionKey(ID), null)
  release()
  await assert.rejects(async () => reading, notFound('$LATEST'))
})

test('catalog: a weighted alias draws once for each request', async () => {
  const { catalog, meta } = await setup({ random: draws(0.05, 0.05, 0.5, 0.99, 0.0999) })
  for (const version of ['1', '2']) await put(meta, versionKey(ID, version), json(aVersion({ version })))
  await put(meta, aliasKey(ID, 'live'), alias('live', '1', { version: '2', weight: 0.1 }))
  await catalog.resolve(ID, '1')
  await catalog.resolve(ID, 'live')
  const picked = [1, 2, 3, 4].map(() => (catalog.resolve(ID, 'live') as FunctionVersion).version)
  assert.deepEqual(picked, ['2', '1', '1', '2'])
})

test('catalog: the edges of a weight', () => {
  const weighted = (weight: number) =>
    json({ version: '1', additionalVersion: { version: '2', weight } }) as unknown as Alias
  assert.equal(versionOfAlias(weighted(0), 0), '1')
  assert.equal(versionOfAlias(weighted(1), 0.999999), '2')
  assert.equal(versionOfAlias(weighted(0.3), 0.3), '1')
})

test('catalog: a thousand functions are resolved warm without a single read', async () => {
  const { catalog, meta, reads } = await setup()
  const ids = Array.from({ length: 1000 }, (_, n) => ({ ...ID, name: `f${n}` }))
  await meta.txn(ids.map((id) => ({ key: functionKey(id), doc: head(aVersion(id)) })))
  for (const id of ids) await catalog.resolve(id, undefined)
  assert.equal(reads.length, 1000)
  for (const id of ids) assert.equal((catalog.resolve(id, undefined) as FunctionVersion).name, id.name)
  assert.equal(reads.length, 1000)
})
