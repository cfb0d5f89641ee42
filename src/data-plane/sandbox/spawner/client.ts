/** The serving process's side of the spawner: starts it, talks to it, starts another when it dies. */
import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { Socket, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'

import { sleep, type Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'

import type { SpawnerReply, SpawnerRequest, SpawnerValue } from './messages.ts'
import type { ExitStatus } from './signals.ts'

/** Which namespaces the spawner itself lives in, so that nothing it mounts is seen outside. */
export type SpawnerPlace =
  | 'host'
  | 'mount-namespace'
  /** Without root: the spawner is root of a user namespace of its own. */
  | 'user-namespace'
  /** The same with a network of its own, without which it could not enter and leave others. */
  | 'user-and-network-namespace'

export interface Spawner {
  /** Counts the spawners there were: what was made by an earlier one is gone. */
  readonly generation: number
  /** False between the death of one spawner and the start of the next. */
  readonly running: boolean
  /** System calls beyond Node's own are at hand (see native.ts). */
  readonly native: boolean
  /** Resolves when no successor of a dead spawner is sweeping: from then on nothing new is swept away. */
  ready(): Promise<void>
  /** Rejects when the spawner refuses or fails, dies, or has not answered within `deadlineMs`. */
  request(request: SpawnerRequest, deadlineMs?: number): Promise<Answer>
  /** Calls back once when the run has ended, also when the spawner is lost. Call it before the run starts. */
  onExit(run: string, ended: (status: ExitStatus) => void): void
  /** Ends the spawner and everything it started. */
  stop(): Promise<void>
}

export interface Answer extends SpawnerValue {
  readonly server?: Server
  readonly socket?: Socket
}

const READY_DEADLINE_MS = 10_000
const REQUEST_DEADLINE_MS = 15_000
const SWEEP_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 10_000
/** Requests in flight; beyond that something is badly wrong and refusing is better than queueing. */
const MAX_PENDING = 4096
/** Between the starts of spawners that die young, so that a broken machine is not kept busy. */
const RESTART_DELAY_MS = 500
const RETRY_DELAY_MS = 10_000

interface Pending {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  readonly cancelTimer: () => void
}

export async function createSpawner(options: {
  readonly stateDirectory: string
  readonly place: SpawnerPlace
  /** Environment of the spawner itself; guests never see it. */
  readonly env?: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly logger: Logger
}): Promise<Spawner> {
  const { clock, logger } = options
  const pending = new Map<number, Pending>()
  const exits = new Map<string, (status: ExitStatus) => void>()
  let child: ChildProcess | undefined
  let generation = 0
  let native = false
  let nextId = 1
  let stopped = false
  /** While a successor of a dead spawner starts and sweeps; everything else waits for it. Never rejects. */
  let restarting: Promise<void> | undefined

  const takePending = (id: number) => {
    const entry = pending.get(id)
    pending.delete(id)
    entry?.cancelTimer()
    return entry
  }
  const onMessage = (message: unknown, handle: unknown) => {
    const reply = message as SpawnerReply
    if (reply.kind === 'reply') {
      const entry = takePending(reply.id)
      if (handle instanceof Socket) {
        if (entry) entry.resolve({ ...reply.value, socket: handle })
        else handle.destroy()
        return
      }
      const server = handle as Server | undefined
      // Nobody waits for it any more: an open listener would take the guest's connections for ever.
      if (!entry) server?.close()
      entry?.resolve(server ? { ...reply.value, server } : reply.value)
    } else if (reply.kind === 'failure') {
      takePending(reply.id)?.reject(new Error(reply.message))
    } else if (reply.kind === 'exit') {
      const ended = exits.get(reply.run)
      exits.delete(reply.run)
      ended?.({ code: reply.code, signal: reply.signal })
    }
  }
  const onLost = () => {
    child = undefined
    for (const id of pending.keys()) takePending(id)?.reject(new Error('The spawner process has ended'))
    const lost = [...exits.values()]
    exits.clear()
    for (const ended of lost) ended({ code: null, signal: 'SIGKILL' })
    if (stopped) return
    logger.error('The spawner process has ended; its sandboxes are lost and another one starts')
    restarting = sleep(clock, RESTART_DELAY_MS).then(restart)
  }
  const restart = async () => {
    if (stopped) return
    try {
      await start()
      await ask({ op: 'sweep' }, SWEEP_DEADLINE_MS)
    } catch (error) {
      logger.error('The spawner process does not start', { error: String(error) })
      restarting = child ? undefined : sleep(clock, RETRY_DELAY_MS).then(restart)
      return
    }
    restarting = undefined
  }

  const start = async () => {
    const [file = '', ...args] = commandLine(options.place, options.stateDirectory)
    const started = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { PATH: process.env['PATH'], ...options.env },
      detached: true,
    })
    const ready = new EventEmitter()
    started.on('message', (message: SpawnerReply, handle) => {
      if (message.kind === 'ready') ready.emit('ready', message)
      else onMessage(message, handle)
    })
    const cancel = clock.after(READY_DEADLINE_MS, () => started.kill('SIGKILL'))
    started.once('error', (error) => ready.emit('error', error))
    started.once('exit', (code) =>
      ready.emit('error', new Error(`The spawner process ended at its start (exit ${code})`)),
    )
    try {
      const [message] = (await once(ready, 'ready')) as [{ readonly native: boolean }]
      native = message.native
    } finally {
      cancel()
    }
    ready.on('error', () => {})
    started.once('exit', onLost)
    child = started
    generation++
  }
  const ask = (request: SpawnerRequest, deadlineMs: number): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (!child?.connected) {
        reject(new Error('The spawner process is not running'))
        return
      }
      if (pending.size >= MAX_PENDING) {
        reject(new Error(`${MAX_PENDING} requests to the spawner are waiting already`))
        return
      }
      const id = nextId++
      const cancelTimer = clock.after(deadlineMs, () => {
        pending.delete(id)
        reject(new Error(`The spawner did not answer "${request.op}" within ${deadlineMs} ms`))
      })
      pending.set(id, { resolve, reject, cancelTimer })
      child.send({ id, request })
    })

  await start()
  return {
    get generation() {
      return generation
    },
    get running() {
      return child !== undefined
    },
    get native() {
      return native
    },
    async ready() {
      await restarting
    },
    async request(request, deadlineMs = REQUEST_DEADLINE_MS) {
      await restarting
      return ask(request, deadlineMs)
    },
    onExit(run, ended) {
      exits.set(run, ended)
    },
    async stop() {
      stopped = true
      const ending = child
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
      const exited = once(ending, 'exit')
      const cancel = clock.after(STOP_DEADLINE_MS, () => ending.kill('SIGKILL'))
      if (ending.connected) ending.disconnect()
      await exited
      cancel()
    },
  }
}

