#!/usr/bin/env node
// The command `lambent`: finds the right Node and the right entry, and steps out of the way.
// Plain JavaScript that every Node from 18 on can run.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { pinnedNode } from './pinned-node.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Commands that are the program itself; all others are its client and speak HTTP to a running one. */
const PROGRAMS = { up: 'src/bin/serve', doctor: 'src/bin/doctor', runtime: 'src/bin/runtime' }

const node = pinnedNode(root)
if (node.path === undefined) {
  process.stderr.write(`${node.why}\n`)
  process.exit(1)
}
const [command, ...rest] = process.argv.slice(2)
const program = Object.hasOwn(PROGRAMS, command ?? '') ? PROGRAMS[command] : undefined
const entry = program ?? 'cli/main'
const args = program ? rest : process.argv.slice(2)
const source = join(root, `${entry}.ts`)
const emitted = join(root, 'dist', `${entry}.js`)
// A checkout runs from source; the published package holds emitted JavaScript only.
const start = existsSync(source) ? ['--conditions=source', source] : [emitted]
const quiet = ['--disable-warning=ExperimentalWarning']

// Loads in half the time once compiled. The user's own directory: whoever can write there could run code as the user anyway.
const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lambent', 'compiled')

// The channel tells the program when this launcher dies, even by SIGKILL, so that it never runs on unseen.
const child = spawn(node.path, [...quiet, ...start, ...args], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  env: { NODE_COMPILE_CACHE: cache, ...process.env },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A terminal sends SIGINT to the whole group; passing it on again would be a second Ctrl-C.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  })
}
child.on('error', (error) => {
  process.stderr.write(`lambent could not start ${node.path}: ${error.message}\n`)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  } else process.exit(code ?? 1)
})
