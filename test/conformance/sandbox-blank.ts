/** Cases of the sandbox suite: a sandbox that is given to a function after a guest has started in it. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  finish,
  firstOutput,
  runShell,
  startNode,
  startShell,
  text,
  tracesAfterAWhile,
  type SandboxCase,
} from './sandbox-rig.ts'

/** A guest that waits for a line on descriptor 3 and then runs it. */
const WAITING = 'echo up; read line <&3; eval "$line"'

export const blankCases: readonly SandboxCase[] = [
  {
    behaviour: 'code and layers appear under a guest that runs already',
    run: (rig) =>
      rig.withinBlank(async (sandbox, become) => {
        const guest = await startShell(sandbox, WAITING, { control: true })
        assert.equal(await firstOutput(guest), 'up\n')
        await become()
        const { task, opt } = sandbox.paths
        guest.control?.write(`cd ${task} && cat hello.txt ${opt}/layer.txt && pwd -P\n`)
        assert.equal(await text(guest.stdout), `code of the function\na layer\n${task}\n`)
        // The same for a process that is started later.
        assert.equal((await runShell(sandbox, 'cat hello.txt')).stdout, 'code of the function\n')
      }),
  },
  {
    behaviour:
      'what appears is read-only from its first moment, and nothing of the place before can be written',
    run: (rig) =>
      rig.withinBlank(async (sandbox, become) => {
        const guest = await startShell(
          sandbox,
          'for at in /var/task /var/task/lib /opt; do echo x > $at/mine; done; ' +
            'echo up; while ! [ -e /var/task/hello.txt ]; do echo x > /var/task/hello.txt; done; ' +
            'echo x >> /var/task/hello.txt; cat /var/task/hello.txt; ls /var/task /opt',
        )
        await firstOutput(guest)
        await become()
        const output = await finish(guest)
        assert.equal(
          output.stdout,
          'code of the function\n/opt:\nlayer.txt\n\n/var/task:\nhello.txt\n',
          output.stderr,
        )
        assert.match(output.stderr, /Read-only file system/)
      }),
  },
  {
    behaviour:
      'the directories where a linker looks for libraries of a function are there before it is known',
    run: (rig) =>
      rig.withinBlank(async (sandbox) => {
        const output = await runShell(sandbox, 'ls -d /var/task/lib /opt/lib')
        assert.equal(output.stdout, '/opt/lib\n/var/task/lib\n')
      }),
  },
  {
    behaviour: 'it belongs to one function for ever',
    run: (rig) =>
      rig.withinBlank(async (_, become) => {
        await become()
        await assert.rejects(become(), /belongs to a function already/)
      }),
  },
  {
    behaviour: 'the memory limit is that of the function, for the guest that runs already',
    run: (rig) =>
      rig.withinBlank(async (sandbox, become) => {
        const source = `process.stdin; const fill = (mib) => Buffer.alloc(mib << 20, 1).length >> 20; console.log('up')
          setTimeout(() => { console.log(fill(200)); setTimeout(() => fill(400), 100) }, 500)`
        const guest = await startNode(sandbox, source)
        assert.equal(await firstOutput(guest), 'up\n')
        await become({ memoryMiB: 320 })
        const { stdout, exit } = await finish(guest)
        assert.equal(stdout, '200\n')
        assert.deepEqual(exit, { code: null, signal: 'SIGKILL', outOfMemory: true })
      }),
  },
  {
    behaviour: '/tmp has the size of the function, for the guest that runs already',
    run: (rig) =>
      rig.withinBlank(async (sandbox, become) => {
        const guest = await startShell(sandbox, WAITING, { control: true })
        assert.equal(await firstOutput(guest), 'up\n')
        await become({ tmpMiB: 128 })
        const script = 'ls $TMP_DIR; head -c 200000000 /dev/zero > $TMP_DIR/big; stat -c %s $TMP_DIR/big'
        guest.control?.write(`${script}\n`)
        const size = Number(await text(guest.stdout))
        assert.ok(size > 100_000_000 && size <= 128 << 20, `${size} bytes`)
      }),
  },
  {
    behaviour: 'what compiled the code before appears too, and files that a guest leaves can be collected',
    run: (rig) =>
      rig.withinBlank(async (sandbox, become) => {
        await become()
        const script =
          'cat $CACHE/known; cd $TMP_DIR; mkdir -p kept/group; printf 12345 > kept/group/a; echo > kept/group/b'
        const guest = await startShell(sandbox, `CACHE=${sandbox.paths.compiled}; ${script}`)
        assert.equal((await finish(guest)).stdout, 'compiled\n')
        const into = join(rig.directory, `collected-${sandbox.id}`)
        assert.equal(await sandbox.collect('kept', into), 6)
        assert.equal(readFileSync(join(into, 'group/a'), 'utf8'), '12345')
        assert.deepEqual(readdirSync(join(into, 'group')), ['a', 'b'])
      }),
  },
  {
    behaviour: 'no link, pipe or giant of a guest is collected',
    run: (rig) =>
      rig.withinBlank(async (sandbox, become) => {
        await become()
        const traps = [
          'ln -s /etc kept',
          'mkdir kept; ln -s /etc kept/group',
          'mkdir -p kept/group; ln -s /etc/passwd kept/group/file',
          'mkdir -p kept/group; mkfifo kept/group/file',
          'mkdir -p kept/group/deeper',
          'mkdir -p kept/group; truncate -s 50M kept/group/file',
          'mkdir -p kept; echo > kept/file',
          'true',
        ]
        for (const [at, trap] of traps.entries()) {
          const made = await runShell(sandbox, `cd $TMP_DIR; rm -rf kept; ${trap}`)
          assert.equal(made.exit.code, 0, made.stderr)
          const into = join(rig.directory, `trapped-${sandbox.id}-${at}`)
          await assert.rejects(sandbox.collect('kept', into), trap)
          const taken = readdirSync(into, { recursive: true, withFileTypes: true })
          assert.deepEqual(
            taken.filter((entry) => entry.isFile()).map(({ name }) => name),
            [],
            trap,
          )
        }
      }),
  },
  {
    behaviour: 'blank sandboxes see nothing of each other, also when one of them has become a function',
    run: (rig) =>
      rig.withinBlank((one, become) =>
        rig.withinBlank(async (other) => {
          const guest = await startShell(other, WAITING, { control: true })
          await firstOutput(guest)
          await become()
          assert.equal((await runShell(one, 'ls /opt')).stdout, 'layer.txt\n')
          guest.control?.write('ls /var/task /opt\n')
          assert.equal(await text(guest.stdout), '/opt:\nlib\n\n/var/task:\nlib\n')
        }),
      ),
  },
  {
    behaviour: 'destroying a blank sandbox leaves nothing behind, before and after it has become a function',
    async run(rig) {
      let id = ''
      for (const isOwned of [false, true]) {
        await rig.withinBlank(async (sandbox, become) => {
          id = sandbox.id
          const guest = await startShell(sandbox, WAITING, { control: true })
          await firstOutput(guest)
          if (isOwned) await become({ tmpMiB: 100 })
        })
        assert.deepEqual(await tracesAfterAWhile(id, rig.stateDirectory), [])
      }
    },
  },
]