/**
 * Where the spawner's private mounts are; on the host itself only the empty directory exists. Users that sandboxes are
 * mapped to may walk in here, which they may not in most state directories.
 */
export const PRIVATE_PLACE = '/run/lambent'

/** Some runtimes refuse hosts that have both cgroup versions mounted: only one of them is to be seen. */
export const HIDE_HYBRID =
  'if [ -d /sys/fs/cgroup/memory ]; then umount /sys/fs/cgroup/unified 2>/dev/null; fi'

/**
 * The root of all guests is shown at a place that its users can reach. Without root ($2) there are no other users, and
 * the place could not be made.
 */
const PREPARE = `
${HIDE_HYBRID}
if [ "$2" = mount-namespace ] && [ -d "$1/root" ]; then
  mkdir -p ${PRIVATE_PLACE} && mount -t tmpfs -o mode=755,size=4m lambent ${PRIVATE_PLACE} &&
  mkdir ${PRIVATE_PLACE}/root && mount --bind "$1/root" ${PRIVATE_PLACE}/root || exit 72
fi
shift 2
exec "$@"
`

function commandLine(place: SpawnerPlace, stateDirectory: string): readonly string[] {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const entry = fileURLToPath(new URL(`./main.${extension}`, import.meta.url))
  const conditions = extension === 'ts' ? ['--conditions=source'] : []
  const node = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    '--max-semi-space-size=1',
    ...conditions,
    entry,
    stateDirectory,
  ]
  if (place === 'host') return node
  const user = place === 'mount-namespace' ? [] : ['--user', '--map-root-user']
  if (place === 'user-and-network-namespace') user.push('--net')
  return [
    'unshare',
    ...user,
    '--mount',
    '--propagation',
    'slave',
    '--',
    'sh',
    '-c',
    PREPARE,
    'sh',
    stateDirectory,
    place,
    ...node,
  ]
}
