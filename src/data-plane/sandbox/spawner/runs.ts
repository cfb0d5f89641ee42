/** The processes that the spawner started and their ends. */
import { execFile, spawn } from 'node:child_process'
import { chownSync, closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname } from 'node:path'

import { collectOrphans, nodeCollects, restoredProcess } from './children.ts'
import type { SpawnRequest } from './messages.ts'
import type { ChildStatus, Native } from './native.ts'
import { signalName, type ExitStatus } from './signals.ts'

export interface RunTable {
  /** Resolves with the pid of the spawned process, or of the main process when a pid file names it. */
  spawn(request: SpawnRequest): Promise<number>
  signal(run: string, signal: 'SIGTERM' | 'SIGKILL'): void
  /** Kills the process groups whose pipes lie in this directory. */
  killGroupsBelow(directory: string): void
  killAllGroups(): void
}

interface Run {
  readonly request: SpawnRequest
  readonly pid: number
  /** True: not spawned by us directly, so its end must be collected by hand. */
  readonly adopted: boolean
}

export function createRunTable(options: {
  readonly native: Native | undefined
  readonly onExit: (run: string, status: ExitStatus) => void
}): RunTable {
  const { native, onExit } = options
  const runs = new Map<string, Run>()

  /** Collected before its run was known: a process may end before its pid file was read. */
  const early = new Map<number, ChildStatus>()
  let starting = 0
  const report = (name: string, status: ChildStatus) => {
    runs.delete(name)
    onExit(name, { code: status.code, signal: signalName(status.signal) })
  }
  if (native) {
    collectOrphans(native, (status) => {
      for (const [name, run] of runs) {
        if (!run.adopted || run.pid !== status.pid) continue
        report(name, status)
        return
      }
      if (starting > 0) early.set(status.pid, status)
    })
  }
  const killGroup = (run: Run) => {
    kill(-run.pid, 'SIGKILL')
    kill(run.pid, 'SIGKILL')
  }

  return {
    async spawn(request) {
      if (runs.has(request.run)) throw new Error(`The run "${request.run}" has started already`)
      const { ended, pid } = await spawnWithStreams(native, request)
      if (request.main.kind === 'pid-file' || request.main.kind === 'restored') {
        starting++
        try {
          const { code } = await ended
          if (code !== 0)
            throw new Error(`"${request.argv[0]}" could not start the main process (exit ${code})`)
          const main =
            request.main.kind === 'restored'
              ? restoredProcess(request.main)
              : Number(readFileSync(request.main.path, 'utf8').trim())
          runs.set(request.run, { request, pid: main, adopted: true })
          const status = early.get(main)
          // The answer to the start must leave first, so not in this turn.
          if (status) setImmediate(() => report(request.run, status))
          return main
        } finally {
          if (--starting === 0) early.clear()
        }
      }
      runs.set(request.run, { request, pid, adopted: false })
      void ended.then((status) => {
        runs.delete(request.run)
        onExit(request.run, status)
      })
      return pid
    },
    signal(name, signal) {
      const run = runs.get(name)
      if (!run) return
      const generations = run.request.main.kind === 'descendant' ? run.request.main.generations : 0
      const main = eldestDescendant(run.pid, generations)
      if (main !== undefined) kill(main, signal)
      else if (signal === 'SIGKILL') kill(run.pid, signal)
    },
    killGroupsBelow(directory) {
      for (const run of runs.values())
        if (!run.adopted && dirname(run.request.stdout).startsWith(directory)) killGroup(run)
    },
    killAllGroups() {
      for (const run of runs.values()) if (!run.adopted) killGroup(run)
    },
  }
}

async function spawnWithStreams(native: Native | undefined, request: SpawnRequest) {
  const open: number[] = []
  let control: Socket | undefined
  const close = () => {
    for (const descriptor of open.splice(0)) closeSync(descriptor)
    control?.destroy()
  }
  try {
    // Without a reader this fails at once instead of waiting; Node makes descriptors 0 to 2 blocking in the child.
    const flags = constants.O_WRONLY | constants.O_NONBLOCK
    const stdout = openSync(request.stdout, flags)
    open.push(stdout)
    const stderr = openSync(request.stderr, flags)
    open.push(stderr)
    const stdin = request.stdin === 'closed-pipe' ? 'pipe' : 'ignore'
    const stdio: (number | 'ignore' | 'pipe' | Socket)[] = [stdin, stdout, stderr]
    if (request.control && native) {
      const descriptor = native.connectUnix(request.control.socket)
      open.push(descriptor)
      writeSync(descriptor, request.control.preamble)
      stdio.push(descriptor)
    } else if (request.control) {
      control = await connectControl(request.control)
      stdio.push(control)
    }
    if (request.argumentFile !== undefined) {
      const descriptor = openSync(request.argumentFile, 'r')
      open.push(descriptor)
      stdio.push(descriptor)
    }
    const [file = '', ...args] = request.argv
    const child = nodeCollects(
      spawn(file, args, { cwd: request.cwd, env: request.env, stdio, detached: true }),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.destroy()
    const { promise: ended, resolve, reject } = Promise.withResolvers<ExitStatus>()
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', reject)
    // Without a pid it did not start, and the error that says why is on its way.
    if (child.pid === undefined) await ended
    return { ended, pid: child.pid ?? 0 }
  } finally {
    close()
  }
}

function connectControl(control: { readonly socket: string; readonly preamble: string }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(control.socket)
    socket.once('error', reject)
    socket.write(control.preamble, () => {
      // Node's sockets do not block, and a guest may expect that descriptor 3 does. The flag belongs to the socket
      // itself, and Node clears it for a child's standard input: so any child that ends at once clears it.
      const clearing = nodeCollects(spawn('true', { stdio: [socket, 'ignore', 'ignore'] }))
      clearing.once('error', reject)
      clearing.once('exit', () => resolve(socket))
    })
  })
}

/** Named pipes that `uid` may also open by path (`/dev/stdout` opens the pipe again). */
export async function makeFifos(
  native: Native | undefined,
  paths: readonly string[],
  uid: number | undefined,
): Promise<void> {
  if (native) {
    for (const path of paths)
      if (!native.makeFifo(path, 0o600)) throw new Error(`Cannot make the pipe "${path}"`)
  } else {
    await new Promise<void>((resolve, reject) => {
      execFile('mkfifo', ['-m', '600', ...paths], (error) => (error ? reject(error) : resolve()))
    })
  }
  if (uid !== undefined) for (const path of paths) chownSync(path, uid, uid)
}

function eldestDescendant(pid: number, generations: number): number | undefined {
  let current = pid
  for (let step = 0; step < generations; step++) {
    let children: string
    try {
      children = readFileSync(`/proc/${current}/task/${current}/children`, 'utf8')
    } catch {
      return undefined
    }
    const eldest = Number.parseInt(children, 10)
    if (Number.isNaN(eldest)) return undefined
    current = eldest
  }
  return current
}

function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  // Never 0, 1 or -1: these name everybody.
  if (Math.abs(pid) < 2) return
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already.
  }
}
