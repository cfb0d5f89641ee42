/** Cases of the sandbox suite: what a guest must not see or do. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'

import { finish, firstOutput, runShell, startNode, startShell, type SandboxCase } from './sandbox-rig.ts'

export const isolationCases: readonly SandboxCase[] = [
  {
    behaviour: 'the root is read-only, /tmp is not',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const places = ['/x', '/usr/x', '/etc/x', '/var/task/x', '/opt/x', '/var/lang/x', '/dev/shm/../x']
        const script = `for f in ${places.join(' ')}; do touch $f 2>/dev/null && echo wrote $f; done; touch /tmp/x && echo ok`
        assert.equal((await runShell(sandbox, script)).stdout, 'ok\n')
      }),
  },
  {
    behaviour: 'files of the host are not there',
    run: (rig) =>
      rig.within(async (sandbox) => {
        writeFileSync(join(rig.directory, 'secret'), 'of the host')
        const script = `cat ${rig.directory}/secret /etc/shadow /etc/hostname; ls -A /root /home /var/lib /run`
        const { stdout } = await runShell(sandbox, script)
        assert.equal(stdout.replaceAll(/^(\/run:)?\n/gm, ''), '')
      }),
  },
  {
    behaviour: 'processes of the host are not there',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const script = `ls /proc | grep -c '^[0-9]'; [ -e /proc/${process.pid} ] && echo seen; kill -0 ${process.pid} && echo reached`
        const [count, ...rest] = (await runShell(sandbox, script)).stdout.trim().split('\n')
        assert.ok(Number(count) < 8, `${count} processes`)
        assert.deepEqual(rest, [])
      }),
  },
  {
    behaviour: 'the guest is an ordinary user without capabilities and can gain none',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const script = `id -un; id -u; grep -E '^(CapPrm|CapEff|CapBnd|NoNewPrivs)' /proc/self/status | tr -s '\\t' ' '`
        assert.equal(
          (await runShell(sandbox, script)).stdout,
          'sbx_user1051\n993\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\nCapBnd: 0000000000000000\nNoNewPrivs: 1\n',
        )
      }),
  },
  {
    behaviour: 'the guest can make no namespaces and no mounts',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const script = `unshare -U true && echo user; unshare -r -n true && echo net; mount -t tmpfs x /tmp && echo mount; nsenter -t 1 -m true && echo enter; chroot / true && echo chroot`
        assert.equal((await runShell(sandbox, script)).stdout, '')
      }),
  },
  {
    behaviour: 'nothing that a guest is started with adds to the command that isolates it',
    run: (rig) =>
      rig.within(async (sandbox) => {
        const trick = 'x\0--ro-bind\0/\0/mnt'
        const command = { argv: ['/bin/sh', '-c', 'ls /mnt'], env: {}, cwd: '/', control: false }
        for (const change of [{ env: { TRICK: trick } }, { argv: [...command.argv, trick] }, { cwd: trick }])
          await assert.rejects(sandbox.start({ ...command, ...change }), /zero byte/)
        assert.equal((await runShell(sandbox, 'echo fine')).stdout, 'fine\n')
      }),
  },
  {
    behaviour: 'services on the loopback of the host are out of reach',
    async run(rig) {
      const server = createServer((socket) => socket.end('private'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      try {
        await rig.within(async (sandbox) => {
          const source = `const s=require('net').connect(${port},'127.0.0.1');s.pipe(process.stdout);s.on('error',e=>console.log(e.code))`
          assert.equal((await finish(await startNode(sandbox, source))).stdout, 'ECONNREFUSED\n')
        })
      } finally {
        server.close()
      }
    },
  },
  {
    behaviour: 'the endpoint is reached under the address that the driver names',
    async run(rig) {
      await rig.within(async (sandbox) => {
        const source = `fetch(process.argv[1]).then(r=>r.text()).then(console.log,e=>console.log(e.cause))`
        const guest = await startNode(
          sandbox,
          source.replace('process.argv[1]', `'${rig.driver.endpointFor(rig.endpointPort)}'`),
        )
        assert.equal((await finish(guest)).stdout, 'endpoint\n')
      })
    },
  },
  {
    behaviour: 'two sandboxes see nothing of each other',
    run: (rig) =>
      rig.within((one) =>
        rig.within(async (other) => {
          const guest = await startShell(one, 'echo mine > /tmp/mine; echo up; exec sleep 7654321')
          await firstOutput(guest)
          const { stdout } = await runShell(other, 'ls -A /tmp; ps -A -o args | grep "[7]654321"')
          assert.equal(stdout, '')
        }),
      ),
  },
]
