import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'

import { findRuntime } from '#contracts/runtime.ts'
import { findBootstrap } from '#data-plane/worker/runtimes/find-bootstrap.ts'
import { findNode } from '#data-plane/worker/runtimes/find-node.ts'
import { findPython } from '#data-plane/worker/runtimes/find-python.ts'
import { createRuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
import { isShowable, seenByGuests } from '#data-plane/worker/runtimes/search-path.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lambent-runtimes-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function program(path: string, source: string, mode = 0o755): Promise<string> {
  const file = join(root, path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, source)
  await chmod(file, mode)
  return file
}
const SELF = { executable: process.execPath, version: 'v26.10.0' }

test('Node: the one that runs this program serves its own major version', async () => {
  const found = await findNode({ major: '26', runtimesDirectory: root, path: '', self: SELF })
  assert.equal(found?.source, 'this program')
  assert.equal(found?.version, '26.10.0')
})

test('Node: the newest installed copy, compared as numbers', async () => {
  for (const version of ['22.9.0', '22.23.3', '20.1.0', '.partial-22']) {
    await program(`node/${version}/bin/node`, '#!/bin/sh\n')
  }
  const found = await findNode({ major: '22', runtimesDirectory: root, path: '', self: SELF })
  assert.equal(found?.version, '22.23.3')
  assert.equal(found?.source, 'installed')
  assert.equal(found?.lang, join(root, 'node/22.23.3'))
})

test('Node: one on PATH, when it says that it is of that version', async () => {
  await program('one/bin/node', '#!/bin/sh\necho v18.0.0\n')
  const right = await program('two/bin/node', '#!/bin/sh\necho v99.4.1\n')
  await program('two/include/node/node_version.h', '')
  const path = `${join(root, 'one/bin')}:relative:${join(root, 'two/bin')}`
  const found = await findNode({ major: '99', runtimesDirectory: root, path, self: SELF })
  assert.deepEqual(found, { version: '99.4.1', executable: right, lang: join(root, 'two'), source: 'host' })
  assert.equal(await findNode({ major: '98', runtimesDirectory: root, path, self: SELF }), undefined)
})

test('Python: what a candidate says about itself counts, not its name or place', async () => {
  await program('real/bin/python3.99', '#!/bin/sh\n')
  const shims = join(root, 'shims')
  await program('shims/python3.99', `#!/bin/sh\necho '["3.99.1", "${join(root, 'real')}"]'\n`)
  assert.deepEqual(await findPython({ release: '3.99', path: shims }), {
    version: '3.99.1',
    executable: join(root, 'real/bin/python3.99'),
    lang: join(root, 'real'),
    source: 'host',
  })
  // A shim without a version behind it, as pyenv's.
  await program('shims/python3.98', '#!/bin/sh\nexit 127\n')
  assert.equal(await findPython({ release: '3.98', path: shims }), undefined)
  // One release more or less is another runtime.
  await program('shims/python3.9', `#!/bin/sh\necho '["3.99.1", "${join(root, 'real')}"]'\n`)
  const nine = await findPython({ release: '3.9', path: shims })
  assert.ok(nine === undefined || nine.version.startsWith('3.9.'))
})

test('mounting: what guests see anyway is not mounted, and a home directory never is', () => {
  assert.equal(seenByGuests('/usr/local/bin/node'), true)
  assert.equal(seenByGuests('/usrlocal/bin/node'), false)
  for (const prefix of ['/', '/opt', '/home/me', '/Users/me', homedir(), '/root']) {
    assert.equal(isShowable(prefix), false, prefix)
  }
  for (const prefix of [
    '/home/me/.nvm/versions/node/v22.1.0',
    '/opt/node',
    join(homedir(), '.pyenv/versions/3.12.1'),
  ]) {
    assert.equal(isShowable(prefix), true, prefix)
  }
})

test('Node: one in a directory that holds other things too is not shown to guests', async () => {
  await program('mixed/bin/node', '#!/bin/sh\necho v99.4.1\n')
  const path = join(root, 'mixed/bin')
  assert.equal(await findNode({ major: '99', runtimesDirectory: root, path, self: SELF }), undefined)
})

const places = (task: string, opt?: string) => [
  { guest: '/var/task', host: join(root, task), shown: '/var/task' },
  { guest: '/opt', host: opt === undefined ? undefined : join(root, opt), shown: '/opt' },
]

test('bootstrap: the code comes before the layers', async () => {
  await program('task/bootstrap', '#!/bin/sh\n')
  await program('opt/bootstrap', '#!/bin/sh\n')
  assert.equal(await findBootstrap(places('task', 'opt')), '/var/task/bootstrap')
  assert.equal(await findBootstrap(places('none', 'opt')), '/opt/bootstrap')
})

test('bootstrap: what is there and cannot run is named as AWS names it', async () => {
  await program('plain/bootstrap', '#!/bin/sh\n', 0o644)
  await program('text/bootstrap', 'echo no interpreter line')
  await mkdir(join(root, 'directory/bootstrap'), { recursive: true })
  const foreign = Buffer.alloc(20)
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]).copy(foreign)
  foreign.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18)
  await mkdir(join(root, 'foreign'))
  await writeFile(join(root, 'foreign/bootstrap'), foreign, { mode: 0o755 })
  await mkdir(join(root, 'linked'))
  await symlink('nowhere', join(root, 'linked/bootstrap'))
  const messageOf = async (task: string) => {
    const found = await findBootstrap(places(task))
    return typeof found === 'string' ? found : found.message
  }
  assert.equal(await messageOf('plain'), 'fork/exec /var/task/bootstrap: permission denied')
  assert.equal(await messageOf('directory'), 'fork/exec /var/task/bootstrap: permission denied')
  assert.equal(
    await messageOf('linked'),
    "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
  )
  if (process.platform !== 'linux') return
  assert.equal(await messageOf('text'), 'fork/exec /var/task/bootstrap: exec format error')
  assert.equal(await messageOf('foreign'), 'fork/exec /var/task/bootstrap: exec format error')
})

test('runtime files: what cannot be had says what to do', async () => {
  const files = createRuntimeFiles({ runtimesDirectory: root, logger, path: '', fetchOnDemand: false })
  const java = findRuntime('java21')
  const provided = findRuntime('provided.al2023')
  const python = findRuntime('python3.15')
  assert.ok(java && provided && python)
  await assert.rejects(files.resolve(java), {
    code: 'InvalidRuntimeException',
    status: 502,
    message: /java21 is not available on this host\. This version runs nodejs20\.x, /,
  })
  assert.equal(await files.resolve(provided), undefined)
  const list = await files.list()
  assert.equal(list.length, 13)
  for (const status of list) {
    if (status.state === 'missing') assert.match(status.advice, /^Install Python 3\.\d+ /)
  }
  const missing = list.find((status) => status.state === 'missing')
  if (!missing) return
  await assert.rejects(files.resolve(missing.runtime), {
    message: new RegExp(`${missing.runtime.identifier} is not available on this host. Install Python`),
  })
})
