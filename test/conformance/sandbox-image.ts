/** Cases of the sandbox suite: a guest whose root is that of a container image. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'

import type { Sandbox } from '#data-plane/sandbox/port.ts'

import { IMAGE_NODE, installNode, installPrograms } from '../support/image-files.ts'
import { finish, firstOutput, tracesAfterAWhile, type Rig, type SandboxCase } from './sandbox-rig.ts'

const PROGRAMS = ['sh', 'cat', 'env', 'grep', 'head', 'id', 'ls', 'mount', 'sleep', 'stat', 'touch'].map(
  (name) => `/bin/${name}`,
)

/** A root with these programs and little else. Trapped: links that lead to the host if somebody follows them. */
function makeImage(
  rig: Rig,
  name: string,
  { programs = PROGRAMS, trapped = false }: { programs?: readonly string[]; trapped?: boolean } = {},
) {
  const image = join(rig.directory, name)
  mkdirSync(join(image, 'app'), { recursive: true, mode: 0o755 })
  writeFileSync(join(image, 'app/hello.txt'), 'of the image\n', { mode: 0o644 })
  writeFileSync(join(image, 'app/private.txt'), 'of another user', { mode: 0o600 })
  installPrograms(image, programs)
  if (trapped) {
    writeFileSync(join(rig.directory, 'victim'), 'untouched')
    for (const place of ['tmp', 'proc', 'dev', 'etc', 'var']) symlinkSync(rig.directory, join(image, place))
  } else {
    mkdirSync(join(image, 'etc'), { mode: 0o755 })
    writeFileSync(join(image, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh', { mode: 0o644 })
    symlinkSync(join(rig.directory, 'nothing'), join(image, 'etc/resolv.conf'))
  }
  return image
}

async function within<T>(rig: Rig, image: string, use: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const files = { task: undefined, opt: undefined, runtime: undefined, lang: undefined }
  const sandbox = await rig.create({}, { image, files })
  try {
    return await use(sandbox)
  } finally {
    await sandbox.destroy()
  }
}

const start = (sandbox: Sandbox, argv: readonly string[], env: Record<string, string> = {}) =>
  sandbox.start({ argv, env: { PATH: '/bin', ...env }, cwd: '/app', control: false })
const run = async (sandbox: Sandbox, ...argv: readonly string[]) => finish(await start(sandbox, argv))
const sh = (sandbox: Sandbox, script: string) => run(sandbox, '/bin/sh', '-c', script)

export const imageCases: readonly SandboxCase[] = [
  {
    behaviour:
      'an image without a shell runs, with its own exit codes and nothing of ours in its environment',
    run: (rig) =>
      within(rig, makeImage(rig, 'bare', { programs: ['/bin/env', '/bin/cat'] }), async (sandbox) => {
        const environment = async (env: Record<string, string>) => {
          const { stdout } = await finish(await start(sandbox, ['/bin/env'], env))
          const lines = stdout.trim().split('\n')
          return lines.filter((line) => !line.startsWith('PWD=')).toSorted()
        }
        assert.deepEqual(await environment({ OWN: '1' }), ['OWN=1', 'PATH=/bin'])
        assert.deepEqual(await environment({ HOME: '/app' }), ['HOME=/app', 'PATH=/bin'])
        assert.equal((await run(sandbox, '/bin/cat', 'hello.txt', '-')).stdout, 'of the image\n')
        assert.equal((await run(sandbox, '/bin/cat', '/none')).exit.code, 1)
        assert.equal((await run(sandbox, '/none')).exit.code, 127)
      }),
  },
  {
    behaviour: 'in an image the guest sees the image, read-only, and of the host nothing',
    run: (rig) =>
      within(rig, makeImage(rig, 'seen'), async (sandbox) => {
        const places = '/x /app/x /app/hello.txt /etc/x /etc/passwd /bin/sh /var/rapid/x /dev/x /sys/x /mnt/x'
        const touched = await sh(
          sandbox,
          `for f in ${places}; do touch $f 2>/dev/null && echo wrote $f; done; touch /tmp/x && echo ok`,
        )
        assert.equal(touched.stdout, 'ok\n')
        const { stdout } = await sh(
          sandbox,
          `ls / | grep -v lib; ls ${rig.directory} /root /home /usr/share; ls /sys /mnt /tmp`,
        )
        assert.equal(stdout, 'app\nbin\ndev\netc\nmnt\nproc\nsys\ntmp\nvar\n/mnt:\n\n/sys:\n\n/tmp:\nx\n')
      }),
  },
  {
    behaviour: 'in an image the guest is the same ordinary user, known by name, without capabilities',
    run: (rig) =>
      within(rig, makeImage(rig, 'user'), async (sandbox) => {
        const status = `grep -E '^(CapPrm|CapEff|CapBnd|NoNewPrivs)' /proc/self/status`
        const { stdout, stderr } = await sh(
          sandbox,
          `id -un; id -u; id -g; ${status}; cat private.txt >/dev/null; mount -t tmpfs x /mnt && echo mounted`,
        )
        const none = '\t0000000000000000\n'
        assert.equal(
          stdout,
          `sbx_user1051\n993\n990\nCapPrm:${none}CapEff:${none}CapBnd:${none}NoNewPrivs:\t1\n`,
        )
        // Without root the guest is the user who has unpacked the image.
        if (process.getuid?.() === 0) assert.match(stderr, /private.txt: Permission denied/)
      }),
  },
  {
    behaviour: 'in an image processes and services of the host are out of reach, and the endpoint is not',
    async run(rig) {
      const server = createServer((socket) => socket.end('private'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const image = makeImage(rig, 'reach', { programs: [] })
      installNode(image)
      try {
        await within(rig, image, async (sandbox) => {
          const source = `const seen = require('fs').readdirSync('/proc').filter((name) => name > 0)
            require('net').connect(${port}, '127.0.0.1').on('error', async (error) => {
              const answer = await fetch('${rig.driver.endpointFor(rig.endpointPort)}')
              console.log(seen.length < 8, seen.includes('${process.pid}'), error.code, await answer.text())
            })`
          const { stdout, stderr } = await run(sandbox, IMAGE_NODE, '-e', source)
          assert.equal(stdout, 'true false ECONNREFUSED endpoint\n', stderr)
        })
      } finally {
        server.close()
      }
    },
  },
  {
    behaviour: 'links in an image lead nowhere on the host, for what we lay over it',
    async run(rig) {
      const image = makeImage(rig, 'trapped', { trapped: true })
      const before = readdirSync(rig.directory)
      await within(rig, image, async (sandbox) => {
        const { stdout } = await sh(sandbox, 'echo x >/tmp/file; cat /tmp/file /etc/passwd; ls /etc')
        assert.equal(
          stdout,
          'x\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\nhosts\npasswd\nresolv.conf\n',
        )
      })
      assert.deepEqual(readdirSync(rig.directory), before)
      assert.equal(readFileSync(join(rig.directory, 'victim'), 'utf8'), 'untouched')
    },
  },
  {
    behaviour: 'orphans in an image are collected, and two guests of one image see nothing of each other',
    run(rig) {
      const image = makeImage(rig, 'shared')
      return within(rig, image, (one) =>
        within(rig, image, async (other) => {
          // More than the process limit allows, each left by a parent that ends at once.
          const orphans = 'i=0; while [ $i -lt 100 ]; do (sleep 0 &); i=$((i+1)); done'
          const script = `${orphans}; echo mine >/tmp/mine; echo up; exec sleep 7654321`
          assert.equal(await firstOutput(await start(one, ['/bin/sh', '-c', script])), 'up\n')
          const seen = await sh(other, 'ls /tmp; grep -l "[7]654321" /proc/[0-9]*/cmdline')
          assert.equal(seen.stdout, '')
        }),
      )
    },
  },
  {
    behaviour: 'a sandbox of an image has its limits, and leaves nothing behind',
    async run(rig) {
      const id = await within(rig, makeImage(rig, 'limits'), async (sandbox) => {
        assert.equal((await sh(sandbox, 'ulimit -n; ulimit -c')).stdout, '1024\n0\n')
        const full = await sh(sandbox, 'head -c 100000000 /dev/zero >/tmp/big; stat -c %s /tmp/big')
        const size = Number(full.stdout)
        assert.ok(size > 40_000_000 && size <= 64 << 20, `${size} bytes`)
        return sandbox.id
      })
      assert.deepEqual(await tracesAfterAWhile(id, rig.stateDirectory), [])
    },
  },
]
