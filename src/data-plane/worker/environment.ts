/** One execution environment from its first initialisation to its end. */
import type { FunctionVersion } from '#contracts/function.ts'
import { serviceFailure } from '#contracts/errors.ts'
import type { GuestInvocation, InvocationResult, ResponseStream } from '#contracts/invocation.ts'
import { INIT_TIMEOUT_MS } from '#contracts/limits.ts'
import type { GuestInit, ShutdownReason } from '#data-plane/runtime-api/port.ts'
import type { Sandbox } from '#data-plane/sandbox/port.ts'
import type { PhaseTimer } from '#data-plane/worker/start/phase-timer.ts'
import type { EnvironmentLifecycle } from '#data-plane/worker/environment-lifecycle.ts'
import { timedOut, type PlatformFailure } from '#data-plane/worker/error-documents.ts'
import type { GuestAnswer, GuestRun } from '#data-plane/worker/guest-run.ts'
import type { EnvironmentLog } from '#data-plane/worker/log/environment-log.ts'
import { invocationTrace } from '#data-plane/worker/log/invocation-trace.ts'
import { snapshotFailure, snapStartFailure, snapStartTimeout } from '#data-plane/worker/snapshot-failures.ts'
import { initFailure, verdictOf, type Verdict } from '#data-plane/worker/verdict.ts'
import type { Environment, InitializationType } from '#data-plane/worker/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'

/** Init of provisioned concurrency and SnapStart: 130 s or the function's timeout, whichever is more (unverified). */
const LONG_INIT_TIMEOUT_MS = 130_000

/** For the runtime to be continued and the function's hooks to end (developer guide). */
const RESTORE_TIMEOUT_MS = 10_000

/**
 * AWS answers as soon as the runtime has. An environment is most often free again within milliseconds: a client that is told
 * before and calls again at once would have a second one started.
 */
const EARLY_ANSWER_MS = 20

export interface EnvironmentParts {
  readonly id: string
  readonly version: FunctionVersion
  readonly type: InitializationType
  readonly sandbox: Sandbox
  /** `booting`, or `pooled` when its process runs already. */
  readonly lifecycle: EnvironmentLifecycle
  readonly log: EnvironmentLog
  readonly guestInit: GuestInit
  /** What is different at the first init. */
  readonly firstInit?: Pick<GuestInit, 'compileCacheDir' | 'keepsCompiled'>
  /** Runs once, after a first init that went well and before any event. Never rejects. */
  readonly onReady?: () => Promise<void>
  /** Its first process was kept, with these variables changed: `startRun` continues it, and there is no init. */
  readonly restoredEnv?: Readonly<Record<string, string>>
  /** Starts the processes, within `limitMs`; or says why there is nothing that could be started. */
  readonly startRun: (limitMs: number) => Promise<GuestRun | PlatformFailure>
  /** Undoes everything that starting set up, the sandbox included. Never rejects. */
  readonly tearDown: () => Promise<void>
  readonly timer: Pick<PhaseTimer, 'ended' | 'phases' | 'from'>
  readonly clock: Clock
  readonly logger: Logger
}

/** An environment as the worker sees it; everybody else gets an `Environment`. */
export interface StartingEnvironment extends Environment {
  /** Runs the first init. Resolves also when the customer's code failed; rejects for faults of the platform. */
  initialise(): Promise<void>
  /** How its start went so far. */
  readonly timer: Pick<PhaseTimer, 'phases' | 'from'>
  /** Instead: runs the first init and keeps the process in the directory `into`. Rejects for every failure; answers the bytes. */
  capture(into: string): Promise<number>
}

type InitVerdict = { readonly ready: GuestRun } | { readonly failed: Verdict }

