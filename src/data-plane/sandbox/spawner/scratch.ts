/** A file system of a fixed size for /tmp, in a sparse file: it takes disk as it is written and is no memory. */
import { chmodSync, chownSync, mkdirSync, rmdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { MIB } from '#kernel/units.ts'

import { executeTool } from './execute.ts'
import type { SpawnerRequest } from './messages.ts'

const DEADLINE_MS = 10_000

/** Rejects when this machine has no loop devices or no ext4 tools. */
export async function makeScratch(
  request: Extract<SpawnerRequest, { readonly op: 'make-scratch' }>,
): Promise<void> {
  const { image, mountPoint, sizeMiB, uid, gid } = request
  writeFileSync(image, '', { mode: 0o600 })
  truncateSync(image, sizeMiB * MIB)
  // No journal: the file system never outlives its sandbox.
  const features = ['-O', '^has_journal,^resize_inode', '-E', 'lazy_itable_init=1,nodiscard', '-m', '0']
  await tool('mkfs', ['-q', '-F', ...features, image])
  mkdirSync(mountPoint, { recursive: true })
  await tool('mount', ['-o', 'loop,nosuid,nodev,noatime', image, mountPoint])
  rmdirSync(join(mountPoint, 'lost+found'))
  chownSync(mountPoint, uid, gid)
  chmodSync(mountPoint, 0o1777)
}

async function tool(name: 'mkfs' | 'mount', args: readonly string[]): Promise<void> {
  const { code, stderr } = await executeTool({ op: 'execute', tool: name, args, deadlineMs: DEADLINE_MS })
  if (code !== 0) throw new Error(`Cannot make the /tmp file system: ${name}: ${stderr?.trim()}`)
}
