/** A worker that a test drives step by step: nothing starts, ends or fails unless the test says so. */
import type { EnvironmentState } from '#contracts/environment.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { GuestInvocation } from '#contracts/invocation.ts'
import type { Environment, InitializationType, Worker } from '#data-plane/worker/port.ts'

export interface FakeEnvironment extends Environment {
  /** What it runs now. */
  readonly running: GuestInvocation | undefined
  /** Request ids in the order they came. */
  readonly log: readonly string[]
  /** The test may set it: whether another init is not needed. */
  initialised: boolean
  /** Ends the running invocation; the environment is idle again, or what `next` says. */
  finish(next?: EnvironmentState): void
  /** Fails it with a fault of the platform. */
  fail(error: Error): void
  /** Dies by itself. */
  die(): void
  readonly stops: number
}

export interface FakeStart {
  readonly version: FunctionVersion
  readonly type: InitializationType
  /** With `initialised` false: the customer's init failed. */
  succeed(initialised?: boolean): FakeEnvironment
  fail(error: Error): void
}

export interface FakeWorker extends Pick<Worker, 'startEnvironment' | 'capacity'> {
  readonly starts: readonly FakeStart[]
  readonly environments: readonly FakeEnvironment[]
  /** When true, `stop` of an environment does not end before the test calls `die`. */
  slowStop: boolean
}

interface Running {
  readonly invocation: GuestInvocation
  readonly finish: () => void
  readonly fail: (error: Error) => void
}

/** With `concurrent` an environment takes several invocations at once; they end in the order they came. */
export function createFakeWorker(
  options: { readonly maxMemoryMiB?: number; readonly concurrent?: boolean } = {},
): FakeWorker {
  const starts: FakeStart[] = []
  const environments: FakeEnvironment[] = []

  const createEnvironment = (version: FunctionVersion): FakeEnvironment => {
    let state: EnvironmentState = 'idle'
    const running: Running[] = []
    let stops = 0
    let setGone = () => {}
    const gone = new Promise<void>((resolve) => (setGone = resolve))
    const log: string[] = []
    const environment: FakeEnvironment = {
      id: `e${environments.length}`,
      usage: () => ({ usedMiB: 41, cpuMs: 7, invocations: 0 }),
      version,
      get state() {
        return state
      },
      idleSince: 0,
      startedAt: 0,
      initialised: true,
      gone,
      log,
      get running() {
        return running[0]?.invocation
      },
      get stops() {
        return stops
      },
      invoke(invocation) {
        if (state !== 'idle' && !(options.concurrent && state === 'busy')) {
          throw new Error(`Two invocations at once, or one while ${state}`)
        }
        log.push(invocation.requestId)
        state = 'busy'
        return new Promise((resolve, reject) => {
          running.push({
            invocation,
            finish: () => resolve({ payload: invocation.payload }),
            fail: reject,
          })
        })
      },
      async stop() {
        stops++
        if (state !== 'gone') state = 'stopping'
        if (!worker.slowStop) environment.die()
      },
      finish(next = 'idle') {
        const ended = running.shift()
        if (running.length === 0) state = next
        ended?.finish()
      },
      fail(error) {
        running.shift()?.fail(error)
      },
      die() {
        state = 'gone'
        setGone()
      },
    }
    environments.push(environment)
    return environment
  }

  const worker: FakeWorker = {
    starts,
    environments,
    slowStop: false,
    startEnvironment: (version, type) =>
      new Promise((resolve, reject) => {
        starts.push({
          version,
          type,
          succeed(initialised = true) {
            const environment = createEnvironment(version)
            environment.initialised = initialised
            resolve(environment)
            return environment
          },
          fail: reject,
        })
      }),
    capacity: () => ({ memoryMiB: 0, maxMemoryMiB: options.maxMemoryMiB ?? 1_000_000, environments: 0 }),
  }
  return worker
}
