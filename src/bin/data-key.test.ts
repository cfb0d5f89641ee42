import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { openDataKey } from '#bin/data-key.ts'

const directoryFor = (t: { after(run: () => void): void }) => {
  const directory = mkdtempSync(join(tmpdir(), 'data-key-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

test('data key: is made once and read again, by its owner only', (t) => {
  const directory = directoryFor(t)
  const first = openDataKey(directory)
  assert.equal(first.byteLength, 32)
  assert.deepEqual(Buffer.from(openDataKey(directory)), Buffer.from(first))
  assert.equal(statSync(join(directory, 'secret.key')).mode & 0o777, 0o600)
})

test('data key: a damaged file is refused and left as it is', (t) => {
  const directory = directoryFor(t)
  writeFileSync(join(directory, 'secret.key'), 'nonsense')
  assert.throws(() => openDataKey(directory), /restore it from a backup/)
  assert.equal(readFileSync(join(directory, 'secret.key'), 'utf8'), 'nonsense')
})
