import assert from 'node:assert/strict'
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'

import { mergeDirectories } from '#archives/merge-directories.ts'

let root = ''
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'lambent-merge-'))
})
after(() => rm(root, { recursive: true, force: true }))

let count = 0
const fresh = () => join(root, `directory-${count++}`)

async function tree(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = fresh()
  await mkdir(directory)
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    if (content.startsWith('-> ')) await symlink(content.slice(3), join(directory, path))
    else await writeFile(join(directory, path), content, { mode: path.startsWith('bin/') ? 0o755 : 0o644 })
  }
  return directory
}

test('layers are laid over each other and the later one wins', async () => {
  const first = await tree({ 'lib/a.js': 'first', 'lib/b.js': 'first', 'bin/tool': '#!' })
  const second = await tree({ 'lib/b.js': 'second', 'lib/deep/c.js': 'second' })
  const target = fresh()
  await mergeDirectories([first, second], target)
  assert.equal(await readFile(join(target, 'lib/a.js'), 'utf8'), 'first')
  assert.equal(await readFile(join(target, 'lib/b.js'), 'utf8'), 'second')
  assert.equal(await readFile(join(target, 'lib/deep/c.js'), 'utf8'), 'second')
  assert.equal((await lstat(join(target, 'bin/tool'))).mode & 0o777, 0o755)
  assert.equal((await lstat(target)).mode & 0o777, 0o755)
  assert.equal(await readFile(join(first, 'lib/b.js'), 'utf8'), 'first')
})

test('files are hard links, so that merging costs no space', async () => {
  const source = await tree({ 'lib/a.js': 'x' })
  const target = fresh()
  await mergeDirectories([source], target)
  assert.equal((await stat(join(target, 'lib/a.js'))).ino, (await stat(join(source, 'lib/a.js'))).ino)
})

test('a file replaces a directory and a directory replaces a file', async () => {
  const first = await tree({ 'a/inside': '1', b: '1' })
  const second = await tree({ a: '2', 'b/inside': '2' })
  const target = fresh()
  await mergeDirectories([first, second], target)
  assert.equal(await readFile(join(target, 'a'), 'utf8'), '2')
  assert.equal(await readFile(join(target, 'b/inside'), 'utf8'), '2')
})

test('links stay links and nothing is written through one', async () => {
  const elsewhere = await tree({ keep: 'kept' })
  const first = await tree({ lib: `-> ${elsewhere}`, current: '-> lib' })
  const second = await tree({ 'lib/keep': 'new' })
  const target = fresh()
  await mergeDirectories([first, second], target)
  assert.equal(await readFile(join(elsewhere, 'keep'), 'utf8'), 'kept')
  assert.equal(await readFile(join(target, 'lib/keep'), 'utf8'), 'new')
  assert.equal(await readlink(join(target, 'current')), 'lib')
})

test('no source gives an empty directory', async () => {
  const target = fresh()
  await mergeDirectories([], target)
  assert.deepEqual(await readdir(target), [])
})

test('a source that cannot be read leaves nothing behind', async () => {
  const target = fresh()
  await assert.rejects(mergeDirectories([await tree({ a: '1' }), join(root, 'missing')], target), {
    code: 'ENOENT',
  })
  assert.ok(!(await readdir(root)).some((name) => name.includes('partial') || target.endsWith(name)))
})
