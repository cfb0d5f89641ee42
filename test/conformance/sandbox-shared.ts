/** Cases of the sandbox suite: directories that several sandboxes write to, and networks that are closed. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { SandboxSpec } from '#data-plane/sandbox/port.ts'
import { systemRandom } from '#kernel/random.ts'

import { finish, runShell, startNode, type Rig, type SandboxCase } from './sandbox-rig.ts'

/** Makes a sandbox with these members, hands it over and destroys it. */
async function within<T>(
  rig: Rig,
  more: Partial<SandboxSpec>,
  use: (sandbox: Awaited<ReturnType<Rig['create']>>) => Promise<T>,
): Promise<T> {
  const sandbox = await rig.create({}, more)
  try {
    return await use(sandbox)
  } finally {
    await sandbox.destroy()
  }
}

const sharedIn = (source: string) => ({
  shared: [{ source, target: '/mnt/data', owner: systemRandom.hex(17) }],
})

export const sharedCases: readonly SandboxCase[] = [
  {
    behaviour:
      'a shared directory is made, is written by one sandbox, read and changed by another, and stays',
    async run(rig) {
      const source = join(rig.directory, `shared-${systemRandom.hex(8)}`)
      const spec = sharedIn(source)
      await within(rig, spec, async (one) => {
        const script = 'mkdir /mnt/data/dir && echo first > /mnt/data/dir/file && echo ok'
        assert.equal((await runShell(one, script)).stdout, 'ok\n')
      })
      await within(rig, spec, async (other) => {
        const script =
          'cat /mnt/data/dir/file && echo second >> /mnt/data/dir/file && rm -r /mnt/data/dir && mkdir /mnt/data/new && echo last > /mnt/data/new/file'
        assert.equal((await runShell(other, script)).stdout, 'first\n')
      })
      assert.equal(readFileSync(join(source, 'new/file'), 'utf8'), 'last\n')
      assert.ok(!existsSync(join(source, 'dir')))
    },
  },
  {
    behaviour: 'beside a shared directory there is nothing, and it is not there for others',
    async run(rig) {
      const source = join(rig.directory, `shared-${systemRandom.hex(8)}`)
      mkdirSync(source, { mode: 0o777 })
      writeFileSync(join(source, 'there'), 'before')
      await within(rig, sharedIn(source), async (one) => {
        const script =
          'ls /mnt; ls /mnt/data; touch /mnt/x 2>/dev/null && echo wrote; touch /mnt/data/../y 2>/dev/null && echo wrote'
        assert.equal((await runShell(one, script)).stdout, 'data\nthere\n')
      })
      await rig.within(async (other) => {
        assert.equal((await runShell(other, 'ls -A /mnt')).stdout, '')
      })
      assert.equal(readFileSync(join(source, 'there'), 'utf8'), 'before')
    },
  },
  {
    behaviour: 'a network that is closed to the endpoint reaches the endpoint only',
    run: (rig) =>
      within(rig, { network: 'endpoint' }, async (sandbox) => {
        const endpoint = `fetch('${rig.driver.endpointFor(rig.endpointPort)}').then(r=>r.text()).then(console.log,e=>console.log(e.cause.code))`
        assert.equal((await finish(await startNode(sandbox, endpoint))).stdout, 'endpoint\n')
        const routes = await runShell(
          sandbox,
          'cat /proc/net/route | tail -n +2; ls /sys/class/net 2>/dev/null',
        )
        assert.doesNotMatch(routes.stdout, /eth0/)
      }),
  },
  {
    behaviour: 'a network that is closed altogether reaches nothing, but the Runtime API is there',
    run: (rig) =>
      within(rig, { network: 'none' }, async (sandbox) => {
        const { server, address } = await sandbox.listen()
        server.on('connection', (socket) => socket.end('runtime api'))
        try {
          const [host, port] = address.split(':')
          const source = `const c=require('net').connect(${port},'${host}');c.pipe(process.stdout);
            c.on('close',()=>fetch('${rig.driver.endpointFor(rig.endpointPort)}').then(()=>console.log('reached'),()=>console.log(' refused')))`
          assert.equal((await finish(await startNode(sandbox, source))).stdout, 'runtime api refused\n')
        } finally {
          server.close()
        }
      }),
  },
]
