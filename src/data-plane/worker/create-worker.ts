/** The host agent: keeps the environments of this host within its memory, and ends them all when it stops. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { functionArn } from '#contracts/arn.ts'
import type { EnvironmentVault } from '#contracts/environment-vault.ts'
import type { PackageKeys } from '#contracts/package-keys.ts'
import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import { imageKeyOf, type FunctionVersion } from '#contracts/function.ts'
import { findRuntime, IMAGE_RUNTIME, type RuntimeDescription } from '#contracts/runtime.ts'
import { acquireCodeFiles } from '#data-plane/worker/code/code-files.ts'
import { createCompileCaches } from '#data-plane/worker/code/compile-caches.ts'
import { createDirectoryCache } from '#data-plane/worker/code/directory-cache.ts'
import { imageObstacle } from '#data-plane/worker/image/image-obstacle.ts'
import type { StartingEnvironment } from '#data-plane/worker/environment.ts'
import type { GuestCredentials } from '#data-plane/worker/guest-environment.ts'
import { hostObstacle } from '#data-plane/worker/host-obstacle.ts'
import { createMemoryPromises } from '#data-plane/worker/memory-promises.ts'
import { bootSandbox } from '#data-plane/worker/pool/boot-sandbox.ts'
import { createPool } from '#data-plane/worker/pool/create-pool.ts'
import { createRememberedDemand } from '#data-plane/worker/pool/remembered-demand.ts'
import { fitsPool, poolShape, shapeOf } from '#data-plane/worker/pool/pool-shape.ts'
import type { Environment, HostResources, InitializationType, Worker } from '#data-plane/worker/port.ts'
import type { RuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
import { createSnapshots } from '#data-plane/worker/snapshots.ts'
import { interpreterHook } from '#data-plane/worker/start/interpreter-hook.ts'
import type { SessionFactories } from '#data-plane/worker/session-factories.ts'
import { prepareImage } from '#data-plane/worker/start/image-hook.ts'
import { createStartHistory } from '#data-plane/worker/start/start-history.ts'
import { createSpareSandboxes } from '#data-plane/worker/spare-sandboxes.ts'
import { assembleEnvironment, makeSpareSandbox } from '#data-plane/worker/start/start-environment.ts'
import type { Subject } from '#data-plane/worker/start/stage.ts'
import type { Images } from '#images/port.ts'
import type { SandboxDriver, SnapshotSpec } from '#data-plane/sandbox/port.ts'
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
  /** Opens code packages, likewise. */
  readonly packageKeys: Pick<PackageKeys, 'open'>
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
  /** Left out: every function reaches the internet, and no access point stands for a directory. */
  readonly resources?: HostResources
  /** Left out: functions of package type Image fail to become Active. */
  readonly images?: Pick<Images, 'prepare'>
  /** Where AWS clients in a guest find us, as the guest reaches it. */
  readonly endpointUrl?: string
  /** Credentials of the execution role. Left out: the fixed test credentials. */
  readonly credentials?: (version: FunctionVersion) => GuestCredentials | Promise<GuestCredentials>
  readonly limits: {
    /** Memory that may be promised to environments together, MiB. */
    readonly maxMemoryMiB: number
    readonly maxCacheBytes?: number
    /** Memory for runtimes that are booted before a function needs them, MiB. Left out or 0: none are. */
    readonly poolMemoryMiB?: number
  }
}

const DEFAULT_CACHE_BYTES = 10 * GIB
/** Beside the unpacked code. */
const DEMAND_FILE = 'pool-demand.json'
/** Part of the memory for environments that the pool may have at most: one so many-th. */
const LARGEST_POOL_SHARE = 8
/** How long `stop` waits for starts that are under way. */
const STOP_GRACE_MS = 5000
/** Accepted wherever signatures are not checked. */
const TEST_CREDENTIALS: GuestCredentials = {
  accessKeyId: 'test',
  secretAccessKey: 'test',
  sessionToken: 'test',
}

