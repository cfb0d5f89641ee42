/** The entry point of provided.*: AWS's search order and AWS's complaints. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'

import { invalidEntrypoint, type PlatformFailure } from '#data-plane/worker/error-documents.ts'

/** Machine of an ELF file (System V ABI): what this processor runs. */
const ELF_MACHINE: Partial<Record<string, number>> = { x64: 62, arm64: 183 }
const HEAD_BYTES = 20
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
    const problem = await examine(join(place.host, 'bootstrap'))
    if (problem === 'absent') continue
    // Texts recorded from AWS, except "permission denied", which is Go's text for EACCES in the same place (unverified).
    if (problem) return invalidEntrypoint(`fork/exec ${place.shown}/bootstrap: ${problem}`)
    return `${place.guest}/bootstrap`
  }
  const looked = places.map((place) => `${place.shown}/bootstrap`).join(' ')
  return invalidEntrypoint(`Couldn't find valid bootstrap(s): [${looked}]`)
}

async function examine(
  file: string,
): Promise<'absent' | 'permission denied' | 'exec format error' | undefined> {
  try {
    // Follows links: the archive's own were checked when it was unpacked.
    await using handle = await open(file, 'r')
    const stats = await handle.stat()
    if (!stats.isFile() || (stats.mode & EXECUTE_BITS) === 0) return 'permission denied'
    const head = Buffer.alloc(HEAD_BYTES)
    await handle.read(head, 0, HEAD_BYTES, 0)
    return runsHere(head) ? undefined : 'exec format error'
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'absent'
    throw error
  }
}

/** What the kernel's execve would accept: a script with an interpreter line, or a binary of this machine. */
function runsHere(head: Buffer): boolean {
  if (head.subarray(0, 2).equals(Buffer.from('#!'))) return true
  // Other systems' binaries are for their kernels to judge.
  if (process.platform !== 'linux') return true
  if (!head.subarray(0, 4).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]))) return false
  const littleEndian = head[5] === 1
  const machine = littleEndian ? head.readUInt16LE(18) : head.readUInt16BE(18)
  const own = ELF_MACHINE[process.arch]
  return own === undefined || machine === own
}
