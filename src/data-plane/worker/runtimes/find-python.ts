import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

import type { Interpreter } from '#data-plane/worker/runtimes/interpreter.ts'
import { runCommand } from '#data-plane/worker/runtimes/run-command.ts'
import {
  executablesNamed,
  isShowable,
  namesIn,
  seenByGuests,
} from '#data-plane/worker/runtimes/search-path.ts'

/** Starting a Python takes 50 ms; a shim may start several programs. */
const PROBE_MS = 10_000
const PROBE = 'import sys, json; print(json.dumps([sys.version.split()[0], sys.base_prefix]))'

/** A Python of this release (`3.12`) on the host: on PATH, in the usual places, or below somebody's pyenv. */
export async function findPython(options: {
  readonly release: string
  readonly path: string | undefined
}): Promise<Interpreter | undefined> {
  const { release } = options
  const name = `python${release}`
  // The system's own first: guests see it without a mount, and a pyenv in front of it on PATH is a matter of shells.
  const path = `/usr/bin:/usr/local/bin:${options.path ?? ''}`
  for (const candidate of await executablesNamed(name, path, await pyenvDirectories(release))) {
    const found = await probe(candidate, name)
    if (found && (found.version === release || found.version.startsWith(`${release}.`))) return found
  }
  return undefined
}

/** `~/.pyenv/versions/3.12.*` of this user and of those below /home, newest first. */
async function pyenvDirectories(release: string): Promise<readonly string[]> {
  const homes = [homedir(), ...(await namesIn('/home')).map((user) => join('/home', user))]
  const found: string[] = []
  for (const home of new Set(homes)) {
    const versions = join(home, '.pyenv/versions')
    const names = (await namesIn(versions)).filter((name) => name.startsWith(`${release}.`))
    const newest = names.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    found.push(...newest.map((version) => join(versions, version, 'bin')))
  }
  return found
}

/**
 * What a candidate really is: pyenv's shims and virtual environments lead to an interpreter elsewhere, and what
 * gets mounted must be the whole prefix with its standard library.
 */
async function probe(candidate: string, name: string): Promise<Interpreter | undefined> {
  try {
    const answer = await runCommand(candidate, ['-I', '-S', '-c', PROBE], { timeoutMs: PROBE_MS, env: {} })
    const [version, reported] = JSON.parse(answer) as [string, string]
    const prefix = await realpath(reported)
    const executable = join(prefix, 'bin', name)
    if (!existsSync(executable)) return undefined
    if (seenByGuests(prefix)) return { version, executable, lang: undefined, source: 'host' }
    return isShowable(prefix) ? { version, executable, lang: prefix, source: 'host' } : undefined
  } catch {
    return undefined
  }
}
