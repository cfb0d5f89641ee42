// Makes this checkout runnable on a bare machine: npm packages, the pinned Node, system packages where we may install
// them. Plain JavaScript that every Node from 18 on can run, because it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { pinnedNode } from '../bin/pinned-node.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What the isolation drivers and runtimes use, and what is lost without it. */
const SYSTEM_PACKAGES = [
  { command: 'crun', package: 'crun', without: 'no OCI isolation (the strongest driver here)' },
  {
    command: 'bwrap',
    package: 'bubblewrap',
    without: 'no bubblewrap isolation (the driver for unprivileged users)',
  },
  { command: 'python3', package: 'python3', without: 'python3.x functions cannot run' },
  { command: 'ip', package: 'iproute2', without: 'environments get no network of their own' },
  {
    command: 'nft',
    package: 'nftables',
    without: 'isolated environments reach our endpoint, but not the internet',
  },
  { command: 'unshare', package: 'util-linux', without: 'no isolation at all: namespaces cannot be made' },
  { command: 'mkfs.ext4', package: 'e2fsprogs', without: '/tmp of an environment is held in memory' },
]

const say = (text) => process.stderr.write(`lambent setup: ${text}\n`)

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (result.error) throw new Error(`${command} could not be started: ${result.error.message}`)
  return result.status ?? 1
}

const onPath = (command) => {
  const directories = `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/local/sbin`.split(':')
  return directories.some((directory) => directory !== '' && existsSync(join(directory, command)))
}

/** Installs npm packages when they do not match the lock file. */
function ensurePackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.lambent-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  say('installing npm packages (once; about 20 s)')
  const status = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (status !== 0) throw new Error(`npm ci ended with ${status}; see its output above`)
  writeFileSync(stamp, lock)
}

const mayInstall = () =>
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  onPath('apt-get') &&
  process.env.LAMBENT_SETUP_SYSTEM !== 'no'

let aptUpdated = false
function aptInstall(packages) {
  say(`installing system packages: ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = { env, stdio: ['ignore', 'ignore', 'inherit'] }
  if (!aptUpdated) run('apt-get', ['-qq', 'update'], options)
  aptUpdated = true
  return run('apt-get', ['-qq', 'install', '--no-install-recommends', '-y', ...packages], options) === 0
}

/** Installs what the drivers use, or says plainly what is missing and what that costs. */
function ensureSystem() {
  if (process.platform !== 'linux') {
    say(`on ${process.platform} functions run as plain processes, without isolation`)
    return
  }
  const missing = SYSTEM_PACKAGES.filter(({ command }) => !onPath(command))
  if (missing.length === 0) return
  if (mayInstall()) {
    aptInstall([...new Set(missing.map((entry) => entry.package))])
  }
  for (const entry of missing.filter(({ command }) => !onPath(command))) {
    say(`missing: ${entry.command} (package ${entry.package}): ${entry.without}`)
  }
}

/** The Node that runs Lambent: pinned through npm, or a current one of the host. */
function ensureNode() {
  let node = pinnedNode(root)
  if (node.path === undefined && node.missingLibrary && mayInstall()) {
    aptInstall(['libatomic1'])
    node = pinnedNode(root)
  }
  if (node.path === undefined) throw new Error(node.why)
  return node.path
}

/** Installs system packages where we may; true when it did. */
export const installSystemPackages = (packages) => mayInstall() && aptInstall(packages)

/** Everything; returns the path of the Node to use. */
export function setup() {
  if (Number(process.versions.node.split('.')[0]) < 18) {
    throw new Error(`Node 18 or later is needed to start; this is ${process.version}`)
  }
  ensurePackages()
  ensureSystem()
  return ensureNode()
}

/**
 * A second Node line that checks run on too, kept outside the package so that users do not download it.
 * Undefined where npm has no such binary for this platform.
 */
export function otherNode(version) {
  const name = `node-${process.platform}-${process.arch}`
  const directory = join(root, '.cache', `node-${version}`)
  const path = join(directory, 'node_modules', name, 'bin', 'node')
  if (!existsSync(path)) {
    mkdirSync(directory, { recursive: true })
    say(`fetching Node ${version} to run the checks on it as well`)
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
    run('npm', [...args, '--prefix', directory, `${name}@${version}`], { cwd: directory })
  }
  return existsSync(path) ? path : undefined
}

export { run, say }
