import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { ArchiveRefused } from './archive-refused.ts'
import { readTar } from './read-tar.ts'

async function* sliced(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size)
}
async function list(tar: Uint8Array, size = tar.byteLength) {
  const found: Record<string, unknown>[] = []
  for await (const entry of readTar(sliced(tar, size))) {
    const { kind, name, target, mode, modifiedAt } = entry
    const content: Uint8Array[] = []
    if (found.length % 2 === 0) content.push(Uint8Array.from(await entry.whole()))
    else for await (const piece of entry.pieces()) content.push(Uint8Array.from(piece))
    found.push({
      kind,
      name,
      target,
      mode: mode & 0o7777,
      modifiedAt,
      content: Buffer.concat(content).toString(),
    })
  }
  return found
}

const LONG = `${'directory/'.repeat(25)}a-file`

function sample(...options: string[]): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'read-tar-'))
  try {
    mkdirSync(join(directory, LONG, '..'), { recursive: true })
    writeFileSync(join(directory, LONG), 'deep', { mode: 0o640 })
    writeFileSync(join(directory, 'größe'), 'x'.repeat(2000), { mode: 0o755 })
    linkSync(join(directory, 'größe'), join(directory, 'same'))
    symlinkSync(`/${'over/there/'.repeat(20)}`, join(directory, 'link'))
    const args = ['-C', directory, '--mtime=@1700000000', '--sort=name', ...options, '-cf', '-']
    return execFileSync('tar', [...args, LONG, 'größe', 'same', 'link'], { maxBuffer: 1 << 24 })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

for (const format of ['gnu', 'pax', 'posix']) {
  test(`tar: reads what tar writes in its ${format} format, however it is cut into chunks`, async () => {
    const tar = sample(`--format=${format}`)
    const entries = await list(tar)
    const common = { target: '', modifiedAt: 1_700_000_000 }
    assert.deepEqual(entries, [
      { ...common, kind: 'file', name: LONG, mode: 0o640, content: 'deep' },
      { ...common, kind: 'file', name: 'größe', mode: 0o755, content: 'x'.repeat(2000) },
      { ...common, kind: 'hardlink', name: 'same', target: 'größe', mode: 0o755, content: '' },
      {
        ...common,
        kind: 'symlink',
        name: 'link',
        target: `/${'over/there/'.repeat(20)}`,
        mode: 0o777,
        content: '',
      },
    ])
    for (const size of [1, 7, 512, 777]) assert.deepEqual(await list(tar, size), entries)
  })
}

test('tar: content that nobody reads is skipped', async () => {
  const names: string[] = []
  for await (const { name } of readTar(sliced(sample(), 100))) names.push(name)
  assert.deepEqual(names, [LONG, 'größe', 'same', 'link'])
})

test('tar: refuses damage, whatever bit it is in', async () => {
  const tar = sample('--format=gnu')
  const refused = (bytes: Uint8Array, reason: string) =>
    assert.rejects(list(bytes), (error) => error instanceof ArchiveRefused && error.reason === reason)
  await refused(tar.subarray(0, 1000), 'damaged')
  await refused(Buffer.from('no tar file at all'.repeat(100)), 'damaged')
  const changed = Buffer.from(tar)
  changed[0] = 0x41
  await refused(changed, 'damaged')
})

test('tar: an extended header has a bound', async () => {
  const header = Buffer.alloc(512)
  header.write('././@LongLink', 0)
  header.write('77777777777\0', 124)
  header.write('L', 156)
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  await assert.rejects(
    list(header),
    (error) => error instanceof ArchiveRefused && error.reason === 'too-large',
  )
})
