/** Cases of the sandbox suite: processes beside the main one, and connections to what listens inside. */
import assert from 'node:assert/strict'
import { once } from 'node:events'

import type { Guest, Sandbox } from '#data-plane/sandbox/port.ts'

import {
  finish,
  firstOutput,
  startNode,
  startShell,
  tracesAfterAWhile,
  type SandboxCase,
} from './sandbox-rig.ts'

const beside = (sandbox: Sandbox, script: string): Promise<Guest> =>
  sandbox.startBeside({
    argv: ['/bin/sh', '-c', script],
    env: { PATH: '/usr/bin:/bin', MARK: 'beside' },
    cwd: '/',
    control: false,
  })

export const besideCases: readonly SandboxCase[] = [
  {
    behaviour: 'a process beside the main one has its own output, environment and end, before and after it',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const early = await finish(await beside(sandbox, 'echo $MARK; exit 3'))
        assert.deepEqual([early.stdout, early.exit.code], ['beside\n', 3])
        const main = await startShell(sandbox, 'echo main; exec sleep 60')
        await firstOutput(main)
        const late = await finish(await beside(sandbox, 'echo $MARK >&2; kill -9 $$'))
        assert.deepEqual([late.stderr, late.exit.signal], ['beside\n', 'SIGKILL'])
        let ended = false
        void main.exited.then(() => (ended = true))
        await new Promise((resolve) => setTimeout(resolve, 50))
        assert.equal(ended, false, 'the main process goes on')
      }),
  },
  {
    behaviour: 'processes of one sandbox share its /tmp',
    run: (rig) =>
      rig.within(async (sandbox) => {
        await finish(await beside(sandbox, `echo shared >${sandbox.paths.tmp}/file`))
        const { stdout } = await finish(await startShell(sandbox, `cat ${sandbox.paths.tmp}/file`))
        assert.equal(stdout, 'shared\n')
      }),
  },
  {
    behaviour: 'a process beside the main one takes a signal, and ends with the next run of the main one',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const polite = await beside(
          sandbox,
          'trap "echo bye; exit 0" TERM; echo on; while :; do sleep 0.05; done',
        )
        await firstOutput(polite)
        polite.signal('SIGTERM')
        assert.equal((await polite.exited).code, 0)
        await firstOutput(await startShell(sandbox, 'echo main; exec sleep 60'))
        const stubborn = await beside(sandbox, 'trap "" TERM; echo on; while :; do sleep 0.05; done')
        await firstOutput(stubborn)
        await finish(await startShell(sandbox, 'true'))
        assert.equal((await stubborn.exited).signal, 'SIGKILL')
      }),
  },
  {
    behaviour: 'a process beside the main one is gone with the sandbox',
    async run(rig) {
      const sandbox = await rig.create()
      await firstOutput(await beside(sandbox, 'trap "" TERM; echo on; while :; do sleep 0.05; done'))
      await sandbox.destroy()
      assert.deepEqual(await tracesAfterAWhile(sandbox.id, rig.stateDirectory), [])
    },
  },
  {
    behaviour: 'what listens on the loopback inside can be reached, and what does not listen is refused',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const source = `const s = require('net').createServer((c) => c.on('data', (d) => c.end('got ' + d)));
          s.listen(0, '127.0.0.1', () => console.log(s.address().port)); setTimeout(() => {}, 60000)`
        const port = Number(await firstOutput(await startNode(sandbox, source)))
        const socket = await sandbox.connect(port)
        let answer = ''
        socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
        socket.write('hello')
        await once(socket, 'close')
        assert.equal(answer, 'got hello')
        await assert.rejects(sandbox.connect(1))
      }),
  },
]
