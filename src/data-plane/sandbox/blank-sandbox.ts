/** A sandbox that gets its code, its memory and the size of its /tmp after a guest has started in it. */
import { createLaunchedSandbox, type LaunchedSandboxOptions } from './launched-sandbox.ts'
import type { BlankSandbox, SandboxOwner } from './port.ts'

export function createBlankSandbox(
  options: LaunchedSandboxOptions & {
    /** Makes the owner's files appear. */
    readonly become: (owner: SandboxOwner) => Promise<void>
    /** Where /tmp is, as the spawner sees it; undefined where it can't. */
    readonly tmp: string | undefined
  },
): BlankSandbox {
  const { confinement, launcher, spawner, tmp } = options
  const sandbox = createLaunchedSandbox(options)
  let owned = false
  return {
    ...sandbox,
    get paths() {
      return launcher.paths
    },
    async specialise(owner) {
      if (owned) throw new Error(`The sandbox "${options.id}" belongs to a function already`)
      owned = true
      confinement.prioritise('normal')
      confinement.relimit(owner.limits)
      await options.become(owner)
    },
    async collect(name, into) {
      if (tmp === undefined) throw new Error('The /tmp of this sandbox can not be read from outside')
      const { count } = await spawner.request({ op: 'collect', from: tmp, name, into })
      return count ?? 0
    },
  }
}
