/** Runs one of the system tools that the spawner knows. */
import { execFile, spawn } from 'node:child_process'

import { confinedCommand } from '../host-command.ts'
import { nodeCollects } from './children.ts'
import type { SpawnerRequest, SpawnerValue, Tool } from './messages.ts'

const PROGRAMS: { readonly [T in Tool]: string } = {
  cp: 'cp',
  crun: process.env['LAMBENT_OCI_RUNTIME'] ?? 'crun',
  ip: 'ip',
  losetup: 'losetup',
  mkfs: 'mkfs.ext4',
  mount: 'mount',
  nft: 'nft',
  nsenter: 'nsenter',
  umount: 'umount',
}
const MAX_OUTPUT_BYTES = 256 * 1024

/** Resolves also when the tool fails: its exit code and what it said are the answer. */
export function executeTool(
  request: Extract<SpawnerRequest, { readonly op: 'execute' }>,
): Promise<SpawnerValue> {
  return request.cgroups ? executeConfined(request, request.cgroups) : executeAndListen(request)
}

function executeAndListen(request: Extract<SpawnerRequest, { readonly op: 'execute' }>) {
  return new Promise<SpawnerValue>((resolve) => {
    const child = execFile(
      PROGRAMS[request.tool],
      request.args,
      { timeout: request.deadlineMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout, stderr) => {
        const missing = error !== null && child.pid === undefined
        resolve({
          code: error ? (child.exitCode ?? 1) : 0,
          stdout,
          stderr: missing ? `${PROGRAMS[request.tool]} is not installed` : stderr,
        })
      },
    )
    nodeCollects(child)
    child.stdin?.on('error', () => {})
    child.stdin?.end(request.input ?? '')
  })
}

function executeConfined(
  request: Extract<SpawnerRequest, { readonly op: 'execute' }>,
  cgroups: readonly string[],
) {
  const [file = '', ...args] = confinedCommand({ argv: [PROGRAMS[request.tool], ...request.args], cgroups })
  return new Promise<SpawnerValue>((resolve) => {
    const child = spawn(file, args, {
      // Never /dev/null: runtimes change the owner of their standard streams.
      stdio: 'pipe',
      timeout: request.deadlineMs,
      killSignal: 'SIGKILL',
      detached: true,
    })
    nodeCollects(child)
    for (const stream of [child.stdin, child.stdout, child.stderr]) {
      stream.on('error', () => {})
      stream.destroy()
    }
    child.once('error', (error) => resolve({ code: 1, stdout: '', stderr: error.message }))
    child.once('exit', (code) => resolve({ code: code ?? 1, stdout: '', stderr: '' }))
  })
}
