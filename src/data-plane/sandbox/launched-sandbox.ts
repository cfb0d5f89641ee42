/** What all drivers share: the processes of a sandbox, from start to exit; runs of the main one follow each other. */
import { mkdirSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { join } from 'node:path'

import type { GuestExit } from '#contracts/invocation.ts'
import type { Clock } from '#kernel/clock.ts'

import type { Confinement } from './confinement.ts'
import { openPipe, type ControlDoor } from './guest-streams.ts'
import type { Guest, GuestCommand, GuestPaths, Sandbox } from './port.ts'
import type { Spawner } from './spawner/client.ts'
import type { SpawnRequest } from './spawner/messages.ts'
import { signalName, type ExitStatus } from './spawner/signals.ts'

export type HostCommand = Pick<SpawnRequest, 'argv' | 'env' | 'cwd' | 'main' | 'stdin' | 'argumentFile'>

/** How a driver starts a main process. */
export interface Launcher {
  /** Asked whenever somebody wants to know. */
  readonly paths: GuestPaths
  /** The host's command line for a guest's. `run` numbers the processes started in this sandbox from 1. */
  launch(command: GuestCommand, run: number): HostCommand
  /** True when the exit status of the spawned process carries signals as 128 + n, as shells do. */
  readonly signalsAsCodes: boolean
  /** Processes that belong to the place, not to the guest, and survive a restart. */
  spared(): readonly number[]
  listen(): Promise<{ readonly server: Server; readonly address: string }>
  connect(port: number): Promise<Socket>
  /** The host's uid that may open the guest's pipes by path; undefined: our own. */
  readonly pipeOwner?: number
  /** One more listener, at the guest's 127.0.0.1. */
  readonly listenOnLoopback?: ((port: number) => Promise<Server>) | undefined
  readonly snapshots?:
    | {
        take(pid: number, into: string): Promise<number>
        restore(from: string, run: number): HostCommand
        explain(run: number): string
      }
    | undefined
  /** What is known about a start that failed. */
  explain?(): string
  close?(): void
}

const START_DEADLINE_MS = 15_000
const KILL_DEADLINE_MS = 10_000
const DESTROY_DEADLINE_MS = 30_000

export interface LaunchedSandboxOptions {
  readonly id: string
  /** The sandbox's own directory; holds its plan, pipes and scratch files. Exists already. */
  readonly directory: string
  readonly spawner: Spawner
  readonly door: ControlDoor
  readonly confinement: Confinement
  readonly launcher: Launcher
  readonly clock: Clock
  /** Called once, after everything is removed. */
  readonly onDestroyed: () => void
}

export function createLaunchedSandbox(options: LaunchedSandboxOptions): Sandbox {
  const { id, directory, spawner, door, confinement, launcher } = options
  const generation = spawner.generation
  /** All processes that were started, the main one's runs and others. */
  let runs = 0
  /** The number of the main process's latest run. */
  let mainRun = 0
  /** Its process. */
  let mainPid: number | undefined
  /** The main process has run, and whatever it left behind may still be there. */
  let used = false
  let destroyed: Promise<void> | undefined
  const servers = new Set<Server>()
  /** Starts are done one after the other. */
  let last: Promise<unknown> = Promise.resolve()

  const refuseWhenGone = () => {
    if (destroyed) throw new Error(`The sandbox "${id}" is destroyed`)
    if (spawner.generation !== generation) throw new Error(`The sandbox "${id}" was lost with its spawner`)
  }
  const killEverything = async () => {
    confinement.thaw()
    confinement.unlimitCpu()
    await spawner.request({ op: 'kill', directory, spare: launcher.spared() }, KILL_DEADLINE_MS)
    used = false
  }

  const startMain = async (start: () => Promise<Guest>): Promise<Guest> => {
    refuseWhenGone()
    if (used) await killEverything()
    mainRun = runs + 1
    used = true
    return start()
  }
  const launch = async (command: GuestCommand) => {
    refuseZeroBytes(command)
    return launchBy((run) => launcher.launch(command, run), {
      control: command.control,
      explain: () => launcher.explain?.(),
    })
  }
  const launchBy = async (
    hostCommand: (run: number) => HostCommand,
    how: { readonly control: boolean; readonly explain: (run: number) => string | undefined },
  ): Promise<Guest> => {
    refuseWhenGone()
    const number = ++runs
    const isMain = number === mainRun
    const streams = join(directory, `run-${number}`)
    mkdirSync(streams, { mode: 0o700 })
    const pipes = { stdout: join(streams, 'stdout'), stderr: join(streams, 'stderr') }
    const paths = [pipes.stdout, pipes.stderr]
    await spawner.request({ op: 'make-fifos', paths, uid: launcher.pipeOwner })

    const opened: Socket[] = []
    const control = how.control ? door.expect(START_DEADLINE_MS) : undefined
    try {
      for (const path of paths) opened.push(openPipe(path))
      const [stdout, stderr] = opened
      if (!stdout || !stderr) throw new Error('A guest has two output pipes')
      const host = hostCommand(number)
      refuseWhenGone()

      const killsBefore = confinement.outOfMemoryKills()
      const run = `${id}.${number}`
      const { promise: exited, resolve } = Promise.withResolvers<GuestExit>()
      spawner.onExit(run, (status) => {
        const exit = launcher.signalsAsCodes ? decodeShellStatus(status) : status
        const outOfMemory = exit.signal === 'SIGKILL' && confinement.outOfMemoryKills() > killsBefore
        resolve({ ...exit, outOfMemory })
      })
      const { pid } = await spawner.request(
        {
          op: 'spawn',
          run,
          ...host,
          ...pipes,
          control: control && { socket: door.path, preamble: control.preamble },
        },
        START_DEADLINE_MS,
      )
      if (pid !== undefined && isMain) confinement.watch(pid)
      if (isMain) mainPid = pid
      return {
        control: await control?.connected,
        stdout,
        stderr,
        exited,
        signal(signal) {
          // A frozen task of cgroup version 1 ignores even SIGKILL.
          if (signal === 'SIGKILL') {
            confinement.thaw()
            confinement.unlimitCpu()
            // Beside a thousand children that still run, the main process waits seconds for its turn to die. In the
            // line of the starts, so that no later run is hit.
            const kill = () => (number === mainRun && !destroyed ? killEverything() : undefined)
            if (isMain) last = last.then(kill).catch(() => {})
          }
          spawner.request({ op: 'signal', run, signal }).catch(() => {})
        },
      }
    } catch (error) {
      for (const pipe of opened) pipe.destroy()
      control?.cancel()
      const why = how.explain(number)
      throw why === undefined ? error : new Error(`The guest did not start: ${why}`, { cause: error })
    }
  }

  const { snapshots } = launcher
  const keep = async ({ take }: NonNullable<Launcher['snapshots']>, into: string) => {
    refuseWhenGone()
    if (mainPid === undefined) throw new Error('There is no process to keep')
    confinement.thaw()
    return take(mainPid, into)
  }
  const resume = ({ restore, explain }: NonNullable<Launcher['snapshots']>, from: string) =>
    launchBy((run) => restore(from, run), { control: true, explain })

  const inLine = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }

  return {
    id,
    get paths() {
      return launcher.paths
    },
    async listen() {
      refuseWhenGone()
      const listener = await launcher.listen()
      servers.add(listener.server)
      return listener
    },
    async connect(port) {
      refuseWhenGone()
      return launcher.connect(port)
    },
    clear: () => inLine(killEverything),
    startBeside: (command) => inLine(() => launch(command)),
    start: (command) => inLine(() => startMain(() => launch(command))),
    listenOnLoopback: launcher.listenOnLoopback,
    snapshots: snapshots && {
      take: (into) => inLine(() => keep(snapshots, into)),
      restore: (from) => inLine(() => startMain(() => resume(snapshots, from))),
    },
    limitCpu: confinement.limitCpu,
    freeze: confinement.freeze,
    thaw: confinement.thaw,
    peakMemoryMiB: confinement.peakMemoryMiB,
    usage: confinement.usage,
    destroy() {
      destroyed ??= (async () => {
        confinement.unlimitCpu()
        confinement.close()
        launcher.close?.()
        for (const server of servers) server.close()
        try {
          await removeSandbox(spawner, directory, generation)
        } finally {
          options.onDestroyed()
        }
      })()
      return destroyed
    },
  }
}

/** It ends a text for whoever is told to start the guest; what follows would be read as more of the command line. */
function refuseZeroBytes({ argv, env, cwd }: GuestCommand): void {
  if ([...argv, cwd, ...Object.entries(env).flat()].some((text) => text.includes('\0')))
    throw new Error('A zero byte can be handed to no program')
}

/** A lost spawner's sandboxes are removed by its successor, which may be a moment away. */
async function removeSandbox(spawner: Spawner, directory: string, generation: number): Promise<void> {
  try {
    await spawner.request({ op: 'clean-up', directory }, DESTROY_DEADLINE_MS)
  } catch (error) {
    if (spawner.generation === generation && spawner.running) throw error
  }
}

const LAST_SIGNAL = 31
const FIRST_SIGNAL_CODE = 128

function decodeShellStatus(status: ExitStatus): ExitStatus {
  const number = (status.code ?? 0) - FIRST_SIGNAL_CODE
  if (number < 1 || number > LAST_SIGNAL) return status
  return { code: null, signal: signalName(number) }
}
