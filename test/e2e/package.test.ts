/** The published package: packed, installed elsewhere, started and used through its bin. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { eventually } from '../support/clients.ts'
import { temporaryDirectory } from '../support/program.ts'

const ROOT = join(import.meta.dirname, '..', '..')

test('npm pack, install the tarball elsewhere: lambent up serves, deploys and invokes', async (t) => {
  const directory = await temporaryDirectory(t)
  execFileSync('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: ROOT, stdio: 'pipe' })
  const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz'))
  assert.ok(tarball)
  const listing = execFileSync('tar', ['-tzf', join(directory, tarball)]).toString()
  const unwanted = listing
    .split('\n')
    .filter((path) => /\.test\.|__pycache__|node_modules|\/(build|target)\//.test(path))
  assert.deepEqual(unwanted.slice(0, 5), [], 'only what users need')
  writeFileSync(join(directory, 'package.json'), '{"private":true}')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${tarball}`], {
    cwd: directory,
    stdio: 'pipe',
  })
  const lambent = join(directory, 'node_modules', '.bin', 'lambent')
  // Whatever Node is first on the PATH, the package brings its own.
  const child = spawn(lambent, ['up', '--port=0', '--no-examples', `--data=${join(directory, 'data')}`], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const gone = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGTERM')
    await gone
  })
  const endpoint = await eventually(
    'the ready line',
    () => {
      if (child.exitCode !== null) throw new Error(`it ended:\n${output}`)
      return Promise.resolve(/^lambent ready on (\S+)$/m.exec(output)?.[1])
    },
    60_000,
  )
  const env = { ...process.env, AWS_ENDPOINT_URL: endpoint }
  const run = (...args: string[]) =>
    execFileSync(lambent, args, { cwd: directory, env, stdio: 'pipe' }).toString()
  writeFileSync(join(directory, 'index.mjs'), `export const handler = async () => 'from the package'\n`)
  run('deploy', 'index.mjs', '--name', 'packed', '--runtime', 'nodejs26.x', '--handler', 'index.handler')
  assert.equal(run('invoke', 'packed'), '"from the package"\n')
})
