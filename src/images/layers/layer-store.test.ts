import assert from 'node:assert/strict'
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { sha256Of, tarOf, type TarFile } from '../../../test/support/tar-builder.ts'
import { ImageRefused, type ImageProblem } from '../image-refused.ts'
import { createLayerStore } from './layer-store.ts'

const directory = mkdtempSync(join(tmpdir(), 'layers-'))
after(() => rmSync(directory, { recursive: true }))

let now = 1_700_000_000_000
const store = createLayerStore({ directory, clock: { now: () => now } })
const limits = { maxBytes: 1024 * 1024, maxEntries: 1000 }
const config = { entrypoint: ['/bin/app'], cmd: [], workingDirectory: '', environment: [], user: '' }
let images = 0

async function* once(bytes: Uint8Array) {
  yield bytes
}
async function image(...layers: readonly (readonly TarFile[])[]) {
  const diffIds: string[] = []
  for (const files of layers) {
    const tar = tarOf(files)
    const diffId = sha256Of(tar)
    if ((await store.tarBytes(diffId)) === undefined) await store.addLayer(diffId, once(tar), limits)
    diffIds.push(diffId)
  }
  return store.assemble(`image-${++images}`, { diffIds, config, maxEntries: 100 })
}
const read = (root: string, path: string) => readFileSync(join(root, path), 'utf8')
const refused = (problem: ImageProblem) => (error: unknown) =>
  error instanceof ImageRefused && error.problem === problem

test('layers: files, modes, times and links come out as they went in, without special bits and devices', async () => {
  const { root, unpackedBytes } = await image([
    { name: 'bin/', type: '5', mode: 0o755 },
    { name: '/bin/app', content: 'code', mode: 0o4755 },
    { name: './bin/same', type: '1', target: 'bin/app' },
    { name: 'bin/link', type: '2', target: '/bin/app' },
    { name: 'dev/null', type: '3' },
    { name: 'tmp/', type: '5', mode: 0o1777 },
    { name: 'closed/', type: '5', mode: 0o000 },
    { name: 'implied/deep/file', content: 'x', mode: 0o600 },
  ])
  assert.deepEqual(readdirSync(root).toSorted(), ['bin', 'closed', 'implied', 'tmp'])
  const app = statSync(join(root, 'bin/app'))
  assert.deepEqual([app.mode & 0o7777, app.mtimeMs], [0o755, 1_700_000_000_000])
  assert.equal(statSync(join(root, 'bin/same')).ino, app.ino)
  assert.equal(readlinkSync(join(root, 'bin/link')), '/bin/app')
  assert.equal(statSync(join(root, 'tmp')).mode & 0o7777, 0o1777)
  assert.equal(statSync(join(root, 'closed')).mode & 0o7777, 0o700)
  assert.equal(statSync(join(root, 'implied/deep/file')).mode & 0o7777, 0o600)
  assert.equal(unpackedBytes, 4 + 4 + 1)
})

test('layers: a higher one replaces, hides and empties what is below', async () => {
  const below: readonly TarFile[] = [
    { name: 'a/one', content: '1' },
    { name: 'a/two', content: '2' },
    { name: 'b/one', content: '1' },
    { name: 'c', content: 'a file' },
    { name: 'lib', type: '2', target: 'usr/lib' },
    { name: 'usr/lib/x', content: 'x' },
  ]
  const { root } = await image(below, [
    { name: 'a/.wh.one' },
    { name: 'a/.wh.missing' },
    { name: 'b/new', content: 'n' },
    { name: 'b/.wh..wh..opq' },
    { name: 'c/', type: '5', mode: 0o750 },
    { name: 'c/inside', content: 'i' },
    { name: 'lib/y', content: 'y' },
    { name: '.wh..wh.plnk/1.2', content: 'noise' },
    { name: 'a/again', type: '1', target: 'a/two' },
  ])
  assert.deepEqual(readdirSync(root).toSorted(), ['a', 'b', 'c', 'lib', 'usr'])
  assert.deepEqual(readdirSync(join(root, 'a')).toSorted(), ['again', 'two'])
  assert.deepEqual(readdirSync(join(root, 'b')), ['new'])
  assert.equal(read(root, 'c/inside'), 'i')
  // Through the link of the layer below, as a container runtime that unpacks one on the other does it.
  assert.ok(lstatSync(join(root, 'lib')).isSymbolicLink())
  assert.equal(read(root, 'usr/lib/y'), 'y')
  const lower = await image(below)
  assert.equal(read(lower.root, 'a/one'), '1')
  assert.equal(
    statSync(join(lower.root, 'a/two')).ino,
    statSync(join(root, 'a/two')).ino,
    'layers are unpacked once and shared',
  )
})

