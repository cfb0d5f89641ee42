/**
 * Keeping processes by CRIU. It runs as root of this machine inside the namespaces of the sandbox, except for its user
 * namespace: only there may it read and set everything, system call filters included (docs/adr/0150).
 */
import { spawn } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { innerPid, nodeCollects } from './children.ts'
import type { SpawnerRequest } from './messages.ts'
import { SPARSE } from './mounts.ts'
import { joinNamespaces } from './snapshot-inventory.ts'

type Of<Op extends SpawnerRequest['op']> = Extract<SpawnerRequest, { readonly op: Op }>

const SHORT_MS = 10_000
/** Of a mount of its own, because CRIU keeps what it learns in /run, and only in memory. */
const LEARN = 'mount --bind "$1" /run && exec "$2" check'
const RAISE = 'mount -t proc proc /proc && echo "$1" > /proc/sys/kernel/ns_last_pid'
/** The directory of the images is not seen inside; it is reached by descriptor 4. */
const INSIDE = 'exec 4<"$1"; shift; exec "$@"'

export const IMAGES = '/proc/self/fd/4'
/** Unlinked files that are still open are kept up to this size. */
const GHOST_LIMIT = '16M'

export async function prepareSnapshots({ place, program }: Of<'prepare-snapshots'>): Promise<void> {
  await run(['unshare', '--mount', '--', '/bin/sh', '-c', LEARN, 'sh', place, program], SHORT_MS)
}

export async function raisePids({ keeper, above }: Of<'raise-pids'>): Promise<void> {
  const enter = ['nsenter', '--target', String(keeper), '--pid', '--', 'unshare', '--mount', '--']
  await run([...enter, '/bin/sh', '-c', RAISE, 'sh', String(above)], SHORT_MS)
}

export async function checkpoint(request: Of<'checkpoint'>): Promise<number> {
  const { keeper, pid, program, into, uid, scratch, deadlineMs } = request
  mkdirSync(into, { mode: 0o700 })
  const inner = innerPid(pid)
  const log = join(into, 'dump.log')
  const dump = [program, 'dump', '--tree', String(inner), '--images-dir', IMAGES, '--log-file', 'dump.log']
  const options = ['--manage-cgroups=ignore', '--tcp-close', '--file-locks', '--ghost-limit', GHOST_LIMIT]
  try {
    await run(['/bin/sh', '-c', INSIDE, 'sh', into, ...enterSandbox(keeper), ...dump, ...options], deadlineMs)
  } catch (error) {
    throw new Error(`CRIU could not keep the process: ${lastError(log) ?? String(error)}`, { cause: error })
  }
  const inventory = join(into, 'inventory.img')
  const ids = readFileSync(join(into, `ids-${inner}.img`))
  writeFileSync(inventory, joinNamespaces(readFileSync(inventory), ids))
  writeFileSync(join(into, 'pid'), String(inner))
  for (const name of readdirSync(into)) chownSync(join(into, name), uid, uid)
  chownSync(into, uid, uid)
  if (scratch) {
    await run(['sync', '--file-system', scratch.mountPoint], SHORT_MS)
    await run(['cp', ...SPARSE, scratch.image, join(into, 'tmp.img')], deadlineMs)
  }
  return diskBytes(into)
}

/** All of its namespaces but the one of its users. */
export const enterSandbox = (keeper: number) => [
  'nsenter',
  '--target',
  String(keeper),
  '--mount',
  '--pid',
  '--ipc',
  '--uts',
  '--net',
  '--cgroup',
  '--',
]

function run(argv: readonly string[], timeoutMs: number): Promise<void> {
  const [file = '', ...args] = argv
  return new Promise((resolve, reject) => {
    const child = nodeCollects(
      spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' }),
    )
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000)
    })
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${file} ended with ${code}: ${said.trim()}`)),
    )
  })
}

export function lastError(log: string): string | undefined {
  try {
    const errors = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.includes('Error'))
    // The first says what was wrong, the last only that something was.
    return errors.find((line) => !line.includes('rlimit'))
  } catch {
    return undefined
  }
}

const diskBytes = (directory: string) =>
  readdirSync(directory)
    .map((name) => statSync(join(directory, name)).blocks * 512)
    .reduce((sum, bytes) => sum + bytes, 0)
