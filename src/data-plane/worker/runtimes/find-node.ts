import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { Interpreter } from '#data-plane/worker/runtimes/interpreter.ts'
import { runCommand } from '#data-plane/worker/runtimes/run-command.ts'
import {
  executablesNamed,
  isShowable,
  namesIn,
  seenByGuests,
} from '#data-plane/worker/runtimes/search-path.ts'

/** `--version` of a Node takes 40 ms; one that hangs is none. */
const PROBE_MS = 10_000
/** Longest first part that could be a version directory: `22.23.3`. */
const VERSION = /^v?(\d+)\.\d+\.\d+$/

/** Directory below `<runtimes>` that holds installed copies: `node/22.23.3/bin/node`. */
export const installedNodes = (runtimesDirectory: string) => join(runtimesDirectory, 'node')

/**
 * A Node of this major version: the one that runs this program, an installed copy, or one on the host's PATH.
 * Undefined when there is none. The host's own comes last of the three because its prefix may hold more than Node.
 */
export async function findNode(options: {
  readonly major: string
  readonly runtimesDirectory: string
  readonly path: string | undefined
  readonly self: { readonly executable: string; readonly version: string }
}): Promise<Interpreter | undefined> {
  const { major, runtimesDirectory, path, self } = options
  if (majorOf(self.version) === major) {
    const executable = await realpath(self.executable)
    return describe(executable, self.version, 'this program')
  }
  return (await findInstalledNode(major, runtimesDirectory)) ?? (await findHostNode(major, path))
}

/** The newest installed copy of this major version. */
export async function findInstalledNode(
  major: string,
  runtimesDirectory: string,
): Promise<Interpreter | undefined> {
  const root = installedNodes(runtimesDirectory)
  const names = (await namesIn(root)).filter((name) => majorOf(name) === major)
  const newest = names.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))[0]
  return newest === undefined ? undefined : describe(join(root, newest, 'bin/node'), newest, 'installed')
}

async function findHostNode(major: string, path: string | undefined): Promise<Interpreter | undefined> {
  for (const executable of await executablesNamed('node', path)) {
    if (!isInstallation(executable)) continue
    const version = await runCommand(executable, ['--version'], { timeoutMs: PROBE_MS, env: {} }).catch(
      () => '',
    )
    if (majorOf(version.trim()) === major) return describe(executable, version.trim(), 'host')
  }
  return undefined
}

/** Guests get to see the whole prefix, so it must be Node's own and not a directory that happens to have a `bin`. */
function isInstallation(executable: string): boolean {
  const prefix = prefixOf(executable)
  return (
    seenByGuests(executable) ||
    (isShowable(prefix) && existsSync(join(prefix, 'include/node/node_version.h')))
  )
}

const prefixOf = (executable: string) => dirname(dirname(executable))

const majorOf = (version: string): string | undefined => VERSION.exec(version)?.[1]

function describe(executable: string, version: string, source: Interpreter['source']): Interpreter {
  return {
    version: version.replace(/^v/, ''),
    executable,
    lang: seenByGuests(executable) ? undefined : prefixOf(executable),
    source,
  }
}
