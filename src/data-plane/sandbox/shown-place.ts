/**
 * The place of a blank sandbox: a directory of the spawner whose mounts appear in the sandbox too. What is mounted at
 * `task` and `opt` in there after the guest has started is what the guest finds at /var/task and /opt.
 */
import { join } from 'node:path'

import type { DriverBase } from './driver-base.ts'
import type { SandboxOwner } from './port.ts'

export interface ShownPlace {
  readonly directory: string
  readonly task: string
  readonly opt: string
  readonly tmp: string
  readonly compiled: string
}

/**
 * Directories that the linker of a guest searches (LD_LIBRARY_PATH). It looks once whether they exist and believes it
 * for ever, so an empty one stands where the function may bring its own.
 */
const SEARCHED = ['task/lib', 'opt/lib'] as const

export async function makeShownPlace(base: DriverBase, directory: string): Promise<ShownPlace> {
  await base.spawner.request({
    op: 'make-shared',
    directory,
    subdirectories: [...SEARCHED, 'tmp', 'compiled'],
  })
  return {
    directory,
    task: join(directory, 'task'),
    opt: join(directory, 'opt'),
    tmp: join(directory, 'tmp'),
    compiled: join(directory, 'compiled'),
  }
}

/** Shows the owner's code and layers, read-only. */
export async function showOwner(base: DriverBase, place: ShownPlace, { files }: SandboxOwner): Promise<void> {
  const hasLayers = files.opt !== undefined
  const layers = hasLayers ? [{ source: files.opt, target: place.opt }] : []
  const compiled = files.compiled === undefined ? [] : [{ source: files.compiled, target: place.compiled }]
  // Code last: whoever sees it sees everything.
  const mounts = [...layers, ...compiled, { source: files.task, target: place.task }]
  await base.spawner.request({
    op: 'show',
    stage: `${place.directory}-stage`,
    mounts,
    absent: hasLayers ? [] : [join(place.opt, 'lib')],
  })
}
