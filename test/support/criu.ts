/** CRIU for tests of snapshots: this machine's own, or one of a later release fetched beside it. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { findCriu } from '#data-plane/sandbox/oci/criu.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const FETCHED = join(root, '.cache/criu/criu')

/** The path of one that works here, or the reason why there is none. */
export async function criuHere(): Promise<{ readonly path: string } | { readonly why: string }> {
  const own = await findCriu('criu')
  if (!('why' in own)) return { path: own.program }
  if (!existsSync(FETCHED)) return own
  const fetched = await findCriu(FETCHED)
  return 'why' in fetched ? fetched : { path: fetched.program }
}

/** Fetches it where this machine has none; a text is the reason why it can't be had. */
export async function fetchCriu(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'snapshots need root on Linux'
  if (!('why' in (await criuHere()))) return undefined
  try {
    execFileSync(process.execPath, [join(root, 'scripts/criu.mjs')], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const found = await criuHere()
  return 'why' in found ? found.why : undefined
}
