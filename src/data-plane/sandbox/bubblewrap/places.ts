/** Where bubblewrap finds what it shows a guest: host directories, at places that the guest's user may walk to. */
import { join } from 'node:path'

import type { DriverBase } from '../driver-base.ts'
import type { BlankSpec, SandboxOwner, SandboxSpec, SharedDirectory, GuestFiles } from '../port.ts'
import { showSharedDirectories } from '../shared-directories.ts'
import { makeShownPlace, showOwner } from '../shown-place.ts'

export interface Places {
  readonly files: GuestFiles
  readonly compiled: string | undefined
  readonly tmp: string
  readonly shared: readonly SharedDirectory[]
  /** For a blank sandbox: shows the owner's files there, with a /tmp of the owner's size. */
  become(owner: SandboxOwner): Promise<void>
}

export interface PlacesOptions {
  /** The sandbox's own. */
  readonly directory: string
  /** Of the spawner's, for what is shown. */
  readonly place: string
  /** The user that the guest runs as; undefined: ourselves, who may walk everywhere. */
  readonly uid: number | undefined
  /** False: /tmp is memory. */
  readonly scratch: boolean
}

export async function makePlaces(
  base: DriverBase,
  spec: SandboxSpec | BlankSpec,
  options: PlacesOptions,
): Promise<Places> {
  const { directory, place, uid } = options
  const tmp = join(place, 'tmp')
  const makeTmp = async (image: string, sizeMiB: number) => {
    const request =
      options.scratch && uid !== undefined
        ? {
            op: 'make-scratch' as const,
            image: join(directory, image),
            mountPoint: tmp,
            sizeMiB,
            uid,
            gid: uid,
          }
        : { op: 'mount-memory' as const, target: tmp, sizeMiB }
    await base.spawner.request(request)
  }
  if ('task' in spec.files) {
    const files = await show(base, spec.files, options)
    await makeTmp('tmp.img', spec.limits.tmpMiB)
    const shared = spec.shared ?? []
    return {
      files,
      compiled: undefined,
      tmp,
      shared: uid === undefined ? shared : await showSharedDirectories(base, shared),
      become: () => Promise.reject(new Error('A sandbox with code belongs to a function already')),
    }
  }
  const shown = await makeShownPlace(base, place)
  const files = await show(base, { ...spec.files, task: undefined, opt: undefined }, options)
  await makeTmp('tmp.img', spec.limits.tmpMiB)
  return {
    files: { ...files, task: shown.task, opt: shown.opt },
    compiled: shown.compiled,
    tmp,
    shared: [],
    async become(owner) {
      // On top of the first one, which stays below, empty.
      if (owner.limits.tmpMiB !== spec.limits.tmpMiB) await makeTmp('tmp-of-owner.img', owner.limits.tmpMiB)
      await showOwner(base, shown, owner)
    },
  }
}

async function show(base: DriverBase, files: GuestFiles, options: PlacesOptions): Promise<GuestFiles> {
  if (options.uid === undefined) return files
  const at = (source: string | undefined, name: string) => {
    if (source === undefined) return undefined
    const target = join(options.place, name)
    mounts.push({ source, target })
    return target
  }
  const mounts: { readonly source: string; readonly target: string }[] = []
  const shown = {
    task: at(files.task, 'task'),
    opt: at(files.opt, 'opt'),
    runtime: at(files.runtime, 'runtime'),
    lang: at(files.lang, 'lang'),
  }
  await base.spawner.request({ op: 'bind', mounts })
  return shown
}
