import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { cgroupsPath, describeOciRuntime, runtimeCommand } from './runtime-options.ts'

test('OCI runtimes: what one is given depends on the options that it has', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'lambent-oci-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const program = (name: string, help: string) => {
    const path = join(directory, name)
    writeFileSync(path, `#!/bin/sh\necho '${help}'\n`, { mode: 0o755 })
    return describeOciRuntime(path, '/state')
  }
  const crun = program('crun', '--root --cgroup-manager=MANAGER')
  assert.deepEqual(runtimeCommand(crun, '/net'), [
    crun.program,
    '--root',
    '/state',
    '--cgroup-manager',
    'disabled',
  ])
  assert.equal(cgroupsPath(crun, 'abcd'), undefined)
  const runc = program('runc', '--root --systemd-cgroup')
  assert.deepEqual(runtimeCommand(runc, '/net'), [
    'nsenter',
    '--net=/net',
    '--',
    runc.program,
    '--root',
    '/state',
  ])
  assert.deepEqual(runtimeCommand(runc, undefined), [runc.program, '--root', '/state'])
  assert.equal(cgroupsPath(runc, 'abcd'), '/lambent/abcd')
  assert.equal(describeOciRuntime(join(directory, 'none'), '/state').leavesCgroups, false)
})
