/**
 * A root made of a container image: the image's own files, which nobody may change, and over them the few that every
 * guest has from us. The kernel lays one over the other (overlayfs), so that neither a link of the image leads ours
 * elsewhere nor anything of ours has to be written into it.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { resolveInRoot } from '#kernel/resolve-in-root.ts'
import { MIB } from '#kernel/units.ts'

import type { DriverBase } from './driver-base.ts'
import { INIT_PATH, initProgram } from './init/init-program.ts'
import type { Enforcement } from './port.ts'
import { enforced, notEnforced } from './report.ts'
import { GUEST_USER, networkFiles, type RootFiles } from './root-files.ts'
import { tryCommand } from './try-command.ts'

/** Whether this machine lays directories over each other, for the user that we are. */
export async function imageEnforcement(): Promise<Enforcement> {
  const isRoot = process.getuid?.() === 0
  const enter = ['unshare', ...(isRoot ? [] : ['--user', '--map-root-user']), '--mount', '--']
  const mount = ['mount', '-t', 'overlay', '-o', 'ro,lowerdir=/usr/bin:/usr/lib', 'lambent', '/usr/bin']
  const failure = await tryCommand([...enter, ...mount])
  if (failure === undefined) return enforced
  return notEnforced(`overlay file systems can not be mounted here (${failure})`)
}

/** What is mounted over in every guest. */
const MOUNT_POINTS = ['dev', 'mnt', 'proc', 'sys', 'tmp'] as const
const MAX_PASSWD_BYTES = MIB

export interface ImageRootOptions {
  /** The image's files. */
  readonly image: string
  /** Where ours are made, in the sandbox's own directory. */
  readonly surroundings: string
  /** Where both together appear. */
  readonly target: string
  readonly nameServers: readonly string[]
}

export async function makeImageRoot(base: DriverBase, options: ImageRootOptions): Promise<RootFiles> {
  const { image, surroundings, target } = options
  const init = initProgram()
  if (!init) throw new Error(`Container images can not be run on ${process.arch}`)
  for (const name of MOUNT_POINTS) mkdirSync(join(surroundings, name), { recursive: true, mode: 0o755 })
  const files = { ...networkFiles(options.nameServers), passwd: usersOf(image) }
  mkdirSync(join(surroundings, 'etc'), { mode: 0o755 })
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(surroundings, 'etc', name), text, { mode: 0o644 })
  mkdirSync(dirname(join(surroundings, INIT_PATH)), { recursive: true, mode: 0o755 })
  writeFileSync(join(surroundings, INIT_PATH), init, { mode: 0o755 })
  await base.spawner.request({ op: 'mount-layers', layers: [surroundings, image], target })
  return { directory: target, mounts: [], init: INIT_PATH }
}

/** The image's users and the one that functions run as, whom AWS adds as well (seen in an image without). */
function usersOf(image: string): string {
  const own = `${GUEST_USER.name}:x:${GUEST_USER.uid}:${GUEST_USER.gid}::/home/${GUEST_USER.name}:/sbin/nologin\n`
  const file = resolveInRoot(image, '/etc/passwd')
  const stats = file === undefined ? undefined : statSync(file)
  if (file === undefined || !stats?.isFile() || stats.size > MAX_PASSWD_BYTES) return own
  const users = readFileSync(file, 'latin1')
  const isThere = users.split('\n').some((line) => line.split(':')[2] === String(GUEST_USER.uid))
  if (isThere) return users
  return `${users}${users === '' || users.endsWith('\n') ? '' : '\n'}${own}`
}