test('layers: nothing is written outside, whatever links say', async () => {
  const { root } = await image(
    [
      { name: 'out', type: '2', target: '../../../../../../..' },
      { name: 'abs', type: '2', target: directory },
      { name: 'loop', type: '2', target: 'loop' },
    ],
    [
      { name: 'out/escaped', content: 'e' },
      { name: 'abs/escaped', content: 'e' },
      { name: 'abs', content: 'a file now' },
    ],
  )
  assert.equal(read(root, 'escaped'), 'e')
  assert.equal(read(root, join(directory, 'escaped')), 'e')
  assert.equal(read(root, 'abs'), 'a file now')
  assert.deepEqual(readdirSync(directory).toSorted(), ['layers', 'roots'])
  await assert.rejects(image([{ name: '../escaped' }]), refused('damaged'))
  await assert.rejects(image([{ name: 'link', type: '1', target: '../../etc/passwd' }]), refused('damaged'))
  await assert.rejects(image([{ name: 'link', type: '1', target: 'etc/passwd' }]), refused('damaged'))
  await assert.rejects(
    image([
      { name: 'loop', type: '2', target: 'loop' },
      { name: 'loop/x', content: 'x' },
    ]),
    refused('damaged'),
  )
})

test('layers: bounds of bytes and entries, and the digest of what comes out', async () => {
  const big = tarOf([{ name: 'big', content: Buffer.alloc(2 * 1024 * 1024) }])
  await assert.rejects(store.addLayer(sha256Of(big), once(big), limits), refused('too-large'))
  const many = tarOf(Array.from({ length: 1001 }, (_, at) => ({ name: `f${at}` })))
  await assert.rejects(
    store.addLayer(sha256Of(many), once(many), { ...limits, maxBytes: 1 << 24 }),
    refused('too-large'),
  )
  await assert.rejects(
    image(Array.from({ length: 101 }, (_, at) => ({ name: `g${at}` }))),
    refused('too-large'),
  )
  const other = tarOf([{ name: 'x' }])
  await assert.rejects(store.addLayer(sha256Of('else'), once(other), limits), refused('damaged'))
  await assert.rejects(
    store.addLayer(sha256Of('text'), once(Buffer.from('text'.repeat(500))), limits),
    refused('damaged'),
  )
  assert.equal(await store.tarBytes(sha256Of('else')), undefined)
  assert.ok(readdirSync(join(directory, 'layers')).every((name) => !name.includes('partial')))
})

test('layers: a sweep keeps what is named or was asked for lately', async () => {
  now = Date.now() + 10_000
  await image([{ name: 'kept', content: 'kept' }])
  const kept = `image-${images}`
  await image([{ name: 'unused', content: 'unused' }])
  const unused = `image-${images}`
  await store.sweep(new Set(), now - 60_000)
  assert.ok((await store.find(kept)) && (await store.find(unused)))
  now += 120_000
  await store.sweep(new Set([kept]), now - 60_000)
  assert.equal(await store.find(unused), undefined)
  assert.ok(await store.find(kept))
  const roots = readdirSync(join(directory, 'roots'))
  assert.deepEqual(roots, [kept])
  assert.equal(readdirSync(join(directory, 'layers')).length, 1)
})
