/**
 * An execution environment on a capacity provider: several invocations at once, never frozen, and a timeout ends only the
 * wait for its invocation, not what runs (developer guide, "Lambda Managed Instances execution environment"). One whose
 * init failed or whose process has ended is of no use any more: placement puts another in its place.
 */
import { serviceFailure, throttled } from '#contracts/errors.ts'
import type { GuestInvocation, InvocationResult } from '#contracts/invocation.ts'
import type { EnvironmentParts, StartingEnvironment } from '#data-plane/worker/environment.ts'
import { timedOut } from '#data-plane/worker/error-documents.ts'
import type { GuestRun } from '#data-plane/worker/guest-run.ts'
import { invocationTrace } from '#data-plane/worker/log/invocation-trace.ts'
import type { Environment } from '#data-plane/worker/port.ts'
import { initFailure, verdictOf, type Verdict } from '#data-plane/worker/verdict.ts'
import { MINUTE_MS, SECOND_MS } from '#kernel/units.ts'

/** Init may take the function's timeout, at least 130 s and at most 15 minutes. */
const MIN_INIT_MS = 130 * SECOND_MS
const MAX_INIT_MS = 15 * MINUTE_MS

export function createConcurrentEnvironment(parts: EnvironmentParts): StartingEnvironment {
  const { id, version, sandbox, lifecycle, log, clock, logger } = parts
  const startedAt = clock.now()
  const timeoutMs = version.timeoutSeconds * 1000
  const gone = Promise.withResolvers<void>()
  let idleSince = clock.monotonic()
  let run: GuestRun | undefined
  let stopping: Promise<void> | undefined
  let inFlight = 0
  let invocations = 0

  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      if (lifecycle.may('stopping')) lifecycle.to('stopping')
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

  const rest = () => {
    if (inFlight > 0 || !lifecycle.may('idle')) return
    idleSince = clock.monotonic()
    lifecycle.to('idle')
  }

  /** Undefined when the runtime is ready. */
  const startRun = async (limitMs: number): Promise<Verdict | undefined> => {
    const before = clock.monotonic()
    const started = await parts.startRun(limitMs)
    if ('errorType' in started) return verdictOf({ kind: 'platform', failure: started })
    run = started
    const end = await started.init(parts.guestInit, Math.max(0, limitMs - (clock.monotonic() - before)))
    if (end.kind === 'ready') {
      // Replaced before anybody asks for it; one that runs something tells how that ends first.
      void started.ended.then(() => (inFlight === 0 ? stop() : undefined))
      return undefined
    }
    await started.settleOutput()
    await started.shutDown(end.kind === 'timeout' ? 'timeout' : 'failure')
    await started.kill()
    return initFailure(end, limitMs / 1000)
  }

  const initialise = async (): Promise<void> => {
    lifecycle.to('initialising')
    log.initStart()
    const before = clock.monotonic()
    const failed = await startRun(Math.max(MIN_INIT_MS, Math.min(MAX_INIT_MS, timeoutMs))).catch(giveUp)
    if (stopping) throw serviceFailure('The execution environment was stopped while it started')
    sandbox.limitCpu()
    log.initReport({ phase: 'init', durationMs: clock.monotonic() - before, failure: failed?.report })
    rest()
  }

  const logFailure = (requestId: string, { platform }: Verdict): void => {
    if (!platform) return
    if (platform.report.status === 'timeout') log.timedOut(requestId, version.timeoutSeconds)
    else log.failed(requestId, platform.message, platform.errorType)
  }

  const attempt = async (
    ready: GuestRun,
    invocation: GuestInvocation,
    { logType, stream }: Parameters<Environment['invoke']>[1],
  ): Promise<Omit<InvocationResult, 'executedVersion'>> => {
    const { requestId } = invocation
    const before = clock.monotonic()
    const trace = invocationTrace(version, invocation.traceId)
    log.start({ requestId, tenantId: undefined, trace })
    const outcome = await ready.invoke(invocation, timeoutMs, stream).catch(giveUp)
    await ready.settleOutput()
    const verdict =
      outcome.kind === 'timeout'
        ? verdictOf({ kind: 'platform', failure: timedOut(version.timeoutSeconds) })
        : verdictOf(outcome)
    const durationMs = outcome.kind === 'timeout' ? timeoutMs : clock.monotonic() - before
    if (stopping) throw serviceFailure('The execution environment was stopped while it ran the invocation')
    logFailure(requestId, verdict)
    log.end({
      requestId,
      durationMs,
      billedDurationMs: Math.ceil(durationMs),
      memorySizeMiB: version.memoryMiB,
      maxMemoryUsedMiB: sandbox.peakMemoryMiB() ?? 0,
      initDurationMs: undefined,
      failure: verdict.report,
      trace,
    })
    // The tail of all that run in it: whose line is whose only the function knows.
    const logTail = logType === 'Tail' ? log.takeTail() : undefined
    return {
      payload: verdict.payload(requestId),
      ...(verdict.functionError && { functionError: verdict.functionError }),
      ...(logTail && { logTail }),
    }
  }

  return {
    id,
    version,
    startedAt,
    gone: gone.promise,
    get state() {
      return lifecycle.state
    },
    get initialised() {
      return run?.usable === true
    },
    get idleSince() {
      return idleSince
    },
    timer: parts.timer,
    usage() {
      const { memoryMiB, cpuMs } = sandbox.usage()
      return { usedMiB: memoryMiB, cpuMs, invocations }
    },
    initialise,
    capture: () => Promise.reject(new TypeError('Functions on capacity providers have no snapshots')),
    async invoke(invocation, options) {
      if (stopping || !run?.usable) throw serviceFailure('The execution environment has been stopped')
      // A retry comes while the attempt that timed out still runs: there is one of an id in a runtime at a time.
      if (run.holds(invocation.requestId)) throw throttled('ConcurrentInvocationLimitExceeded')
      invocations++
      if (inFlight++ === 0) lifecycle.to('busy')
      try {
        return await attempt(run, invocation, options)
      } finally {
        inFlight--
        rest()
      }
    },
    stop,
  }
}
