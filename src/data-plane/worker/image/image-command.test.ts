import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { imageCommand } from '#data-plane/worker/image/image-command.ts'
import { imageObstacle } from '#data-plane/worker/image/image-obstacle.ts'
import { imageExtensions } from '#data-plane/worker/image/image-extensions.ts'

import { installPrograms } from '../../../../test/support/image-files.ts'

const ENV = { PATH: '/usr/local/bin:/usr/bin:/bin' }
const CONFIG = { environment: [], user: '', workingDirectory: '/app' }

function makeRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'lambent-image-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const file = (path: string, text: string, mode = 0o755) => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
    chmodSync(join(root, path), mode)
  }
  file('app/run', '#!/bin/sh\n')
  file('app/text', 'no program')
  file('app/mine', '#!/bin/sh\n', 0o744)
  file('app/lost', '#!/opt/none -x\n')
  file('closed/run', '#!/bin/sh\n')
  chmodSync(join(root, 'closed'), 0o700)
  file('usr/bin/tool', '#! /bin/sh\n')
  file('usr/local/bin/tool', 'not executable', 0o644)
  installPrograms(root, ['/bin/sh'])
  symlinkSync('/usr/bin/tool', join(root, 'app/link'))
  return root
}

test('image command: each override replaces one setting of the image', async (t) => {
  const root = makeRoot(t)
  const config = { ...CONFIG, entrypoint: ['/app/run', 'one'], cmd: ['app.handler'] }
  const started = async (overrides: Parameters<typeof imageCommand>[1]) => {
    const command = await imageCommand({ root, config }, overrides, ENV)
    return 'argv' in command ? [command.cwd, ...command.argv] : command
  }
  assert.deepEqual(await started(undefined), ['/app', '/app/run', 'one', 'app.handler'])
  assert.deepEqual(await started({ command: ['other', 'x'] }), ['/app', '/app/run', 'one', 'other', 'x'])
  assert.deepEqual(await started({ entryPoint: ['/usr/bin/tool'] }), ['/app', '/usr/bin/tool', 'app.handler'])
  assert.deepEqual(await started({ workingDirectory: '/tmp' }), ['/tmp', '/app/run', 'one', 'app.handler'])
})

test('image command: the program is found as Go finds it, and where its links lead inside the image', async (t) => {
  const root = makeRoot(t)
  const found = async (...cmd: readonly string[]) => {
    const command = await imageCommand({ root, config: { ...CONFIG, entrypoint: [], cmd } }, undefined, ENV)
    return 'argv' in command ? command.argv : command.message
  }
  assert.deepEqual(await found('tool', 'x'), ['/usr/bin/tool', 'x'])
  assert.deepEqual(await found('./run'), ['/app/run'])
  assert.deepEqual(await found('/app/link'), ['/app/link'])
  assert.deepEqual(await found('/bin/sh', '-c', 'true'), ['/bin/sh', '-c', 'true'])
})

test('image command: what can not be started fails with the words of AWS', async (t) => {
  const root = makeRoot(t)
  const failure = async (cmd: readonly string[], workingDirectory = '/app') => {
    const config = { ...CONFIG, entrypoint: [], cmd, workingDirectory }
    const command = await imageCommand({ root, config }, undefined, ENV)
    assert.ok('errorType' in command)
    assert.deepEqual(command.report, { status: 'error', errorType: command.errorType })
    return `${command.errorType} ${command.message}`
  }
  const entrypoint = (words: string) => `Runtime.InvalidEntrypoint ${words}`
  assert.equal(await failure([]), entrypoint("Couldn't find valid bootstrap(s): []"))
  assert.equal(
    await failure(['app.handler']),
    entrypoint('exec: "app.handler": executable file not found in $PATH'),
  )
  for (const [program, problem] of [
    ['/app/none', 'no such file or directory'],
    ['/app/lost', 'no such file or directory'],
    ['/app/text', 'exec format error'],
    ['/app/mine', 'permission denied'],
    ['/closed/run', 'permission denied'],
    ['/app', 'permission denied'],
  ] as const)
    assert.equal(await failure([program]), entrypoint(`fork/exec ${program}: ${problem}`))
  const directory = (words: string) => `Runtime.InvalidWorkingDir ${words}`
  assert.equal(
    await failure(['/app/run'], 'app'),
    directory("the working directory 'app' is invalid, it needs to be an absolute path"),
  )
  assert.equal(await failure(['/app/run'], '/none'), directory("the working directory doesn't exist: /none"))
  assert.equal(await failure(['/app/run'], '/app/text'), entrypoint('fork/exec /app/run: not a directory'))
})

test('image obstacle: on a capacity provider the entry point is asked for beforehand, and must be a path', async (t) => {
  const root = makeRoot(t)
  const reasonOf = async (entrypoint: readonly string[], more: object = {}) => {
    const managedInstances = { capacityProvider: 'cp', maxConcurrency: 1, memoryGiBPerVCpu: 2 }
    const image = { root, config: { ...CONFIG, entrypoint, cmd: [] } }
    return (await imageObstacle({ managedInstances, ...more }, image))?.code
  }
  assert.equal(await reasonOf(['/app/run']), undefined)
  for (const program of ['/app/none', '/app/text', 'tool', ''])
    assert.equal(await reasonOf([program]), 'FunctionError.InvalidEntryPoint', program)
  const elsewhere = { imageOverrides: { workingDirectory: '/none' } }
  assert.equal(await reasonOf(['/app/run'], elsewhere), 'FunctionError.InvalidWorkingDirectory')
  assert.equal(await reasonOf(['tool'], { managedInstances: undefined }), undefined)
})

test('image extensions: files of /opt/extensions in the order of their names, wherever a link has them', (t) => {
  const root = makeRoot(t)
  assert.deepEqual(imageExtensions(root), [])
  mkdirSync(join(root, 'parts/extensions/folder'), { recursive: true })
  symlinkSync('/parts', join(root, 'opt'))
  writeFileSync(join(root, 'parts/extensions/b'), '', { mode: 0o755 })
  writeFileSync(join(root, 'parts/extensions/a'), '', { mode: 0o744 })
  symlinkSync('/nowhere', join(root, 'parts/extensions/c'))
  assert.deepEqual(imageExtensions(root), [
    { name: 'a', executable: false },
    { name: 'b', executable: true },
    { name: 'c', executable: false },
  ])
})
