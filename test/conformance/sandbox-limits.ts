/** Cases of the sandbox suite: memory, CPU, files, processes, freezing. */
import assert from 'node:assert/strict'

import { finish, firstOutput, runShell, startNode, startShell, type SandboxCase } from './sandbox-rig.ts'

const FILL_MEMORY = 'const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))'

export const limitCases: readonly SandboxCase[] = [
  {
    behaviour: 'a guest that takes more memory than it may is killed and reported so, and can start again',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const output = await finish(await startNode(sandbox, FILL_MEMORY))
        assert.deepEqual(output.exit, { code: null, signal: 'SIGKILL', outOfMemory: true })
        assert.equal((await runShell(sandbox, 'echo again')).stdout, 'again\n')
      }),
  },
  {
    behaviour: 'peak memory is measured over the whole life of the sandbox',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const source = `setInterval(() => {}, 1000); Buffer.alloc(40 << 20, 1); console.log('up')`
        const guest = await startNode(sandbox, source)
        assert.equal(await firstOutput(guest), 'up\n')
        const peakMiB = sandbox.peakMemoryMiB()
        assert.ok(peakMiB !== undefined && peakMiB >= 40 && peakMiB <= 128, `${peakMiB} MiB`)
        guest.signal('SIGKILL')
        await guest.exited
        await runShell(sandbox, 'true')
        const laterMiB = sandbox.peakMemoryMiB()
        assert.ok(laterMiB !== undefined && laterMiB >= peakMiB, `${laterMiB} MiB`)
      }),
  },
  {
    behaviour: '/tmp has a size of its own',
    run: (rig) =>
      rig.within(
        async (sandbox) => {
          const script = 'head -c 200000000 /dev/zero > $TMP_DIR/big; echo $?; stat -c %s $TMP_DIR/big'
          const { stdout, stderr } = await runShell(sandbox, script)
          const [code, size] = stdout.trim().split('\n').map(Number)
          assert.equal(code, 1)
          assert.ok(size !== undefined && size > 40_000_000 && size <= 64 << 20, `${size} bytes`)
          assert.match(stderr, /No space left on device/)
        },
        { tmpMiB: 64 },
      ),
  },
  {
    behaviour: '/tmp does not count as memory',
    run: (rig) =>
      rig.within(
        async (sandbox) => {
          const script = 'head -c 150000000 /dev/zero > $TMP_DIR/big; stat -c %s $TMP_DIR/big'
          assert.equal((await runShell(sandbox, script)).stdout, '150000000\n')
        },
        { tmpMiB: 256, memoryMiB: 64 },
      ),
  },
  {
    behaviour: 'a fork bomb stays small and ends with its sandbox',
    run: (rig) =>
      rig.within(
        async (sandbox) => {
          const { stderr, stdout } = await runShell(
            sandbox,
            'for i in $(seq 100); do sleep 7654321 >/dev/null 2>&1 & done; echo started',
          )
          assert.match(stderr, /fork/i)
          assert.equal(stdout.includes('started'), false)
          // Fresh start, fresh allowance.
          assert.equal((await runShell(sandbox, 'echo again')).stdout, 'again\n')
        },
        { processes: 30 },
      ),
  },
  {
    behaviour: 'a fork bomb of the shell can be destroyed',
    async run(rig) {
      const sandbox = await rig.create({ processes: 50 })
      const guest = await startShell(sandbox, 'echo up; bomb() { bomb | bomb & }; bomb; sleep 100')
      await firstOutput(guest)
      guest.stderr.resume()
      await sandbox.destroy()
      await guest.exited
    },
  },
  {
    behaviour: 'open files are limited',
    run: (rig) =>
      rig.within(
        async (sandbox) =>
          assert.equal((await runShell(sandbox, 'ulimit -n; ulimit -Hn')).stdout, '100\n100\n'),
        { openFiles: 100 },
      ),
  },
  {
    behaviour: 'the CPU share holds from limitCpu on, and not for a new start',
    run: (rig) =>
      rig.within(
        async (sandbox) => {
          const source = `const spin = () => { const t = process.cpuUsage().user; const s = performance.now(); while (performance.now() - s < 300); console.log((process.cpuUsage().user - t) / 300_000) }; spin(); process.stdin; setTimeout(spin, 150)`
          const guest = await startNode(sandbox, source)
          const free = Number(await firstOutput(guest))
          sandbox.limitCpu()
          const limited = Number(await firstOutput(guest))
          // Other work may take CPU from both, so only their order and a wide bound are certain.
          assert.ok(limited < free && limited < 0.45, `${free} cores before, ${limited} after`)
          await guest.exited
          const again = await startNode(sandbox, source)
          const anew = Number(await firstOutput(again))
          assert.ok(limited < anew, `${anew} cores after a new start`)
          again.signal('SIGKILL')
          await again.exited
        },
        { vcpus: 0.25 },
      ),
  },
  {
    behaviour: 'a frozen guest stands still, goes on when thawed, and can be killed while frozen',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const guest = await startNode(sandbox, `let n = 0; setInterval(() => console.log(++n), 5)`)
        await firstOutput(guest)
        sandbox.freeze()
        // The freeze comes some milliseconds after the call, and what was on its way then still arrives.
        await linesWithin(guest.stdout, 150)
        assert.equal(await linesWithin(guest.stdout, 60), 0, 'lines while frozen')
        sandbox.thaw()
        await firstOutput(guest)
        sandbox.freeze()
        await linesWithin(guest.stdout, 150)
        guest.signal('SIGKILL')
        assert.equal((await guest.exited).signal, 'SIGKILL')
        const again = await startShell(sandbox, 'echo up; sleep 1234567')
        await firstOutput(again)
        sandbox.freeze()
      }),
  },
]

/** Chunks that arrive in `ms`. */
function linesWithin(stream: NodeJS.ReadableStream, ms: number): Promise<number> {
  return new Promise((resolve) => {
    let count = 0
    const onData = () => count++
    stream.on('data', onData)
    setTimeout(() => {
      stream.off('data', onData)
      resolve(count)
    }, ms)
  })
}