const NO_RESOURCES: HostResources = { networkOf: () => 'internet', directoryOf: () => undefined }

export function createWorker(options: WorkerOptions): Worker {
  const { driver, blobs, metrics, logger, clock, limits } = options
  const cache = createDirectoryCache({
    root: options.cacheDirectory,
    maxBytes: limits.maxCacheBytes ?? DEFAULT_CACHE_BYTES,
    clock,
    logger,
  })
  const cores = availableParallelism()
  const poolMemoryMiB = Math.min(limits.poolMemoryMiB ?? 0, limits.maxMemoryMiB / LARGEST_POOL_SHARE)
  const demand = createRememberedDemand({ file: join(options.cacheDirectory, DEMAND_FILE), logger })
  const pool =
    poolMemoryMiB > 0
      ? createPool({
          boot: (shape, background) => bootSandbox(shape, options, background),
          maxMemoryMiB: poolMemoryMiB,
          builders: Math.max(1, cores - 1),
          isBusy: () => starting.size > 0 || busyEnvironments() >= cores,
          remember: demand.write,
          clock,
          metrics,
          logger,
        })
      : undefined
  /** Boots what an earlier run of this program had ready. */
  const recall = async () => {
    for (const { runtime: identifier, peak, ...wanted } of await demand.read()) {
      const runtime = findRuntime(identifier)
      if (!runtime?.runnable) continue
      const shape = shapeOf(runtime, await interpreterHook({ runtime }, options), wanted)
      if (shape) pool?.expect(shape, peak)
    }
  }
  const spares = createSpareSandboxes({ logger })
  const history = createStartHistory()
  const host = {
    ...options,
    images: options.images,
    pool,
    spares,
    compileCaches: createCompileCaches({ cache, logger }),
    cache,
    resources: options.resources ?? NO_RESOURCES,
    credentials: options.credentials ?? (() => TEST_CREDENTIALS),
    endpointUrl: options.endpointUrl,
  }
  const snapshots = createSnapshots({
    cache,
    report: driver.report,
    interpreterOf: async (runtime) => (await interpreterHook({ runtime }, options)).interpreter,
    logger,
  })
  const memory = createMemoryPromises(limits.maxMemoryMiB)
  const environments = new Set<StartingEnvironment>()
  /** Starts under way, so that `stop` leaves none behind. */
  const starting = new Set<Promise<unknown>>()
  let accepting = true
  const busyEnvironments = () => [...environments].filter(({ state }) => state === 'busy').length

  const gauges = () => {
    metrics.gauge('lambent_environments', environments.size)
    metrics.gauge('lambent_environments_memory_mib', memory.promisedMiB)
  }

  const start = async (
    version: FunctionVersion,
    type: InitializationType,
    waitedMs: number,
  ): Promise<Environment> => {
    const runtime = describeRuntime(version)
    const giveBack = memory.promise(version.memoryMiB)
    const before = clock.monotonic()
    const waited = waitedMs > 0 ? [{ phase: 'placement' as const, durationMs: waitedMs }] : []
    let environment: StartingEnvironment | undefined
    const remember = (failed: boolean) =>
      history.add({
        at: clock.now(),
        functionArn: functionArn(version, version.version),
        initializationType: held ? 'snap-start' : type,
        from: environment?.timer.from ?? 'boot',
        phases: [...waited, ...(environment?.timer.phases ?? [])],
        totalMs: waitedMs + clock.monotonic() - before,
        failed,
      })
    const missed = () => void takeSnapshot(version, runtime).catch(notTaken)
    const held = type === 'on-demand' ? await snapshots.find(version, runtime, missed) : undefined
    try {
      const subject = held
        ? { version, runtime, type: 'snap-start' as const, snapshot: held }
        : { version, runtime, type }
      environment = await assembleEnvironment(subject, host)
    } catch (error) {
      remember(true)
      held?.release()
      giveBack()
      throw platformError(error)
    }
    const made = environment
    environments.add(made)
    gauges()
    void made.gone.then(() => {
      environments.delete(made)
      held?.release()
      giveBack()
      gauges()
    })
    if (!accepting) {
      await environment.stop()
      throw serviceFailure('The worker is stopping')
    }
    await made.initialise().catch((error: unknown) => {
      remember(true)
      throw error
    })
    remember(!made.initialised)
    if (held) void spareFor({ version, runtime, type: 'snap-start', snapshot: held })
    metrics.count('lambent_environment_starts_total', 1, { runtime: runtime.identifier })
    metrics.observe('lambent_environment_start_seconds', (clock.monotonic() - before) / 1000, {
      runtime: runtime.identifier,
    })
    return environment
  }

  const spareFor = (subject: Subject & { readonly snapshot: SnapshotSpec }) =>
    spares.keep(subject.snapshot.owner, () => makeSpareSandbox(subject, host))
  const notTaken = (error: unknown) =>
    logger.warn('A snapshot could not be taken, so functions initialise as usual', { error: String(error) })
  const takeSnapshot = async (version: FunctionVersion, runtime: RuntimeDescription) => {
    const held = await snapshots.take(version, runtime, async (snapshot, into) => {
      const giveBack = memory.promise(version.memoryMiB)
      try {
        const subject = { version, runtime, type: 'snap-start' as const, snapshot }
        const environment = await assembleEnvironment(subject, host)
        environments.add(environment)
        try {
          return await environment.capture(into)
        } finally {
          await environment.stop()
          environments.delete(environment)
        }
      } finally {
        giveBack()
      }
    })
    if (!held) return
    await spareFor({ version, runtime, type: 'snap-start', snapshot: held })
    held.release()
  }

  return {
    async start() {
      const found = await driver.sweep()
      if (found > 0) logger.warn('Removed what an earlier run has left', { sandboxes: found })
      await cache.open()
      if (!pool) return
      recall().catch((error: unknown) =>
        logger.info('A runtime that had waited for functions is not here any more', { error: String(error) }),
      )
    },
    startEnvironment(version, type, waitedMs = 0) {
      if (!accepting) return Promise.reject(serviceFailure('The worker is stopping'))
      const work = start(version, type, waitedMs)
      starting.add(work)
      const forget = () => void starting.delete(work)
      // oxlint-disable-next-line promise/no-callback-in-promise -- not a callback of anybody's: it only forgets
      work.then(forget, forget)
      return work
    },
    async prepare(version) {
      const obstacle = hostObstacle(version, driver.report, host.resources)
      if (obstacle) throw obstacle
      if (version.packageType === 'Image') {
        const wrong = await imageObstacle(version, await prepareImage(version, options.images))
        if (wrong) throw wrong
        return
      }
      const runtime = describeRuntime(version)
      try {
        const shape = poolShape(version, runtime, await interpreterHook({ runtime }, options))
        if (shape && fitsPool(version, host.resources)) pool?.expect(shape)
        const files = await acquireCodeFiles({ version, blobs, cache, packageKeys: options.packageKeys })
        files.release()
        await takeSnapshot(version, runtime).catch((error: unknown) => {
          // The function's own failure is the version's; what this host can't is not.
          if (error instanceof LambdaError) throw error
          notTaken(error)
        })
      } catch (error) {
        throw platformError(error)
      }
    },
    capacity: () => ({
      memoryMiB: memory.promisedMiB,
      maxMemoryMiB: limits.maxMemoryMiB,
      environments: environments.size,
    }),
    starts: history.list,
    pools: () => pool?.report() ?? [],
    images: () =>
      [...environments].map(({ version }) => imageKeyOf(version)).filter((key) => key !== undefined),
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
      await spares.stop()
      await pool?.stop()
      await driver.stop()
    },
  }
}

function describeRuntime(version: FunctionVersion): RuntimeDescription {
  if (version.packageType === 'Image') return IMAGE_RUNTIME
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
