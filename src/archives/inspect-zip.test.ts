import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DEFAULT_ARCHIVE_LIMITS } from '#archives/archive-limits.ts'
import { ArchiveRefused, type RefusalReason } from '#archives/archive-refused.ts'
import { inspectZip } from '#archives/inspect-zip.ts'

import { buildZip, type ZipPart } from '../../test/support/zip-builder.ts'

const LINK = 0o120777

async function refusal(zip: Uint8Array, limits = DEFAULT_ARCHIVE_LIMITS): Promise<RefusalReason> {
  const error = await inspectZip(zip, limits).then(
    () => assert.fail('it was accepted'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ArchiveRefused, String(error))
  return error.reason
}

test('an archive is listed with its paths, sizes and execute bits', async () => {
  const summary = await inspectZip(
    buildZip([
      { name: 'bin/', mode: 0o040755 },
      { name: 'bin/tool', data: 'x'.repeat(1000), mode: 0o100755, deflate: true },
      { name: './lib//index.js', data: 'hello' },
      { name: 'current', data: 'lib', mode: LINK },
    ]),
  )
  assert.equal(summary.unzippedBytes, 1008)
  assert.deepEqual(summary.entries, [
    { path: 'bin/tool', kind: 'file', sizeBytes: 1000, executable: true },
    { path: 'lib/index.js', kind: 'file', sizeBytes: 5, executable: false },
    { path: 'current', kind: 'link', sizeBytes: 3, executable: false },
  ])
})

test('an empty archive is listed as empty', async () => {
  assert.deepEqual(await inspectZip(buildZip([])), { entries: [], unzippedBytes: 0 })
})

test('modes count only when they were written on Unix', async () => {
  const { entries } = await inspectZip(buildZip([{ name: 'bootstrap', mode: 0o100755, madeBy: 0 }]))
  assert.equal(entries[0]?.executable, false)
})

test('names without the UTF-8 flag are read as UTF-8 when they are', async () => {
  const { entries } = await inspectZip(
    buildZip([
      { name: 'größe.txt', flags: 0 },
      { name: Buffer.from([0x94, 0x2e, 0x74]), flags: 0 },
    ]),
  )
  assert.deepEqual(
    entries.map((entry) => entry.path),
    ['größe.txt', 'ö.t'],
  )
})

const bad: readonly (readonly [string, RefusalReason, readonly ZipPart[]])[] = [
  ['an absolute path', 'bad-path', [{ name: '/etc/passwd' }]],
  ['a drive letter', 'bad-path', [{ name: 'C:/x' }]],
  ['a path that leads upwards', 'bad-path', [{ name: '../../escape' }]],
  ['a path that leads upwards in its middle', 'bad-path', [{ name: 'a/../../escape' }]],
  ['a backslash', 'bad-path', [{ name: '..\\escape' }]],
  ['a NUL byte', 'bad-path', [{ name: 'a\0b' }]],
  ['a name of 256 bytes', 'bad-path', [{ name: 'ö'.repeat(128) }]],
  ['a path that is too long', 'bad-path', [{ name: 'directory/'.repeat(400) }]],
  ['a name that is not UTF-8', 'bad-path', [{ name: Buffer.from([0x61, 0xff, 0xfe]) }]],
  ['a file without a name', 'bad-path', [{ name: './.' }]],
  ['an encrypted entry', 'encrypted', [{ name: 'a', flags: 1 }]],
  ['masked headers', 'encrypted', [{ name: 'a', flags: 0x2001 }]],
  ['another compression method', 'unsupported', [{ name: 'a', method: 12 }]],
  ['one path twice', 'conflicting-paths', [{ name: 'a' }, { name: './a' }]],
  ['a file where a directory is needed', 'conflicting-paths', [{ name: 'a' }, { name: 'a/b' }]],
  ['a directory where a file is', 'conflicting-paths', [{ name: 'a/b' }, { name: 'a' }]],
  [
    'a link where a directory is needed',
    'conflicting-paths',
    [{ name: 'a', data: '.', mode: LINK }, { name: 'a/b' }],
  ],
  ['a stored entry with two sizes', 'damaged', [{ name: 'a', data: 'abc', claimedSize: 4000 }]],
  ['a device', 'special-file', [{ name: 'null', mode: 0o020666 }]],
  ['a pipe', 'special-file', [{ name: 'pipe', mode: 0o010666 }]],
  ['an absolute link', 'bad-link', [{ name: 'a', data: '/etc', mode: LINK }]],
  ['a link upwards', 'bad-link', [{ name: 'a/b', data: '../../etc', mode: LINK }]],
  ['a link without a target', 'bad-link', [{ name: 'a', mode: LINK }]],
  ['a link to itself', 'bad-link', [{ name: 'a', data: 'a', mode: LINK }]],
  [
    'links that lead out together',
    'bad-link',
    [
      { name: 'd/e/here', data: '../..', mode: LINK },
      { name: 'out', data: 'd/e/here/../etc', mode: LINK },
    ],
  ],
  ['a target of 5,000 bytes', 'bad-link', [{ name: 'a', data: 'b/'.repeat(2500), mode: LINK }]],
  [
    'entries that share their data',
    'bomb',
    [
      { name: 'a', data: 'x'.repeat(50_000), deflate: true },
      { name: 'b', data: 'x'.repeat(50_000), deflate: true, sharesDataOf: 0 },
    ],
  ],
  [
    'an expansion that deflate cannot do',
    'bomb',
    [{ name: 'a', data: 'x'.repeat(1000), deflate: true, claimedSize: 100_000_000 }],
  ],
]
for (const [what, reason, parts] of bad) {
  test(`refused: ${what}`, async () => assert.equal(await refusal(buildZip(parts)), reason))
}

test('a link inside the archive is accepted, also by way of a directory and to nothing', async () => {
  const { entries } = await inspectZip(
    buildZip([
      { name: 'a/b/c', data: 'x' },
      { name: 'a/up', data: '../a/b/../b/c', mode: LINK },
      { name: 'dangling', data: 'not/there', mode: LINK },
    ]),
  )
  assert.equal(entries.length, 3)
})

test('refused: something that is no zip, or only the beginning of one', async () => {
  const whole = buildZip([{ name: 'a', data: 'x'.repeat(500) }])
  assert.equal(await refusal(Buffer.from('hello')), 'not-a-zip')
  assert.equal(await refusal(Buffer.alloc(0)), 'not-a-zip')
  assert.equal(await refusal(Buffer.alloc(100_000, 'PK')), 'not-a-zip')
  for (const end of [1, 10, 30, 200, whole.byteLength - 30, whole.byteLength - 1]) {
    assert.equal(await refusal(whole.subarray(0, end)), 'not-a-zip', `cut at ${end}`)
  }
})

test('refused: an archive whose beginning is missing', async () => {
  const whole = buildZip([{ name: 'a', data: 'x'.repeat(500) }])
  assert.equal(await refusal(whole.subarray(100)), 'not-a-zip')
})

test('refused: too many entries, with the directories that paths imply', async () => {
  const limits = { ...DEFAULT_ARCHIVE_LIMITS, maxEntries: 10 }
  const parts = Array.from({ length: 11 }, (_, index) => ({ name: `f${index}` }))
  assert.equal(await refusal(buildZip(parts), limits), 'too-many-entries')
  assert.equal(await refusal(buildZip([{ name: 'a/'.repeat(10) + 'f' }]), limits), 'too-many-entries')
  assert.equal((await inspectZip(buildZip([{ name: 'a/'.repeat(9) + 'f' }]), limits)).entries.length, 1)
})

test('refused: more bytes than allowed, exactly from the first byte over the limit', async () => {
  const limits = { ...DEFAULT_ARCHIVE_LIMITS, maxUnzippedBytes: 1000 }
  const zip = (size: number) =>
    buildZip([
      { name: 'a', data: 'x'.repeat(500) },
      { name: 'b', data: 'y'.repeat(size) },
    ])
  assert.equal((await inspectZip(zip(500), limits)).unzippedBytes, 1000)
  assert.equal(await refusal(zip(501), limits), 'too-large')
})

test('random damage is refused or harmless, never a crash', async () => {
  const whole = buildZip([
    { name: 'a/b', data: 'x'.repeat(300), deflate: true },
    { name: 'c', data: 'a', mode: LINK },
  ])
  for (let at = 0; at < whole.byteLength; at++) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] ?? 0) ^ 0xff
    const error = await inspectZip(damaged).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error === undefined || error instanceof ArchiveRefused, `byte ${at}: ${String(error)}`)
  }
})
