/** The ordered list of hooks that makes an environment: read it from top to bottom. */
import { decryptFailure } from '#contracts/customer-keys.ts'
import type { EnvironmentVault } from '#contracts/environment-vault.ts'
import type { PackageKeys } from '#contracts/package-keys.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { MAX_RESPONSE_BYTES } from '#contracts/limits.ts'
import type { ExtensionApi } from '#data-plane/runtime-api/port.ts'
import type { Guest, GuestCommand, SandboxDriver } from '#data-plane/sandbox/port.ts'
import type { CompileCaches, CompiledCode } from '#data-plane/worker/code/compile-caches.ts'
import type { DirectoryCache } from '#data-plane/worker/code/directory-cache.ts'
import { createConcurrentEnvironment } from '#data-plane/worker/concurrent-environment.ts'
import { createEnvironment, type StartingEnvironment } from '#data-plane/worker/environment.ts'
import { createEnvironmentLifecycle } from '#data-plane/worker/environment-lifecycle.ts'
import { imageCommand } from '#data-plane/worker/image/image-command.ts'
import { startRunWithExtensions } from '#data-plane/worker/extensions/run-with-extensions.ts'
import { guestEnvironment, type GuestCredentials } from '#data-plane/worker/guest-environment.ts'
import { startGuestRun } from '#data-plane/worker/guest-run.ts'
import { createEnvironmentLog, logStreamName } from '#data-plane/worker/log/environment-log.ts'
import type { OutputPump } from '#data-plane/worker/log/output-pump.ts'
import type { GuestListener } from '#data-plane/worker/pool/boot-sandbox.ts'
import type { Pool } from '#data-plane/worker/pool/create-pool.ts'
import type { SessionFactories } from '#data-plane/worker/session-factories.ts'
import type { HostResources } from '#data-plane/worker/port.ts'
import type { RuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
import type { SpareSandbox, SpareSandboxes } from '#data-plane/worker/spare-sandboxes.ts'
import { commandHook, wrapperOf } from '#data-plane/worker/start/command-hook.ts'
import { changedByRestore, credentialsHook } from '#data-plane/worker/start/credentials-hook.ts'
import { endpointHook } from '#data-plane/worker/start/endpoint-hook.ts'
import { filesHook } from '#data-plane/worker/start/files-hook.ts'
import { createPhaseTimer } from '#data-plane/worker/start/phase-timer.ts'
import { pooledHook, type PooledSandbox } from '#data-plane/worker/start/pooled-hook.ts'
import { sandboxHook } from '#data-plane/worker/start/sandbox-hook.ts'
import type { Subject } from '#data-plane/worker/start/stage.ts'
import type { Images } from '#images/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger, LogSink, Metrics } from '#observability/port.ts'
import type { Blobs } from '#store/port.ts'

/** What an environment needs from its host. */
export interface EnvironmentHost {
  readonly driver: SandboxDriver
  readonly resources: HostResources
  readonly sessions: SessionFactories
  readonly blobs: Blobs
  readonly cache: DirectoryCache
  readonly images: Pick<Images, 'prepare'> | undefined
  readonly runtimes: RuntimeFiles
  readonly clientsDirectory: string
  readonly environments: Pick<EnvironmentVault, 'open'>
  readonly packageKeys: Pick<PackageKeys, 'open'>
  readonly credentials: (version: FunctionVersion) => GuestCredentials | Promise<GuestCredentials>
  readonly endpointUrl: string | undefined
  readonly logSink: LogSink
  readonly metrics: Metrics
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly compileCaches: CompileCaches
  readonly spares: SpareSandboxes
  /** Undefined: every environment boots for itself. */
  readonly pool: Pool | undefined
}

/** Only the process that waited has the compiled code: one that is started later does without. */
const firstInitWith = ({ sandbox }: PooledSandbox, compiled: CompiledCode) => ({
  firstInit: {
    compileCacheDir: compiled.guestDirectory(sandbox.paths),
    keepsCompiled: compiled.directory === undefined,
  },
  onReady: () => compiled.collect(sandbox),
})

/** Everything but the init, which the caller runs. What was set up is undone when it rejects. */
export async function assembleEnvironment(
  subject: Subject,
  host: EnvironmentHost,
): Promise<StartingEnvironment> {
  const { version, runtime, type, snapshot } = subject
  const { clock, logger } = host
  await using undo = new AsyncDisposableStack()
  const timer = createPhaseTimer(subject, host)

  // First, because it costs little and may be refused.
  const variables = await openVariables(version, host.environments)
  const files = await filesHook(subject, host, undo)
  const { image } = files
  timer.ended('code')
  if (snapshot && files.external.length > 0) throw new Error('A function with extensions can not be kept')
  const booted =
    files.image || snapshot ? undefined : await pooledHook(subject, host, { ...files, variables }, undo)
  const spare = snapshot?.from === undefined ? undefined : host.spares.take(snapshot.owner)
  if (spare) undo.defer(spare.destroy)
  const sandbox = booted?.sandbox ?? spare?.sandbox ?? (await sandboxHook(subject, host, files, undo))
  const endpoint = await endpointHook(sandbox, booted?.endpoint, undo)
  timer.ended('sandbox', booted || spare ? 'pool' : 'boot')
  const { id } = sandbox

  const telemetry = host.sessions.telemetry({ connect: (port) => sandbox.connect(port), clock })
  undo.defer(() => telemetry.stop())
  const stream = logStreamName(version, id, clock.now())
  const log = createEnvironmentLog({
    version,
    runtime: image ? undefined : runtime,
    initializationType: type,
    stream,
    sink: host.logSink,
    telemetry,
    clock,
  })
  const env = guestEnvironment({
    version,
    runtime,
    initializationType: type,
    paths: sandbox.paths,
    image: image?.config.environment,
    logStream: stream,
    variables,
    credentials:
      (snapshot && (await credentialsHook(subject, host, sandbox, undo))) ??
      (await host.credentials(version)),
    // Where nothing is to be reached, there is nothing to be told either.
    endpointUrl: host.resources.networkOf(version) === 'none' ? undefined : host.endpointUrl,
    runtimeApi: endpoint.address,
  })
  const command = files.image
    ? await imageCommand(files.image, version.imageOverrides, env)
    : await commandHook(subject, { ...files, paths: sandbox.paths, env })

  const openHttp = (api: ExtensionApi) => {
    const maxResponseBytes = MAX_RESPONSE_BYTES
    if (version.managedInstances) {
      const { maxConcurrency } = version.managedInstances
      return host.sessions.concurrent({ api, maxResponseBytes, maxConcurrency })
    }
    return runtime.protocol === 'http' && host.sessions.http({ api, maxResponseBytes })
  }
  const openFramed = (guest: Guest, output: Pick<OutputPump, 'feed' | 'endLine'>) => {
    if (!guest.control) throw new TypeError('The sandbox gave a managed runtime no control socket')
    const listener: GuestListener = {
      onLog(record) {
        output.endLine()
        log.record(record)
      },
      onOutput: output.feed,
    }
    if (guest === booted?.guest) return booted.session(listener)
    return host.sessions.framed({ control: guest.control, maxResponseBytes: MAX_RESPONSE_BYTES, ...listener })
  }

  /** The process that waits for its function already; any further one is started for it. */
  let waiting = booted?.guest
  /** The first process is continued; any further one is started. */
  let kept = snapshot?.from
  const runIn = {
    start(toStart: GuestCommand) {
      const from = kept
      kept = undefined
      if (from !== undefined && sandbox.snapshots) return sandbox.snapshots.restore(from)
      const guest = waiting
      waiting = undefined
      return guest ? Promise.resolve(guest) : sandbox.start(toStart)
    },
    thaw: () => sandbox.thaw(),
  }

  const everything = undo.move()
  const create = version.managedInstances ? createConcurrentEnvironment : createEnvironment
  return create({
    id,
    version,
    type,
    sandbox,
    lifecycle: booted?.lifecycle ?? createEnvironmentLifecycle(),
    log,
    guestInit: {
      // A wrapper may have changed both: what the process was started with counts.
      ...(wrapperOf(variables) === undefined
        ? { handler: version.handler ?? '', env }
        : { handler: '', env: {} }),
      taskRoot: sandbox.paths.task,
    },
    ...(booted?.compiled && firstInitWith(booted, booted.compiled)),
    ...(snapshot?.from !== undefined && { restoredEnv: changedByRestore(env) }),
    startRun: (limitMs) =>
      'errorType' in command
        ? Promise.resolve(command)
        : startRunWithExtensions({
            subject,
            host,
            sandbox,
            external: files.external,
            environment: env,
            telemetry,
            log,
            limitMs,
            server: endpoint.server,
            startRuntime(api) {
              // It answers from the first moment: a fast runtime calls before its start is known here.
              const http = openHttp(api)
              return startGuestRun({
                sandbox: runIn,
                command,
                openSession: (guest, output) => http || openFramed(guest, output),
                onLines: (lines) => log.lines(lines),
                clock,
              })
            },
          }),
    tearDown: () =>
      everything.disposeAsync().catch((error: unknown) => {
        logger.error('An environment could not be taken down completely', { environment: id, error })
      }),
    timer,
    clock,
    logger,
  })
}

/** A sandbox for the next environment that begins from this snapshot. */
export async function makeSpareSandbox(subject: Subject, host: EnvironmentHost): Promise<SpareSandbox> {
  await using undo = new AsyncDisposableStack()
  const files = await filesHook(subject, host, undo)
  const sandbox = await sandboxHook(subject, host, files, undo)
  const everything = undo.move()
  const destroy = () =>
    everything.disposeAsync().catch((error: unknown) => {
      host.logger.error('A sandbox made ahead was not removed cleanly', { error: String(error) })
    })
  return { sandbox, destroy }
}

async function openVariables(
  version: FunctionVersion,
  environments: EnvironmentHost['environments'],
): Promise<Readonly<Record<string, string>>> {
  if (version.sealedEnvironment === undefined) return {}
  try {
    return JSON.parse(await environments.open(version, version.sealedEnvironment))
  } catch (error) {
    throw decryptFailure(error)
  }
}
