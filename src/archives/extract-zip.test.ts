import assert from 'node:assert/strict'
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { buffer } from 'node:stream/consumers'

import { ZipFile } from 'yazl'

import { ArchiveRefused, type RefusalReason } from '#archives/archive-refused.ts'
import { extractZip } from '#archives/extract-zip.ts'

import { buildZip, type ZipPart } from '../../test/support/zip-builder.ts'

let root = ''
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'lambent-extract-'))
})
after(() => rm(root, { recursive: true, force: true }))

let count = 0
const fresh = () => join(root, `target-${count++}`)
const mode = async (path: string) => ((await lstat(path)).mode & 0o7777).toString(8)

async function refusal(parts: readonly ZipPart[]): Promise<RefusalReason> {
  const target = fresh()
  const error = await extractZip(buildZip(parts), target).then(
    () => assert.fail('it was accepted'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ArchiveRefused, String(error))
  const left = await readdir(root)
  assert.ok(!left.some((name) => target.endsWith(name) || name.includes('partial')), 'nothing is left behind')
  return error.reason
}

test('files arrive with their content and with modes that another user can read', async () => {
  const previous = process.umask(0o077)
  try {
    const target = fresh()
    const large = Buffer.alloc(700_000, 'large ')
    await extractZip(
      buildZip([
        { name: 'private/key', data: 'k', mode: 0o100400 },
        { name: 'private/tool', data: '#!', mode: 0o100711, deflate: true },
        { name: 'setuid', data: 's', mode: 0o104755 },
        { name: 'empty', mode: 0o100000, deflate: true },
        { name: 'large', data: large, deflate: true, mode: 0o100755 },
        { name: 'stored', data: large },
        { name: 'empty-directory/', mode: 0o040700 },
        { name: 'link', data: 'private/key', mode: 0o120777 },
      ]),
      target,
    )
    assert.equal(await readFile(join(target, 'private/key'), 'utf8'), 'k')
    assert.deepEqual(await readFile(join(target, 'large')), large)
    assert.deepEqual(await readFile(join(target, 'stored')), large)
    assert.equal(await readlink(join(target, 'link')), 'private/key')
    assert.equal((await stat(join(target, 'empty'))).size, 0)
    const modes = Object.fromEntries(
      await Promise.all(
        ['', 'private', 'private/key', 'private/tool', 'setuid', 'large', 'stored', 'empty-directory'].map(
          async (path) => [path, await mode(join(target, path))],
        ),
      ),
    )
    assert.deepEqual(modes, {
      '': '755',
      private: '755',
      'private/key': '644',
      'private/tool': '755',
      setuid: '755',
      large: '755',
      stored: '644',
      'empty-directory': '755',
    })
  } finally {
    process.umask(previous)
  }
})

test('an archive that a common tool wrote is unpacked from a file too', async () => {
  const zip = new ZipFile()
  for (let index = 0; index < 300; index++) {
    zip.addBuffer(Buffer.from(`content ${index}`), `package/${index % 17}/file-${index}.js`)
  }
  zip.end()
  const path = fresh()
  const { writeFile } = await import('node:fs/promises')
  await writeFile(path, await buffer(zip.outputStream))
  const target = fresh()
  await extractZip(path, target)
  assert.equal(await readFile(join(target, 'package/3/file-20.js'), 'utf8'), 'content 20')
  assert.equal((await readdir(join(target, 'package'))).length, 17)
})

test('refused: an entry that is larger or smaller than it says', async () => {
  const small = 'x'.repeat(2000)
  const large = 'x'.repeat(400_000)
  assert.equal(await refusal([{ name: 'a', data: small, deflate: true, claimedSize: 1999 }]), 'damaged')
  assert.equal(await refusal([{ name: 'a', data: small, deflate: true, claimedSize: 2001 }]), 'damaged')
  assert.equal(await refusal([{ name: 'a', data: small, deflate: true, claimedSize: 0 }]), 'damaged')
  assert.equal(await refusal([{ name: 'a', data: large, deflate: true, claimedSize: 399_999 }]), 'damaged')
  assert.equal(await refusal([{ name: 'a', data: large, deflate: true, claimedSize: 400_001 }]), 'damaged')
})

test('refused: an entry whose checksum is wrong', async () => {
  assert.equal(await refusal([{ name: 'a', data: 'hello', claimedCrc: 1 }]), 'damaged')
  assert.equal(await refusal([{ name: 'a', data: 'y'.repeat(300_000), claimedCrc: 1 }]), 'damaged')
})

test('refused: compressed data that is garbage', async () => {
  const garbage = Buffer.alloc(200, 0xff)
  assert.equal(await refusal([{ name: 'a', data: garbage, method: 8, claimedSize: 200 }]), 'damaged')
  const much = Buffer.alloc(300_000, 0xff)
  assert.equal(await refusal([{ name: 'a', data: much, method: 8, claimedSize: 300_000 }]), 'damaged')
})

test('nothing is written through a link: links that leave the archive never exist', async () => {
  assert.equal(
    await refusal([
      { name: 'out', data: '/tmp', mode: 0o120777 },
      { name: 'out/escaped', data: 'x' },
    ]),
    'conflicting-paths',
  )
  assert.equal(await refusal([{ name: 'a/out', data: '../..', mode: 0o120777 }]), 'bad-link')
})

test('a directory that is there already is not touched', async () => {
  const target = fresh()
  await extractZip(buildZip([{ name: 'first' }]), target)
  await assert.rejects(extractZip(buildZip([{ name: 'second' }]), target), { code: 'ENOTEMPTY' })
  assert.deepEqual(await readdir(target), ['first'])
})

test('a missing archive is a system error, not a refusal', async () => {
  await assert.rejects(extractZip(join(root, 'missing.zip'), fresh()), { code: 'ENOENT' })
})
