/** The host agent: keeps the environments of this host within its memory, and ends them all when it stops. */
import type { EnvironmentVault } from '#contracts/environment-vault.ts'
import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { findRuntime, type RuntimeDescription } from '#contracts/runtime.ts'
import { acquireCodeFiles } from '#data-plane/worker/code/code-files.ts'
import { createDirectoryCache } from '#data-plane/worker/code/directory-cache.ts'
import type { StartingEnvironment } from '#data-plane/worker/environment.ts'
import type { GuestCredentials } from '#data-plane/worker/guest-environment.ts'
import { createMemoryPromises } from '#data-plane/worker/memory-promises.ts'
import type { Environment, InitializationType, Worker } from '#data-plane/worker/port.ts'
import type { RuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
import { assembleEnvironment, type SessionFactories } from '#data-plane/worker/start/start-environment.ts'
import type { SandboxDriver } from '#data-plane/sandbox/port.ts'
import { sleep, type Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import { GIB } from '#kernel/units.ts'
import type { Logger, LogSink, Metrics } from '#observability/port.ts'
import type { Blobs } from '#store/port.ts'

export interface WorkerOptions {
  /** The worker sweeps it at start and stops it at the end. */
  readonly driver: SandboxDriver
  readonly sessions: SessionFactories
  readonly blobs: Blobs
  /** Opens the variables of functions, when an environment starts and never later. */
  readonly environments: Pick<EnvironmentVault, 'open'>
  readonly logSink: LogSink
  readonly metrics: Metrics
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly runtimes: RuntimeFiles
  /** Unpacked code and layers; this worker's own. */
  readonly cacheDirectory: string
  /** Our runtime clients: one directory per family (`nodejs`, `python`). */
  readonly clientsDirectory: string
  /** Where AWS clients in a guest find us, as the guest reaches it. */
  readonly endpointUrl?: string
  /** Credentials of the execution role. Left out: the fixed test credentials. */
  readonly credentials?: (version: FunctionVersion) => GuestCredentials | Promise<GuestCredentials>
  readonly limits: {
    /** Memory that may be promised to environments together, MiB. */
    readonly maxMemoryMiB: number
    readonly maxCacheBytes?: number
  }
}

const DEFAULT_CACHE_BYTES = 10 * GIB
/** How long `stop` waits for starts that are under way. */
const STOP_GRACE_MS = 5000
/** Accepted wherever signatures are not checked. */
const TEST_CREDENTIALS: GuestCredentials = {
  accessKeyId: 'test',
  secretAccessKey: 'test',
  sessionToken: 'test',
}

export function createWorker(options: WorkerOptions): Worker {
  const { driver, blobs, metrics, logger, clock, random, runtimes, limits } = options
  const cache = createDirectoryCache({
    root: options.cacheDirectory,
    maxBytes: limits.maxCacheBytes ?? DEFAULT_CACHE_BYTES,
    clock,
    logger,
  })
  const host = {
    ...options,
    cache,
    credentials: options.credentials ?? (() => TEST_CREDENTIALS),
    endpointUrl: options.endpointUrl,
  }
  const memory = createMemoryPromises(limits.maxMemoryMiB)
  const environments = new Set<StartingEnvironment>()
  /** Starts under way, so that `stop` leaves none behind. */
  const starting = new Set<Promise<unknown>>()
  let accepting = true

  const gauges = () => {
    metrics.gauge('lambent_environments', environments.size)
    metrics.gauge('lambent_environments_memory_mib', memory.promisedMiB)
  }

  const start = async (version: FunctionVersion, type: InitializationType): Promise<Environment> => {
    const runtime = describeRuntime(version)
    const giveBack = memory.promise(version.memoryMiB)
    const before = clock.monotonic()
    let environment: StartingEnvironment
    try {
      const subject = { id: random.hex(32), version, runtime, type }
      environment = await assembleEnvironment(subject, host)
    } catch (error) {
      giveBack()
      throw platformError(error)
    }
    environments.add(environment)
    gauges()
    void environment.gone.then(() => {
      environments.delete(environment)
      giveBack()
      gauges()
    })
    if (!accepting) {
      await environment.stop()
      throw serviceFailure('The worker is stopping')
    }
    await environment.initialise()
    metrics.count('lambent_environment_starts_total', 1, { runtime: runtime.identifier })
    metrics.observe('lambent_environment_start_seconds', (clock.monotonic() - before) / 1000, {
      runtime: runtime.identifier,
    })
    return environment
  }

  return {
    async start() {
      const found = await driver.sweep()
      if (found > 0) logger.warn('Removed what an earlier run has left', { sandboxes: found })
      await cache.open()
    },
    startEnvironment(version, type) {
      if (!accepting) return Promise.reject(serviceFailure('The worker is stopping'))
      const work = start(version, type)
      starting.add(work)
      const forget = () => void starting.delete(work)
      // oxlint-disable-next-line promise/no-callback-in-promise -- not a callback of anybody's: it only forgets
      work.then(forget, forget)
      return work
    },
    async prepare(version) {
      const runtime = describeRuntime(version)
      try {
        await runtimes.resolve(runtime)
        const files = await acquireCodeFiles({ version, blobs, cache })
        files.release()
      } catch (error) {
        throw platformError(error)
      }
    },
    capacity: () => ({
      memoryMiB: memory.promisedMiB,
      maxMemoryMiB: limits.maxMemoryMiB,
      environments: environments.size,
    }),
    async drain(deadlineMs) {
      accepting = false
      const until = clock.monotonic() + deadlineMs
      const busy = () => starting.size > 0 || [...environments].some(({ state }) => state === 'busy')
      while (busy() && clock.monotonic() < until) await sleep(clock, Math.min(10, until - clock.monotonic()))
    },
    async stop() {
      accepting = false
      // A start that is under way notices when its environment has been assembled.
      await Promise.all([...environments].map((environment) => environment.stop()))
      // One that still downloads its runtime must not hold the end up: without a driver it comes to nothing.
      await Promise.race([Promise.allSettled(starting), sleep(clock, STOP_GRACE_MS)])
      await Promise.all([...environments].map((environment) => environment.stop()))
      await driver.stop()
    },
  }
}

function describeRuntime(version: FunctionVersion): RuntimeDescription {
  if (version.packageType === 'Image') {
    throw new LambdaError(
      'InvalidRuntimeException',
      'Container images cannot be run by this version of the worker',
      {
        status: 502,
        fault: 'platform',
      },
    )
  }
  const runtime = findRuntime(version.runtime ?? '')
  if (!runtime) {
    throw new LambdaError(
      'InvalidRuntimeException',
      `There is no runtime ${JSON.stringify(version.runtime)}`,
      {
        status: 502,
      },
    )
  }
  return runtime
}

const platformError = (error: unknown): LambdaError =>
  error instanceof LambdaError
    ? error
    : serviceFailure(
        `The execution environment could not be started: ${error instanceof Error ? error.message : String(error)}`,
        error,
      )
