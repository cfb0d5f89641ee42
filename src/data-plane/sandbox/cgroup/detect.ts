/** Finds out which control groups this process may use. */
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { readText, tryWrite, type CgroupHost } from './cgroup.ts'
import { createCgroupsV1 } from './v1.ts'
import { createCgroupsV2 } from './v2.ts'

const LIMITS = ['memory', 'pids'] as const

/** The first version that can limit memory or processes; undefined when there is none. Creates the parent cgroup. */
export function detectCgroups(): CgroupHost | undefined {
  if (process.platform !== 'linux') return undefined
  const { v1, v2 } = readMounts()
  const one = v1.size > 0 ? createCgroupsV1(v1) : undefined
  if (one && LIMITS.some((controller) => one.controllers.has(controller))) return one
  for (const mount of v2) {
    for (const base of basesOf(mount)) {
      const two = createCgroupsV2(base)
      if (two && LIMITS.some((controller) => two.controllers.has(controller))) return two
    }
  }
  return undefined
}

/** Mounted controllers of version 1 with their places, and the places of version 2. */
function readMounts() {
  const v1 = new Map<string, string>()
  const v2: string[] = []
  for (const line of (readText('/proc/self/mounts') ?? '').split('\n')) {
    const [, place = '', kind, options = ''] = line.split(' ')
    if (kind === 'cgroup2') v2.push(place)
    if (kind !== 'cgroup') continue
    for (const option of options.split(',')) v1.set(option, place)
  }
  return { v1, v2 }
}

/** Where our subtree may hang: a cgroup that was delegated to this process, else the root of the mount. */
function* basesOf(mount: string): Generator<string> {
  const own = /^0::(.*)$/m.exec(readText('/proc/self/cgroup') ?? '')?.[1] ?? '/'
  if (own === '/') makeRoomAtRoot(mount)
  else yield join(mount, own, '..')
  yield mount
}

/**
 * In a container the root that we see is an ordinary cgroup, and one that holds processes can't hand controllers
 * down: its processes move to a child first. At the machine's real root this changes nothing, as it is exempt.
 */
function makeRoomAtRoot(mount: string): void {
  if (tryWrite(join(mount, 'cgroup.subtree_control'), '+pids')) return
  // The machine's real root has no cgroup.type file.
  if (!readdirSync(mount).includes('cgroup.type')) return
  const room = join(mount, 'lambent-agent')
  try {
    mkdirSync(room, { recursive: true })
    for (const pid of readFileSync(join(mount, 'cgroup.procs'), 'utf8').split('\n'))
      if (pid !== '') tryWrite(join(room, 'cgroup.procs'), pid)
  } catch {
    // Not ours to arrange: the caller sees that no controller is handed down.
  }
}
