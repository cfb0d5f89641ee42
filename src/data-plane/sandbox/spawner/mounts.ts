/** Mounts, all in the spawner's own mount namespace. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

import { MIB } from '#kernel/units.ts'

import { executeTool } from './execute.ts'
import type { SpawnerRequest } from './messages.ts'
import type { Native } from './native.ts'

const DEADLINE_MS = 10_000

/**
 * A file system of a fixed size for /tmp, in a sparse file: it takes disk as it is written and is no memory.
 * Rejects when this machine has no loop devices or no ext4 tools.
 */
export async function makeScratch(
  request: Extract<SpawnerRequest, { readonly op: 'make-scratch' }>,
): Promise<void> {
  const { image, mountPoint, sizeMiB, uid, gid, copyOf } = request
  mkdirSync(mountPoint, { recursive: true })
  if (copyOf !== undefined) {
    await tool('cp', [...SPARSE, copyOf, image])
    await tool('mount', ['-o', 'loop,nosuid,nodev,noatime', image, mountPoint])
    return
  }
  writeFileSync(image, '', { mode: 0o600 })
  truncateSync(image, sizeMiB * MIB)
  // No journal: the file system never outlives its sandbox.
  const features = ['-O', '^has_journal,^resize_inode', '-E', 'lazy_itable_init=1,nodiscard', '-m', '0']
  await tool('mkfs', ['-q', '-F', ...features, image])
  await tool('mount', ['-o', 'loop,nosuid,nodev,noatime', image, mountPoint])
  rmdirSync(join(mountPoint, 'lost+found'))
  chownSync(mountPoint, uid, gid)
  chmodSync(mountPoint, 0o1777)
}

/** Holes stay holes, and where the file system can, nothing is copied at all. */
export const SPARSE = ['--sparse=always', '--reflink=auto', '--preserve=mode'] as const

async function tool(name: 'cp' | 'mkfs' | 'mount' | 'umount', args: readonly string[]): Promise<void> {
  const { code, stderr } = await executeTool({ op: 'execute', tool: name, args, deadlineMs: DEADLINE_MS })
  if (code !== 0) throw new Error(`Cannot mount what a sandbox needs: ${name}: ${stderr?.trim()}`)
}

export async function bindMounts(
  native: Native | undefined,
  mounts: readonly { readonly source: string; readonly target: string }[],
  once = false,
): Promise<void> {
  for (const { source, target } of mounts) {
    if (once && isMountPoint(target)) continue
    mkdirSync(target, { recursive: true, mode: 0o755 })
    if (!native?.bindMount(source, target)) await tool('mount', ['--bind', source, target])
  }
}

/** A mount of its own, because only mounts pass on what is mounted below them; its group is this one and its copies. */
export async function makeShared(
  native: Native | undefined,
  request: Extract<SpawnerRequest, { readonly op: 'make-shared' }>,
): Promise<void> {
  const { directory } = request
  for (const name of request.subdirectories)
    mkdirSync(join(directory, name), { recursive: true, mode: 0o755 })
  if (native?.bindMount(directory, directory) && native.share(directory)) return
  await tool('mount', ['--bind', directory, directory])
  await tool('mount', ['--make-shared', directory])
}

/**
 * Read-only before it appears: copies have the flags of the mount that they are copied from, and a remount does not
 * reach them. So it is made so at a place that nobody else sees.
 */
export async function show(
  native: Native | undefined,
  request: Extract<SpawnerRequest, { readonly op: 'show' }>,
): Promise<void> {
  const { stage, mounts, absent } = request
  for (const directory of absent) rmdirSync(directory)
  mkdirSync(stage)
  try {
    for (const { source, target } of mounts) {
      if (native?.showReadOnly(source, target, stage)) continue
      await tool('mount', ['--bind', source, stage])
      try {
        await tool('mount', ['-o', 'remount,bind,ro,nosuid,nodev', stage])
        await tool('mount', ['--bind', stage, target])
      } finally {
        await tool('umount', [stage])
      }
    }
  } finally {
    rmdirSync(stage)
  }
}

/** Something else is mounted there than around it. */
const isMountPoint = (path: string) => existsSync(path) && statSync(path).dev !== statSync(dirname(path)).dev

export async function mountMemory(target: string, sizeMiB: number): Promise<void> {
  mkdirSync(target, { recursive: true })
  await tool('mount', ['-t', 'tmpfs', '-o', `nosuid,nodev,mode=1777,size=${sizeMiB}m`, 'lambent', target])
}

/** Options are a list with commas, and the layers in it one with colons. */
const UNMOUNTABLE = /[,:\\]/

export async function mountLayers(layers: readonly string[], target: string): Promise<void> {
  const odd = layers.find((layer) => UNMOUNTABLE.test(layer))
  if (odd !== undefined)
    throw new Error(
      `Images can't be run from a directory whose name has a comma, colon or backslash: "${odd}"`,
    )
  mkdirSync(target, { recursive: true, mode: 0o755 })
  await tool('mount', [
    '-t',
    'overlay',
    '-o',
    `ro,nosuid,nodev,lowerdir=${layers.join(':')}`,
    'lambent',
    target,
  ])
}
