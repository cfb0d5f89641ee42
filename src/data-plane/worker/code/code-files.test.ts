import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { acquireCodeFiles } from '#data-plane/worker/code/code-files.ts'
import { createDirectoryCache } from '#data-plane/worker/code/directory-cache.ts'
import { systemClock } from '#kernel/clock.ts'
import { createMemoryBlobs } from '#store/memory/memory-blobs.ts'

import { aVersion } from '../../../../test/support/function-version.ts'
import { zipOf } from '../../../../test/support/clients.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

const packageKeys = { open: async () => assert.fail('nothing is encrypted') }

async function createRig() {
  const root = await mkdtemp(join(tmpdir(), 'lambent-code-'))
  const blobs = createMemoryBlobs({ clock: systemClock })
  const cache = createDirectoryCache({ root, maxBytes: 0, clock: systemClock, logger })
  await cache.open()
  const put = async (bytes: Buffer) => {
    const blob = createHash('sha256').update(bytes).digest('hex')
    await blobs.put(blob, bytes)
    return { blob, codeSha256: '', sizeBytes: bytes.byteLength, arn: 'a', codeSizeBytes: bytes.byteLength }
  }
  return {
    cache,
    put,
    acquire: (version: ReturnType<typeof aVersion>) =>
      acquireCodeFiles({ version, blobs, cache, packageKeys }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

test('code files: code and merged layers, readable by everybody, the execute bit kept', async () => {
  await using rig = await createRig()
  const code = await rig.put(
    await zipOf({ 'index.js': 'code', 'run.sh': { content: '#!/bin/sh', executable: true } }),
  )
  const lower = await rig.put(await zipOf({ 'lib/a': 'lower', 'lib/b': 'lower' }))
  const upper = await rig.put(await zipOf({ 'lib/a': 'upper' }))
  const files = await rig.acquire(aVersion({ code, layers: [lower, upper] }))
  assert.equal(await readFile(join(files.task, 'index.js'), 'utf8'), 'code')
  assert.equal((await stat(join(files.task, 'index.js'))).mode & 0o777, 0o644)
  assert.equal((await stat(join(files.task, 'run.sh'))).mode & 0o777, 0o755)
  assert.equal((await stat(files.task)).mode & 0o777, 0o755)
  assert.equal(await readFile(join(files.opt ?? '', 'lib/a'), 'utf8'), 'upper')
  assert.equal(await readFile(join(files.opt ?? '', 'lib/b'), 'utf8'), 'lower')
  const reversed = await rig.acquire(aVersion({ code, layers: [upper, lower] }))
  assert.equal(await readFile(join(reversed.opt ?? '', 'lib/a'), 'utf8'), 'lower')
  files.release()
  reversed.release()
  // The bound of this cache is nothing, so nothing stays.
  assert.equal(rig.cache.sizeBytes, 0)
})

test('code files: no layers, no /opt; one layer is /opt itself', async () => {
  await using rig = await createRig()
  const code = await rig.put(await zipOf({ f: '1' }))
  const layer = await rig.put(await zipOf({ g: '2' }))
  assert.equal((await rig.acquire(aVersion({ code }))).opt, undefined)
  const { opt } = await rig.acquire(aVersion({ code, layers: [layer] }))
  assert.equal(await readFile(join(opt ?? '', 'g'), 'utf8'), '2')
})

test('code files: a damaged archive is InvalidZipFileException and holds nothing back', async () => {
  await using rig = await createRig()
  const code = await rig.put(await zipOf({ f: '1' }))
  const damaged = await rig.put(Buffer.from('PK not really'))
  await assert.rejects(rig.acquire(aVersion({ code: damaged })), {
    code: 'InvalidZipFileException',
    status: 502,
  })
  await assert.rejects(rig.acquire(aVersion({ code, layers: [damaged] })), {
    code: 'InvalidZipFileException',
  })
  assert.equal(rig.cache.sizeBytes, 0)
})

test('code files: a package that the store has lost is a platform error', async () => {
  await using rig = await createRig()
  await assert.rejects(
    rig.acquire(aVersion({ code: { blob: 'f'.repeat(64), codeSha256: '', sizeBytes: 1 } })),
    {
      code: 'ServiceException',
      status: 500,
    },
  )
})
