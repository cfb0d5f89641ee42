import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { resolveInRoot } from '#kernel/resolve-in-root.ts'

test('resolve in root: links lead where they lead for who lives in the root, and never out of it', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'lambent-root-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const root = join(directory, 'root')
  mkdirSync(join(root, 'usr/bin'), { recursive: true })
  writeFileSync(join(directory, 'secret'), '')
  writeFileSync(join(root, 'usr/bin/tool'), '')
  symlinkSync('usr/bin', join(root, 'bin'))
  symlinkSync('/usr/bin/tool', join(root, 'absolute'))
  symlinkSync('../../../../../secret', join(root, 'usr/bin/outside'))
  symlinkSync(join(directory, 'secret'), join(root, 'host'))
  symlinkSync('loop', join(root, 'loop'))
  symlinkSync('/', join(root, 'all'))
  const at = (path: string) => resolveInRoot(root, path)?.slice(root.length)
  const tool = '/usr/bin/tool'
  for (const path of ['/bin/tool', 'bin/./tool', '/absolute', '/../../bin/../bin/tool', '/all/all/bin/tool'])
    assert.equal(at(path), tool, path)
  for (const path of ['/bin/outside', '/host', '/loop', '/missing', '/bin/tool/below', '/../secret'])
    assert.equal(at(path), undefined, path)
  assert.equal(resolveInRoot(root, '/'), root)
})
