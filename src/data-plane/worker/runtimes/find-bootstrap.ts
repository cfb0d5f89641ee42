/** The entry point of provided.*: AWS's search order and AWS's complaints. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { invalidEntrypoint, type PlatformFailure } from '#data-plane/worker/error-documents.ts'
import { examineExecutable } from '#data-plane/worker/runtimes/executable.ts'

const EXECUTE_BITS = 0o111

/** One place where a bootstrap may lie: as the guest names it, and the same directory on the host. */
export interface BootstrapPlace {
  readonly guest: string
  readonly host: string | undefined
  /** What AWS calls it in its texts, whatever the driver calls it. */
  readonly shown: string
}

/**
 * Path of the bootstrap in the guest, or the failure that AWS reports as Runtime.InvalidEntrypoint. Looked for in
 * order: /var/task/bootstrap, /opt/bootstrap (AWS names /var/runtime/bootstrap before them only for base images).
 */
export async function findBootstrap(places: readonly BootstrapPlace[]): Promise<string | PlatformFailure> {
  for (const place of places) {
    if (place.host === undefined) continue
    // Follows links: the archive's own were checked when it was unpacked.
    const { problem, interpreter } = await examineExecutable(join(place.host, 'bootstrap'), EXECUTE_BITS)
    if (problem === 'absent') continue
    // Texts recorded from AWS, except "permission denied", which is Go's text for EACCES in the same place (unverified).
    const missing = interpreter !== undefined && !existsSync(onHost(interpreter, places))
    const why = problem ?? (missing ? 'no such file or directory' : undefined)
    if (why) return invalidEntrypoint(`fork/exec ${place.shown}/bootstrap: ${why}`)
    return `${place.guest}/bootstrap`
  }
  const looked = places.map((place) => `${place.shown}/bootstrap`).join(' ')
  return invalidEntrypoint(`Couldn't find valid bootstrap(s): [${looked}]`)
}

/** What is not the function's own is the system's, which guests see where this host has it. */
function onHost(path: string, places: readonly BootstrapPlace[]): string {
  const place = places.find(({ guest }) => path.startsWith(`${guest}/`))
  return place?.host === undefined ? path : join(place.host, path.slice(place.guest.length))
}
