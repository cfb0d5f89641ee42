/** Directories of the host that outlive sandboxes and that several of them write to. */
import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type { DriverBase } from './driver-base.ts'
import type { SharedDirectory } from './port.ts'
import { PRIVATE_PLACE } from './spawner/client.ts'

/**
 * Makes the directories that do not exist yet, for the guest's user (as AWS makes the root of an access point). What is
 * there already keeps its owner and its permissions. `owner` is the guest's user as the host counts; undefined where
 * guests are of this program's own user. Throws when a directory can't be made.
 */
export function makeSharedDirectories(
  shared: readonly SharedDirectory[] | undefined,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): void {
  for (const { source } of shared ?? []) {
    if (existsSync(source)) continue
    mkdirSync(source, { recursive: true, mode: 0o750 })
    if (owner) chownSync(source, owner.uid, owner.gid)
  }
}

/**
 * Shows them where the guest's user may walk to: beside the places of the sandboxes and never taken away, so that
 * removing a place can't reach what is shared. Answers with their places there.
 */
export async function showSharedDirectories(
  base: DriverBase,
  shared: readonly SharedDirectory[],
): Promise<readonly SharedDirectory[]> {
  const shown = shared.map((one) => ({ ...one, source: join(PRIVATE_PLACE, 'shared', one.owner) }))
  const mounts = shared.map(({ source }, index) => ({ source, target: shown[index]?.source ?? '' }))
  if (mounts.length > 0) await base.spawner.request({ op: 'bind', mounts, once: true })
  return shown
}
