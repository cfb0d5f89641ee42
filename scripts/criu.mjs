// CRIU 4 beside the system's own packages, from the package archive of a later Debian, for hosts whose release has an older
// one that can't work with today's kernels (Debian 12 has 3.17). Unpacked with the libraries that it was built with into
// .cache/criu; nothing is installed. Then: lambent up --criu .cache/criu/criu
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from './setup.mjs'

const RELEASE = 'trixie'
const PLACE = join(root, '.cache', 'criu')
const PROGRAM = join(PLACE, 'criu')
const LAUNCHER = `#!/bin/sh
# CRIU with the libraries that it was built with, beside those of the system.
here=$(dirname "$0")/root/usr
for loader in "$here"/lib/*/ld-linux-*.so.*; do :; done
exec "$loader" --library-path "$(dirname "$loader")" "$here/sbin/criu" "$@"
`

function output(command, args, cwd = root) {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  if (done.error) throw done.error
  if (done.status !== 0) throw new Error(`${command} ended with ${done.status}: ${done.stderr.slice(-500)}`)
  return done.stdout
}

/** The archive that this machine has its own packages from. */
function archive() {
  const targets = output('apt-get', ['indextargets', '--format', '$(ORIGIN) $(COMPONENT) $(REPO_URI)'])
  const own = targets
    .split('\n')
    .find((line) => line.startsWith('Debian main ') && !line.includes('security'))
  if (!own) throw new Error('this machine does not have its packages from Debian')
  return own.split(' ')[2]
}

function fetchCriu() {
  const work = `${PLACE}-work`
  rmSync(work, { recursive: true, force: true })
  for (const name of ['lists/partial', 'cache/archives/partial', 'debs', 'made/root'])
    mkdirSync(join(work, name), { recursive: true })
  const signed = '/usr/share/keyrings/debian-archive-keyring.gpg'
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${signed}] ${archive()} ${RELEASE} main\n`)
  const settings = [
    `Dir::Etc::sourcelist=${join(work, 'sources.list')}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(work, 'lists')}`,
    'Dir::State::status=/dev/null',
    `Dir::Cache=${join(work, 'cache')}`,
    'Acquire::Languages=none',
    'APT::Sandbox::User=root',
  ]
  const options = settings.flatMap((setting) => ['-o', setting])
  output('apt-get', [...options, 'update'])
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
    (kind) => `--no-${kind}`,
  )
  const names = output('apt-cache', [...options, 'depends', '--recurse', '--important', ...only, 'criu'])
    .split('\n')
    .filter((line) => /^(criu|lib[a-z0-9.+-]+|zlib1g)$/.test(line) && !/^lib(python|perl)/.test(line))
  output('apt-get', [...options, 'download', ...new Set(names)], join(work, 'debs'))
  for (const file of readdirSync(join(work, 'debs')))
    output('dpkg-deb', ['-x', join(work, 'debs', file), join(work, 'made', 'root')])
  writeFileSync(join(work, 'made', 'criu'), LAUNCHER)
  chmodSync(join(work, 'made', 'criu'), 0o755)
  output(join(work, 'made', 'criu'), ['--version'])
  rmSync(PLACE, { recursive: true, force: true })
  renameSync(join(work, 'made'), PLACE)
  rmSync(work, { recursive: true, force: true })
}

try {
  if (!existsSync(PROGRAM)) fetchCriu()
  process.stdout.write(`${PROGRAM}\n`)
} catch (error) {
  process.stderr.write(`lambent: CRIU was not fetched: ${error.message}\n`)
  process.exitCode = 1
}
