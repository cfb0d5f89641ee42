/** Cases of the sandbox suite: streams, exits, restart, signals, destruction. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import {
  finish,
  firstOutput,
  runShell,
  spawnersOf,
  startNode,
  startShell,
  text,
  tracesAfterAWhile,
  tracesOf,
  type SandboxCase,
} from './sandbox-rig.ts'

export const lifeCases: readonly SandboxCase[] = [
  {
    behaviour: 'what a guest prints arrives whole, each stream on its own',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const output = await runShell(
          sandbox,
          'echo out; echo err >&2; head -c 300000 /dev/zero | tr "\\0" x',
        )
        assert.equal(output.stdout.length, 300_004)
        assert.equal(output.stderr, 'err\n')
      }),
  },
  {
    behaviour: '/dev/stdout and /dev/stderr can be opened by path',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const output = await runShell(sandbox, 'echo one >/dev/stdout; echo two >/dev/stderr')
        assert.deepEqual([output.stdout, output.stderr], ['one\n', 'two\n'])
      }),
  },
  {
    behaviour: 'standard input is empty',
    run: (rig) =>
      rig.within(async (sandbox) => assert.equal((await runShell(sandbox, 'cat; echo end')).stdout, 'end\n')),
  },
  {
    behaviour: 'descriptor 3 carries bytes both ways and blocks a guest that reads',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const guest = await startShell(sandbox, 'read line <&3; echo "got $line" >&3', { control: true })
        assert.ok(guest.control)
        await new Promise((resolve) => setTimeout(resolve, 20))
        guest.control.write('ping\n')
        assert.equal(await text(guest.control), 'got ping\n')
        assert.equal((await finish(guest)).exit.code, 0)
      }),
  },
  {
    behaviour: 'without control there is no descriptor 3',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const { exit } = await runShell(sandbox, '[ ! -e /proc/self/fd/3 ]')
        assert.equal(exit.code, 0)
      }),
  },
  {
    behaviour: 'exit codes, also of a program that is not there',
    run: (rig) =>
      rig.within(async (sandbox) => {
        assert.deepEqual((await runShell(sandbox, 'exit 42')).exit, {
          code: 42,
          signal: null,
          outOfMemory: false,
        })
        const missing = await sandbox.start({
          argv: ['/nowhere/bootstrap'],
          env: {},
          cwd: '/',
          control: false,
        })
        assert.equal((await finish(missing)).exit.code, 127)
      }),
  },
  {
    behaviour: 'a guest that a signal ends is reported with the signal',
    run: (rig) =>
      rig.within(async (sandbox) => {
        assert.deepEqual((await runShell(sandbox, 'kill -SEGV $$')).exit, {
          code: null,
          signal: 'SIGSEGV',
          outOfMemory: false,
        })
      }),
  },
  {
    behaviour: 'SIGTERM reaches the main process, and one that ignores it still dies by SIGKILL',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const polite = await startShell(
          sandbox,
          'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.02; done',
        )
        assert.equal(await firstOutput(polite), 'up\n')
        polite.signal('SIGTERM')
        assert.equal((await polite.exited).code, 5)
        const stubborn = await startShell(sandbox, 'trap "" TERM; echo up; while :; do sleep 0.02; done')
        assert.equal(await firstOutput(stubborn), 'up\n')
        stubborn.signal('SIGTERM')
        stubborn.signal('SIGKILL')
        assert.deepEqual(await stubborn.exited, { code: null, signal: 'SIGKILL', outOfMemory: false })
      }),
  },
  {
    behaviour: 'the guest has its own environment variables and not one of the host',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const guest = await sandbox.start({
          argv: ['/usr/bin/env'],
          env: { NAME: 'value with = and\nnewline', EMPTY: '' },
          cwd: '/',
          control: false,
        })
        const { stdout } = await finish(guest)
        // A shell that starts the guest may leave these behind; AWS's guests have them too.
        const lines = stdout
          .split('\n')
          .filter((line) => !/^(PWD|OLDPWD|SHLVL|_|_LAMBENT_SANDBOX)=/.test(line))
        assert.deepEqual(lines.toSorted(), ['', 'EMPTY=', 'NAME=value with = and', 'newline'])
      }),
  },
  {
    behaviour: 'a restart kills everything of the run before and keeps /tmp',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const script = 'setsid sleep 7654321 & echo kept > $TMP_DIR/file; echo up; exec sleep 7654321'
        const first = await startShell(sandbox, script)
        assert.equal(await firstOutput(first), 'up\n')
        const second = await startShell(sandbox, 'cat $TMP_DIR/file; ps -A -o args | grep -c "[7]654321"')
        assert.equal((await first.exited).signal, 'SIGKILL')
        assert.equal((await finish(second)).stdout, 'kept\n0\n')
      }),
  },
  {
    behaviour: 'code, layers and interpreter are where the paths say',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const output = await runShell(
          sandbox,
          `cat ${sandbox.paths.task}/hello.txt; ls ${sandbox.paths.opt}; pwd`,
        )
        assert.equal(output.stdout, `code of the function\n${sandbox.paths.task}\n`)
        const node = await finish(await startNode(sandbox, 'console.log("node", 6 * 7)'))
        assert.equal(node.stdout, 'node 42\n', node.stderr)
      }),
  },
  {
    behaviour: 'a listener is reached by the guest',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const { server, address } = await sandbox.listen()
        server.on('connection', (socket) => socket.end('hello from outside'))
        const [host, port] = address.split(':')
        const source = `require('net').connect(${port},'${host}').pipe(process.stdout)`
        const output = await finish(await startNode(sandbox, source))
        server.close()
        assert.equal(output.stdout, 'hello from outside', output.stderr)
      }),
  },
  {
    behaviour: 'destroying leaves nothing behind, at any time and twice',
    async run(rig) {
      const sandbox = await rig.create()
      const guest = await startShell(sandbox, `setsid sleep 7654321 & echo up; sleep 1234567 # ${sandbox.id}`)
      assert.equal(await firstOutput(guest), 'up\n')
      assert.notDeepEqual(tracesOf(sandbox.id, rig.stateDirectory), [])
      await Promise.all([sandbox.destroy(), sandbox.destroy()])
      assert.equal((await guest.exited).signal, 'SIGKILL')
      assert.deepEqual(await tracesAfterAWhile(sandbox.id, rig.stateDirectory), [])
      await assert.rejects(startShell(sandbox, 'true'), /destroyed/)
    },
  },
  {
    behaviour: 'a serving process that is killed takes its sandboxes with it',
    run: (rig) => killAgent(rig.directory, rig.driver.report.driver, 'alone'),
  },
  {
    behaviour: 'it does so even when its state directory is deleted at the same time',
    run: (rig) => killAgent(rig.directory, rig.driver.report.driver, 'with-files'),
  },
  {
    behaviour: 'when the spawner is killed too, the next agent sweeps',
    run: (rig) => killAgent(rig.directory, rig.driver.report.driver, 'with-spawner'),
  },
  {
    behaviour: 'when the spawner dies its guests end, and new sandboxes start with another one',
    async run(rig) {
      const sandbox = await rig.create()
      const guest = await startShell(sandbox, `echo up; sleep 1234567 # ${sandbox.id}`)
      await firstOutput(guest)
      for (const pid of spawnersOf(rig.stateDirectory)) process.kill(pid, 'SIGKILL')
      assert.deepEqual(await guest.exited, { code: null, signal: 'SIGKILL', outOfMemory: false })
      assert.equal(await rig.within(async (next) => (await runShell(next, 'echo new')).stdout), 'new\n')
      await assert.rejects(startShell(sandbox, 'true'), /lost/)
      await sandbox.destroy()
      assert.deepEqual(await tracesAfterAWhile(sandbox.id, rig.stateDirectory), [])
    },
  },
  {
    behaviour: 'nothing of the host has changed its owner',
    async run(rig) {
      await rig.within((sandbox) => runShell(sandbox, 'true'))
      assert.equal(statSync('/dev/null').uid, 0)
    },
  },
]

async function killAgent(
  directory: string,
  driver: string,
  how: 'alone' | 'with-files' | 'with-spawner',
): Promise<void> {
  const stateDirectory = join(directory, `victim-${how}`)
  mkdirSync(stateDirectory)
  const program = fileURLToPath(new URL('../support/sandbox-victim.ts', import.meta.url))
  const args = ['--conditions=source', program, driver, stateDirectory]
  const victim = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const early = once(victim, 'exit').then(() => Promise.reject(new Error('The agent did not start')))
  const [line] = (await Promise.race([once(victim.stdout, 'data'), early])) as [Buffer]
  const { id, spawnerPid } = JSON.parse(String(line)) as { readonly id: string; readonly spawnerPid: number }
  assert.notDeepEqual(tracesOf(id, stateDirectory), [])
  early.catch(() => {})
  const died = once(victim, 'exit')
  victim.kill('SIGKILL')
  // The spawner removes the same files at the same time.
  if (how === 'with-files') rmSync(stateDirectory, { recursive: true, maxRetries: 5 })
  if (how === 'with-spawner') {
    process.kill(spawnerPid, 'SIGKILL')
    await died
    assert.ok(existsSync(join(stateDirectory, 'sandboxes', id)))
    const sweeper = spawn(process.execPath, [...args, 'sweep'], { stdio: ['ignore', 'pipe', 'inherit'] })
    assert.equal(await text(sweeper.stdout), 'swept 1\n')
  }
  assert.deepEqual(await tracesAfterAWhile(id, stateDirectory), [])
}
