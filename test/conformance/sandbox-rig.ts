/** What the sandbox cases stand on: a driver in a directory of its own, sandboxes and guests made in one line. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'

import type { GuestExit } from '#contracts/invocation.ts'
import type {
  BlankSandbox,
  Guest,
  Sandbox,
  SandboxDriver,
  SandboxLimits,
  SandboxSpec,
} from '#data-plane/sandbox/port.ts'
import { systemRandom } from '#kernel/random.ts'

/** `endpointPort`: guests must reach it, under the address that `endpointFor` names. */
export type CreateDriver = (stateDirectory: string, endpointPort: number) => Promise<SandboxDriver>

export interface SandboxCase {
  readonly behaviour: string
  run(rig: Rig): Promise<void>
}

export interface Output {
  readonly stdout: string
  readonly stderr: string
  readonly exit: GuestExit
}

export interface Rig {
  readonly driver: SandboxDriver
  readonly directory: string
  readonly stateDirectory: string
  readonly endpointPort: number
  /** Makes a sandbox, hands it over and destroys it. */
  within<T>(use: (sandbox: Sandbox) => Promise<T>, limits?: Partial<SandboxLimits>): Promise<T>
  create(limits?: Partial<SandboxLimits>, more?: Partial<SandboxSpec>): Promise<Sandbox>
  /** Makes a blank sandbox, hands it over with a function that it can become, and destroys it. */
  withinBlank(
    use: (sandbox: BlankSandbox, become: (limits?: Partial<SandboxLimits>) => Promise<void>) => Promise<void>,
  ): Promise<void>
  close(): Promise<void>
}

const LIMITS: SandboxLimits = { memoryMiB: 128, vcpus: 1, tmpMiB: 64, openFiles: 1024, processes: 64 }

export async function createRig(createDriver: CreateDriver): Promise<Rig> {
  // The directory is closed to other users, as the home directory of a user often is.
  const directory = mkdtempSync(join(tmpdir(), 'lambent-sandbox-'))
  const stateDirectory = join(directory, 'state')
  const task = join(directory, 'task')
  mkdirSync(task, { mode: 0o755 })
  writeFileSync(join(task, 'hello.txt'), 'code of the function\n', { mode: 0o644 })
  mkdirSync(stateDirectory, { mode: 0o700 })
  const opt = join(directory, 'opt')
  mkdirSync(opt, { mode: 0o755 })
  writeFileSync(join(opt, 'layer.txt'), 'a layer\n', { mode: 0o644 })
  const compiled = join(directory, 'compiled')
  mkdirSync(compiled, { mode: 0o755 })
  writeFileSync(join(compiled, 'known'), 'compiled\n', { mode: 0o644 })
  const lang = dirname(dirname(process.execPath))
  const endpoint = createServer((_, response) => response.end('endpoint'))
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve))
  const endpointPort = (endpoint.address() as AddressInfo).port
  const driver = await createDriver(stateDirectory, endpointPort)
  const create: Rig['create'] = (limits, more) =>
    driver.create({
      id: systemRandom.hex(16),
      files: { task, opt: undefined, runtime: undefined, lang },
      ...more,
      limits: { ...LIMITS, ...limits },
    })
  return {
    driver,
    directory,
    stateDirectory,
    endpointPort,
    create,
    async withinBlank(use) {
      const sandbox = await driver.createBlank({
        id: systemRandom.hex(16),
        files: { runtime: undefined, lang },
        limits: LIMITS,
        background: true,
      })
      try {
        await use(sandbox, (limits) =>
          sandbox.specialise({ files: { task, opt, compiled }, limits: { ...LIMITS, ...limits } }),
        )
      } finally {
        await sandbox.destroy()
      }
    },
    async within(use, limits) {
      const sandbox = await create(limits)
      try {
        return await use(sandbox)
      } finally {
        await sandbox.destroy()
      }
    },
    async close() {
      await driver.stop()
      endpoint.close()
      endpoint.closeAllConnections()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export function startShell(sandbox: Sandbox, script: string, options: { readonly control?: boolean } = {}) {
  return sandbox.start({
    argv: ['/bin/sh', '-c', script],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', TMP_DIR: sandbox.paths.tmp },
    cwd: sandbox.paths.task,
    control: options.control ?? false,
  })
}

export function startNode(sandbox: Sandbox, source: string): Promise<Guest> {
  return sandbox.start({
    argv: [join(sandbox.paths.lang, 'bin/node'), '-e', source],
    env: { PATH: '/usr/bin:/bin' },
    cwd: sandbox.paths.task,
    control: false,
  })
}

export async function text(stream: Readable): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += String(chunk)
  return all
}

/** Everything that a guest says until it ends. */
export async function finish(guest: Guest): Promise<Output> {
  const [stdout, stderr, exit] = await Promise.all([text(guest.stdout), text(guest.stderr), guest.exited])
  return { stdout, stderr, exit }
}

export const runShell = async (sandbox: Sandbox, script: string) => finish(await startShell(sandbox, script))

/** Resolves with the first bytes that a guest prints. */
export function firstOutput(guest: Guest): Promise<string> {
  return new Promise((resolve, reject) => {
    guest.stdout.once('data', (chunk) => resolve(String(chunk)))
    guest.stdout.once('end', () => reject(new Error('The guest ended without a word')))
  })
}

/** Traces of a sandbox on this host: processes, cgroups, mounts, loop devices, files. Empty when it is really gone. */
export function tracesOf(id: string, stateDirectory: string): readonly string[] {
  const traces: string[] = []
  const processes = list('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  for (const pid of processes) {
    if (read(`/proc/${pid}/cmdline`).includes(id)) traces.push(`process ${pid}`)
    if (read(`/proc/${pid}/mountinfo`).includes(id)) traces.push(`mount in ${pid}`)
    if (read(`/proc/${pid}/cgroup`).includes(id)) traces.push(`member ${pid}`)
  }
  for (const controller of ['memory', 'cpu', 'pids', 'freezer', '.'])
    if (list(`/sys/fs/cgroup/${controller}/lambent`).includes(id)) traces.push(`cgroup ${controller}`)
  for (const device of list('/sys/block'))
    if (read(`/sys/block/${device}/loop/backing_file`).includes(id)) traces.push(`loop device ${device}`)
  if (list(join(stateDirectory, 'sandboxes')).includes(id)) traces.push('directory')
  if (list(join(stateDirectory, 'runtime')).includes(id)) traces.push('container')
  return traces
}

/** Spawner processes that work for this state directory. */
export function spawnersOf(stateDirectory: string): readonly number[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const words = read(`/proc/${name}/cmdline`).split('\0')
      return words.includes(stateDirectory) && words.some((word) => /spawner\/main\.[jt]s$/.test(word))
    })
    .map(Number)
}

/** Waits, for a few seconds at most, until nothing is left; then whatever is. */
export async function tracesAfterAWhile(id: string, stateDirectory: string): Promise<readonly string[]> {
  for (let round = 0; round < 100; round++) {
    if (tracesOf(id, stateDirectory).length === 0) return []
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return tracesOf(id, stateDirectory)
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
