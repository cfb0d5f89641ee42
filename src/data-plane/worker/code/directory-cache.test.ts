import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'

import { createDirectoryCache } from '#data-plane/worker/code/directory-cache.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lambent-cache-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const A = 'a'.repeat(64)
const B = 'b'.repeat(64)
const C = 'c'.repeat(64)
const clock = createVirtualClock()
const logger = { debug() {}, info() {}, warn() {}, error() {} }

async function openCache(maxBytes = 1000) {
  const cache = createDirectoryCache({ root, maxBytes, clock, logger })
  await cache.open()
  return cache
}

let fills = 0
/** Makes a directory that counts as `bytes`. */
const of =
  (content: string, bytes = 100) =>
  async (path: string) => {
    fills++
    await mkdir(path)
    await writeFile(join(path, 'file'), content)
    return bytes
  }
const never = () => Promise.reject(new Error('Should have been there already'))
const contentOf = (path: string) => readFile(join(path, 'file'), 'utf8')

test('cache: fills once for any number of callers', async () => {
  const cache = await openCache()
  fills = 0
  const all = await Promise.all(Array.from({ length: 10 }, () => cache.acquire('code', A, of('a'))))
  assert.equal(fills, 1)
  assert.equal(new Set(all.map(({ path }) => path)).size, 1)
  assert.equal(await contentOf(all[0]?.path ?? ''), 'a')
  assert.equal(cache.sizeBytes, 100)
})

test('cache: a failure reaches every caller, leaves nothing, and the next caller tries again', async () => {
  const cache = await openCache()
  const broken = async (path: string): Promise<number> => {
    await mkdir(path)
    throw new Error('broken')
  }
  const results = await Promise.allSettled([
    cache.acquire('code', A, broken),
    cache.acquire('code', A, broken),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.deepEqual(await readdir(join(root, 'waste')), [])
  assert.equal(await contentOf((await cache.acquire('code', A, of('better'))).path), 'better')
})

test('cache: throws away what was used longest ago, and never what is in use', async () => {
  const cache = await openCache(250)
  const a = await cache.acquire('code', A, of('a'))
  await clock.advance(1)
  const b = await cache.acquire('code', B, of('b'))
  b.release()
  await clock.advance(1)
  // Three do not fit: A is older than B, but in use.
  const c = await cache.acquire('layer', C, of('c'))
  assert.equal(cache.sizeBytes, 200)
  await cache.acquire('code', A, never)
  fills = 0
  const again = await cache.acquire('code', B, of('b'))
  assert.equal(fills, 1)
  // Everything is in use now: the bound gives way.
  assert.equal(cache.sizeBytes, 300)
  again.release()
  again.release()
  assert.equal(cache.sizeBytes, 200)
  assert.equal(await contentOf(a.path), 'a')
  assert.equal(await contentOf(c.path), 'c')
})

test('cache: what is thrown away can be made again at once', async () => {
  const cache = await openCache(0)
  for (let round = 0; round < 20; round++) {
    const held = await cache.acquire('code', A, of(`round ${round}`))
    assert.equal(await contentOf(held.path), `round ${round}`)
    held.release()
  }
})

test('cache: survives a restart of the program', async () => {
  const before = await openCache()
  const held = await before.acquire('code', A, of('a', 123))
  held.release()
  const after = await openCache()
  assert.equal(after.sizeBytes, 123)
  assert.equal(await contentOf((await after.acquire('code', A, never)).path), 'a')
})

test('cache: trusts nothing that is incomplete, damaged, or of another boot of the machine', async () => {
  const before = await openCache()
  for (const key of [A, B, C]) (await before.acquire('code', key, of('x'))).release()
  await rm(join(root, 'code', A, 'complete.json'))
  await writeFile(join(root, 'code', B, 'complete.json'), '{"sizeBytes":')
  await writeFile(join(root, 'code', C, 'complete.json'), '{"sizeBytes":100,"bootId":"another"}')
  await mkdir(join(root, 'waste', 'half'), { recursive: true })
  const after = await openCache()
  assert.equal(after.sizeBytes, 0)
  assert.deepEqual(await readdir(join(root, 'code')), [])
  assert.deepEqual(await readdir(join(root, 'waste')), [])
})

test('cache: a key is never a path', async () => {
  const cache = await openCache()
  await assert.rejects(cache.acquire('code', '../../etc', never), TypeError)
  await assert.rejects(cache.acquire('..', A, never), TypeError)
})
