/** CRIU on this machine: where it is, and whether it can do what snapshots need. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import { findProgram } from '../find-program.ts'
import { tryCommand } from '../try-command.ts'

export interface Criu {
  /** On the host. */
  readonly program: string
  /** As a sandbox sees it. */
  readonly shown: string
  /** A directory of its own that must be shown there: it is not one of the system's programs. */
  readonly prefix: string | undefined
}

/** Where a sandbox has what the system's own directories don't hold. */
export const SNAPSHOT_TOOLS = '/run'
const PREFIX = 'criu'
/** Older ones fail at the kernel's memory layout since 6.x (Debian 12 has 3.17). */
const OLDEST = 4
const VERSION_MS = 5000
const SYSTEM = ['/usr/', '/bin/', '/sbin/']

/** `wanted`: a path, or the name of a program. Answers why not when there is none that works here. */
export async function findCriu(wanted: string): Promise<Criu | { readonly why: string }> {
  const program = findProgram(wanted)
  if (program === undefined || !existsSync(program)) return { why: `"${wanted}" is not installed` }
  const version = await versionOf(program)
  if (version === undefined) return { why: `"${program}" does not say its version` }
  if (Number.parseInt(version, 10) < OLDEST)
    return { why: `"${program}" is version ${version}, and ${OLDEST}.0 or later is needed` }
  const failure = await tryCommand([program, 'check'])
  if (failure !== undefined) return { why: `"${program}" can't work here: ${failure}` }
  if (SYSTEM.some((directory) => program.startsWith(directory)) && !program.startsWith('/usr/local/'))
    return { program, shown: program, prefix: undefined }
  const shown = join(SNAPSHOT_TOOLS, PREFIX, basename(program))
  return { program, shown, prefix: dirname(program) }
}

/** In the directory that is shown at `SNAPSHOT_TOOLS`. */
export const prefixPlace = (place: string) => join(place, PREFIX)

function versionOf(program: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, ['--version'], { timeout: VERSION_MS }, (_error, stdout) =>
      resolve(/^Version: (\S+)/m.exec(stdout)?.[1]),
    )
  })
}
