// Finds the Node that runs Lambent. Plain JavaScript for Node 18 and later.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const OLDEST = 24

/**
 * @param {string} packageRoot directory of Lambent's package.json
 * @returns {{ path?: string, missingLibrary?: boolean, why?: string }} the path of a Node that starts, or why there is none
 */
export function pinnedNode(packageRoot) {
  const require = createRequire(join(packageRoot, 'package.json'))
  let failure = `npm has no Node binary for ${process.platform}-${process.arch}`
  let missingLibrary = false
  try {
    const directory = dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`))
    const path = join(directory, 'bin', 'node')
    if (existsSync(path)) {
      const probe = spawnSync(path, ['--version'], { encoding: 'utf8' })
      if (probe.status === 0) return { path }
      failure = `${path} does not start: ${(probe.stderr || probe.error?.message || '').trim()}`
      missingLibrary = /libatomic/.test(probe.stderr ?? '')
    }
  } catch {
    // The optional package is not installed; the host's Node may do.
  }
  if (Number(process.versions.node.split('.')[0]) >= OLDEST) return { path: process.execPath }
  return {
    missingLibrary,
    why:
      `Lambent needs Node ${OLDEST} or later to run. ${failure}, and this is Node ${process.versions.node}.\n` +
      (missingLibrary
        ? 'Install the library libatomic (Debian: apt-get install libatomic1) and try again.'
        : `Install Node ${OLDEST} or later and try again.`),
  }
}
