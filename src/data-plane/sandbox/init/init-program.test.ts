import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { CODE, initProgram } from './init-program.ts'

function installed(t: TestContext, arch?: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'lambent-init-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'init')
  const program = initProgram(arch)
  assert.ok(program)
  writeFileSync(file, program)
  chmodSync(file, 0o755)
  return file
}

const skip = process.platform === 'linux' && initProgram() ? false : 'not a Linux that it is made for'

test(
  'init program: becomes another program, with an empty input and without a HOME that stands for none',
  { skip },
  (t) => {
    const file = installed(t)
    const run = (env: Record<string, string>) =>
      spawnSync(file, ['/bin/sh', '-c', 'cat; env | sort; exit 3', 'x'], {
        env,
        input: 'ignored',
        encoding: 'utf8',
      })
    const bare = run({ A: '1', HOME: '--', B: '2' })
    assert.equal(bare.status, 3)
    assert.match(bare.stdout, /^A=1\nB=2\nPWD=/)
    for (const HOME of ['/home/me', '--x', '-', ''])
      assert.match(run({ A: '1', HOME }).stdout, new RegExp(`^A=1\nHOME=${HOME}\nPWD=`))
    assert.equal(spawnSync(file, ['/nowhere'], { env: {} }).status, 127)
  },
)

test('init program: without arguments it waits until it is killed', { skip }, async (t) => {
  const child = spawn(installed(t), [], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  // It has become what it is when its name is no longer ours.
  while (readFileSync(`/proc/${child.pid}/comm`, 'utf8') !== 'init\n') await new Promise(setImmediate)
  child.kill('SIGKILL')
  assert.equal(await ended, 'SIGKILL')
})

for (const [arch, prefix] of [
  ['x64', process.arch === 'x64' ? '' : 'x86_64-linux-gnu-'],
  ['arm64', process.arch === 'arm64' ? '' : 'aarch64-linux-gnu-'],
] as const) {
  const none = spawnSync(`${prefix}as`, ['--version']).error ? 'no assembler for it here' : false
  test(`init program: its bytes for ${arch} are what its source says`, { skip: none }, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'lambent-init-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const [object, code] = [join(directory, 'init.o'), join(directory, 'init')]
    spawnSync(`${prefix}as`, [join(import.meta.dirname, `${arch}.s`), '-o', object])
    spawnSync(`${prefix}objcopy`, ['-O', 'binary', '-j', '.text', object, code])
    assert.equal(readFileSync(code).toString('base64'), CODE[arch])
  })
}