export function createEnvironment(parts: EnvironmentParts): StartingEnvironment {
  const { id, version, type, sandbox, lifecycle, log, clock, logger } = parts
  const startedAt = clock.now()
  const timeoutMs = version.timeoutSeconds * 1000
  const gone = Promise.withResolvers<void>()
  let idleSince = clock.monotonic()
  let invocations = 0
  let run: GuestRun | undefined
  let stopping: Promise<void> | undefined
  /** Milliseconds of the first init; billed and reported once, with the first invocation. */
  let initDurationMs: number | undefined
  /** Likewise of an environment that came from a snapshot. */
  let restored: { readonly durationMs: number; readonly billedMs: number } | undefined

  /** Starts the process and waits until it is ready for an invocation. The run that failed is dead when it resolves. */
  const initialiseRun = async (
    limitMs: number,
    limitSeconds: number,
    guestInit: GuestInit,
    onStarted?: () => void,
  ): Promise<InitVerdict> => {
    const before = clock.monotonic()
    const started = await parts.startRun(limitMs)
    if ('errorType' in started) return { failed: verdictOf({ kind: 'platform', failure: started }) }
    run = started
    onStarted?.()
    const left = Math.max(0, limitMs - (clock.monotonic() - before))
    const end = await started.init(guestInit, left)
    if (end.kind === 'ready') return { ready: started }
    await started.settleOutput()
    const failed = initFailure(end, limitSeconds)
    await reset(end.kind === 'timeout' ? 'timeout' : 'failure')
    return { failed }
  }

  /** Kills the process, so that the next invocation starts a new one; /tmp stays. */
  const reset = async (reason: ShutdownReason): Promise<void> => {
    const dead = run
    run = undefined
    if (!dead) return
    await dead.shutDown(reason)
    if (await dead.kill()) return
    logger.error('A guest survives SIGKILL; its environment is given up', { environment: id })
    void stop()
  }

  /** Only when nobody has stopped it meanwhile. */
  const rest = (): void => {
    if (!lifecycle.may('idle')) return
    sandbox.freeze()
    idleSince = clock.monotonic()
    lifecycle.to('idle')
  }

  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      if (lifecycle.may('stopping')) lifecycle.to('stopping')
      sandbox.thaw()
      await run?.shutDown('spindown')
      await run?.kill()
      await parts.tearDown()
      lifecycle.to('gone')
      gone.resolve()
    })()
    return stopping
  }

  /** The environment is of no use any more and it is our fault. */
  const giveUp = async (error: unknown): Promise<never> => {
    logger.error('An environment failed', { environment: id, function: version.name, error })
    void stop()
    throw serviceFailure('The execution environment failed', error)
  }

  /** False when there is nothing to continue after all; rejects when the function's own hooks fail, as AWS does. */
  const restore = async (env: Readonly<Record<string, string>>): Promise<boolean> => {
    log.restoreStart()
    const before = clock.monotonic()
    let started: GuestRun
    try {
      const continued = await parts.startRun(RESTORE_TIMEOUT_MS)
      if ('errorType' in continued) throw new Error(continued.message)
      started = continued
    } catch (error) {
      logger.warn('A snapshot could not be continued, so its function initialises as usual', {
        environment: id,
        function: version.name,
        error: String(error),
      })
      return false
    }
    run = started
    const continuedAt = clock.monotonic()
    const end = await started.restore(env, RESTORE_TIMEOUT_MS).catch(giveUp)
    const durationMs = clock.monotonic() - before
    if (stopping) throw serviceFailure('The execution environment was stopped while it started')
    if (end.kind === 'ready') {
      parts.timer.ended('restore', 'snapshot')
      restored = { durationMs, billedMs: Math.ceil(clock.monotonic() - continuedAt) }
      log.restoreReport({ durationMs, failure: undefined })
      sandbox.limitCpu()
      rest()
      return true
    }
    await started.settleOutput()
    const { report } = initFailure(end, RESTORE_TIMEOUT_MS / 1000)
    log.restoreReport({ durationMs, failure: report })
    void stop()
    throw end.kind === 'timeout' ? snapStartTimeout() : snapStartFailure()
  }

  const capture = async (into: string): Promise<number> => {
    lifecycle.to('initialising')
    log.initStart()
    const before = clock.monotonic()
    const limitMs = Math.max(LONG_INIT_TIMEOUT_MS, timeoutMs)
    const outcome = await initialiseRun(limitMs, limitMs / 1000, parts.guestInit)
    const durationMs = clock.monotonic() - before
    const failure = 'failed' in outcome ? outcome.failed.report : undefined
    log.initReport({ phase: 'init', durationMs, failure })
    if ('failed' in outcome) throw snapshotFailure(outcome.failed)
    const end = await outcome.ready.snapshot(Math.max(0, limitMs - durationMs))
    await outcome.ready.settleOutput()
    if (end.kind !== 'ready') throw snapshotFailure(initFailure(end, limitMs / 1000))
    if (!sandbox.snapshots) throw new TypeError('This sandbox keeps no processes')
    return sandbox.snapshots.take(into)
  }

  const initialise = async (): Promise<void> => {
    lifecycle.to('initialising')
    if (parts.restoredEnv && (await restore(parts.restoredEnv))) return
    log.initStart()
    const before = clock.monotonic()
    const limitMs = type === 'on-demand' ? INIT_TIMEOUT_MS : Math.max(LONG_INIT_TIMEOUT_MS, timeoutMs)
    const guestInit = { ...parts.guestInit, ...parts.firstInit }
    const onStarted = () => parts.timer.ended('process')
    const outcome = await initialiseRun(limitMs, limitMs / 1000, guestInit, onStarted).catch(giveUp)
    if ('ready' in outcome) await parts.onReady?.()
    parts.timer.ended('init')
    const durationMs = clock.monotonic() - before
    if (stopping) throw serviceFailure('The execution environment was stopped while it started')
    sandbox.limitCpu()
    const failure = 'failed' in outcome ? outcome.failed.report : undefined
    log.initReport({ phase: 'init', durationMs, failure })
    if (failure) lifecycle.to('resetting')
    else initDurationMs = durationMs
    rest()
  }

  const invoke = async (
    invocation: GuestInvocation,
    options: Parameters<Environment['invoke']>[1],
  ): Promise<Omit<InvocationResult, 'executedVersion'>> => {
    // A stop may come between the caller's choice and its call; anything else that is not idle is a bug of ours.
    if (stopping) throw serviceFailure('The execution environment has been stopped')
    invocations++
    lifecycle.to('busy')
    const before = clock.monotonic()
    sandbox.thaw()
    let cancelEarly = () => {}
    const onAnswer = (answer: GuestAnswer) => {
      if (!options.onAnswer || options.stream || options.logType === 'Tail') return
      const { payload, functionError } = verdictOf(answer)
      const early = { payload: payload(invocation.requestId), ...(functionError && { functionError }) }
      cancelEarly()
      cancelEarly = clock.after(EARLY_ANSWER_MS, () => options.onAnswer?.(early))
    }
    const verdict = await attempt(invocation, before, options.stream, onAnswer)
      .catch(giveUp)
      .finally(() => cancelEarly())
    const measuredMs = clock.monotonic() - before
    const durationMs = verdict.report?.status === 'timeout' ? timeoutMs : measuredMs
    if (stopping) throw serviceFailure('The execution environment was stopped while it ran the invocation')
    // Also after a good answer: the process may have ended, or never come back for more.
    if (verdict.reset || run?.usable === false) {
      lifecycle.to('resetting')
      await reset(verdict.report?.status === 'timeout' ? 'timeout' : 'failure')
    }
    log.end({
      requestId: invocation.requestId,
      durationMs,
      // Init is billed with the first invocation since August 2025 (AWS announcement; sums recorded), but not that of
      // provisioned concurrency: it is shown there, and billed whether the environment is ever used or not (developer guide).
      billedDurationMs:
        Math.ceil(durationMs + (type === 'provisioned-concurrency' ? 0 : (initDurationMs ?? 0))) +
        (restored?.billedMs ?? 0),
      memorySizeMiB: version.memoryMiB,
      maxMemoryUsedMiB: sandbox.peakMemoryMiB() ?? 0,
      initDurationMs,
      restore: restored,
      failure: verdict.report,
      trace: invocationTrace(version, invocation.traceId),
    })
    initDurationMs = undefined
    restored = undefined
    const logTail = options.logType === 'Tail' ? log.takeTail() : undefined
    log.clearTail()
    rest()
    return {
      payload: verdict.payload(invocation.requestId),
      ...(verdict.functionError && { functionError: verdict.functionError }),
      ...(logTail && { logTail }),
    }
  }

  /** Init where it is needed, then the invocation, both under the function's timeout. */
  const attempt = async (
    invocation: GuestInvocation,
    before: number,
    stream: ResponseStream | undefined,
    onAnswer: (answer: GuestAnswer) => void,
  ): Promise<Verdict> => {
    const { requestId, tenantId, traceId } = invocation
    const started = { requestId, tenantId, trace: invocationTrace(version, traceId) }
    let ready = run?.usable ? run : undefined
    if (!ready) {
      // "Suppressed init": AWS counts it as part of the invocation and logs only its failure, before START.
      await reset('failure')
      const outcome = await initialiseRun(timeoutMs, version.timeoutSeconds, parts.guestInit)
      if ('failed' in outcome) {
        const { report } = outcome.failed
        if (report) {
          log.initReport({ phase: 'invoke', durationMs: clock.monotonic() - before, failure: report })
        }
        log.start(started)
        logFailure(invocation.requestId, outcome.failed)
        return outcome.failed
      }
      ready = outcome.ready
      sandbox.limitCpu()
    }
    log.start(started)
    const left = Math.max(0, timeoutMs - (clock.monotonic() - before))
    const outcome = await ready.invoke(invocation, left, stream, onAnswer)
    await ready.settleOutput()
    const verdict =
      outcome.kind === 'timeout'
        ? verdictOf({ kind: 'platform', failure: timedOut(version.timeoutSeconds) })
        : verdictOf(outcome)
    logFailure(invocation.requestId, verdict)
    return verdict
  }

  const logFailure = (requestId: string, { platform }: Verdict): void => {
    if (!platform) return
    if (platform.report.status === 'timeout') log.timedOut(requestId, version.timeoutSeconds)
    else log.failed(requestId, platform.message, platform.errorType)
  }

  return {
    id,
    version,
    startedAt,
    gone: gone.promise,
    get state() {
      return lifecycle.state
    },
    get idleSince() {
      return idleSince
    },
    get initialised() {
      return run?.usable === true
    },
    timer: parts.timer,
    usage() {
      const { memoryMiB, cpuMs } = sandbox.usage()
      return { usedMiB: memoryMiB, cpuMs, invocations }
    },
    initialise,
    capture,
    invoke,
    stop,
  }
}
