/**
 * A run of a guest with its extensions: external ones start before the runtime, and init and every invocation last until
 * each of them waits for its next event (developer guide, "execution environment lifecycle").
 */
import type { ExtensionApi, ExtensionFault, ShutdownReason, Telemetry } from '#data-plane/runtime-api/port.ts'
import type { Guest } from '#data-plane/sandbox/port.ts'
import {
  exitText,
  extensionFailed,
  timedOut,
  type PlatformFailure,
} from '#data-plane/worker/error-documents.ts'
import { superviseExtension, type ExtensionProcess } from '#data-plane/worker/extensions/extension-process.ts'
import type { ExternalExtension } from '#data-plane/worker/extensions/external-extensions.ts'
import { isAnswer, type GuestRun, type InvokeEnd, type PlatformEnd } from '#data-plane/worker/guest-run.ts'
import type { EnvironmentLog } from '#data-plane/worker/log/environment-log.ts'
import type { FailureStatus } from '#data-plane/worker/log/platform-lines.ts'
import type { Clock } from '#kernel/clock.ts'

/** What extensions have from SHUTDOWN on, by whether there are external ones. Source: developer guide. */
const SHUTDOWN_MS = { external: 2000, internal: 500 } as const
/** Of it, what the runtime may take to end by SIGTERM. */
const RUNTIME_SHUTDOWN_MS = { external: 300, internal: 500 } as const
/** An extension that reported an error usually ends right after it. */
const EXIT_GRACE_MS = 500

export interface ExtendedRunOptions {
  readonly api: ExtensionApi
  readonly telemetry: Telemetry
  readonly external: readonly ExternalExtension[]
  /** Starts the process of one of them. */
  readonly startExtension: (name: string) => Promise<Guest>
  readonly startRuntime: () => Promise<GuestRun>
  /** Kills every process of the environment. */
  readonly clear: () => Promise<void>
  /** Ends the service of the APIs. */
  readonly stopServing: () => void
  readonly limitMs: number
  /** Several invocations at once: then extensions hear of none, and their end is that of the run. */
  readonly concurrent: boolean
  readonly log: EnvironmentLog
  readonly clock: Clock
}

const TIMEOUT = Symbol('timeout')

/** The failure of extensions that could not be started or did not register. */
export async function startExtendedRun(options: ExtendedRunOptions): Promise<GuestRun | PlatformFailure> {
  const { api, telemetry, external, log, clock, limitMs, concurrent } = options
  const { extensions } = api
  const processes: ExtensionProcess[] = []
  const launchErrors = new Map<string, string>()

  /** The first of: `work`, an extension that gives up, the time. */
  const race = <T>(work: Promise<T>, timeoutMs: number): Promise<T | ExtensionFault | typeof TIMEOUT> =>
    new Promise((resolve, reject) => {
      const leave = () => {
        cancel()
        stopListening()
      }
      const settle = (value: T | ExtensionFault | typeof TIMEOUT) => {
        leave()
        resolve(value)
      }
      const cancel = clock.after(timeoutMs, () => settle(TIMEOUT))
      let stopListening = () => {}
      stopListening = extensions.onFault((fault) => queueMicrotask(() => settle(fault)))
      work.then(settle, (error: unknown) => {
        leave()
        reject(error)
      })
    })

  const failureOf = async (fault: ExtensionFault): Promise<PlatformFailure> => {
    const process = processes.find(({ name }) => name === fault.name)
    if (process && !process.exit) {
      const late = Promise.withResolvers<void>()
      const cancel = clock.after(EXIT_GRACE_MS, late.resolve)
      await Promise.race([process.exited, late.promise])
      cancel()
    }
    const exit = process?.exit
    const reported = fault.errorType !== undefined
    const type = reported ? (fault.phase === 'init' ? 'InitError' : 'ExitError') : 'Crash'
    return extensionFailed(
      `Extension.${type}`,
      exit ? exitText(exit) : `extension reported ${fault.errorType}`,
    )
  }

  const logExtensions = () => {
    for (const { name, types } of telemetry.subscribers())
      log.subscription({ name, state: 'Subscribed', types })
    for (const { name, state, events, errorType } of extensions.list())
      log.extension(
        launchErrors.has(name)
          ? { name, state: 'LaunchError', events: [], errorType: launchErrors.get(name) ?? 'UnknownError' }
          : { name, state, events, ...(errorType !== undefined && { errorType }) },
      )
  }
  const endInit = () => {
    extensions.close()
    telemetry.close()
    logExtensions()
  }
  const settleExtensions = () => Promise.all(processes.map((process) => process.settleOutput()))
  const stop = async () => {
    options.stopServing()
    if (processes.length === 0) return
    await options.clear()
    for (const process of processes) process.kill()
  }
  const fail = async (failure: PlatformFailure): Promise<PlatformFailure> => {
    await settleExtensions()
    endInit()
    await stop()
    return failure
  }

  const startExternal = async (): Promise<PlatformFailure | undefined> => {
    for (const { name, executable } of external) {
      if (!extensions.expect(name)) return extensionFailed('Extension.LaunchError', 'ErrTooManyExtensions')
      if (executable) continue
      launchErrors.set(name, 'PermissionDenied')
      return extensionFailed('Extension.LaunchError', `fork/exec /opt/extensions/${name}: permission denied`)
    }
    for (const { name } of external) {
      const guest = await options.startExtension(name)
      processes.push(
        superviseExtension({
          name,
          guest,
          onLines: (lines) => log.extensionLines(lines),
          onExit: () => extensions.exited(name),
          clock,
        }),
      )
    }
    const registered = await race(extensions.whenRegistered(), limitMs)
    if (registered === TIMEOUT) return timedOut(limitMs / 1000)
    return registered ? failureOf(registered) : undefined
  }

  const failure = external.length > 0 ? await startExternal() : undefined
  if (failure) return fail(failure)
  const run = await options.startRuntime().catch(async (error: unknown) => {
    await stop()
    throw error
  })

  const platform = async (fault: ExtensionFault): Promise<PlatformEnd> => ({
    kind: 'platform',
    failure: await failureOf(fault),
  })

  let usable = true
  const ended = Promise.withResolvers<void>()
  void run.ended.then(ended.resolve)
  if (concurrent) {
    extensions.onFault(() => {
      usable = false
      ended.resolve()
    })
  }

  return {
    get usable() {
      return usable && run.usable
    },
    ended: ended.promise,
    async init(init, timeoutMs) {
      const before = clock.monotonic()
      const end = await race(run.init(init, timeoutMs), timeoutMs + 1)
      const outcome =
        end === TIMEOUT ? { kind: 'timeout' as const } : 'kind' in end ? end : await platform(end)
      log.initRuntimeDone(statusOf(outcome))
      if (outcome.kind !== 'ready') {
        await settleExtensions()
        endInit()
        return outcome
      }
      if (!extensions.empty) {
        const left = Math.max(0, timeoutMs - (clock.monotonic() - before))
        const ready = await race(extensions.whenReady(), left)
        await settleExtensions()
        endInit()
        if (ready === TIMEOUT) return { kind: 'timeout' }
        if (ready) return platform(ready)
      } else endInit()
      return outcome
    },
    async snapshot(timeoutMs) {
      // Whoever registered is known to this host process, and would not be to the one that continues it.
      if (!extensions.empty) throw new Error('A function with extensions can not be kept')
      return run.snapshot(timeoutMs)
    },
    async restore(env, timeoutMs) {
      const end = await run.restore(env, timeoutMs)
      endInit()
      return end
    },
    async invoke(invocation, timeoutMs, stream, onAnswer) {
      if (extensions.empty) return run.invoke(invocation, timeoutMs, stream, onAnswer)
      const before = clock.monotonic()
      const { requestId, deadlineMs, invokedFunctionArn, traceId } = invocation
      if (!concurrent) {
        extensions.send({
          eventType: 'INVOKE',
          deadlineMs,
          requestId,
          invokedFunctionArn,
          ...(traceId !== undefined && { tracing: { type: 'X-Amzn-Trace-Id', value: traceId } }),
        })
      }
      const first = await race(run.invoke(invocation, timeoutMs, stream, onAnswer), timeoutMs + 1)
      const end: InvokeEnd =
        first === TIMEOUT ? { kind: 'timeout' } : 'kind' in first ? first : await platform(first)
      log.runtimeDone({ requestId, durationMs: clock.monotonic() - before, failure: statusOf(end) })
      if (concurrent) return end
      if (!isAnswer(end)) return end
      onAnswer?.(end)
      const left = Math.max(0, timeoutMs - (clock.monotonic() - before))
      const ready = await race(extensions.whenReady(), left)
      await settleExtensions()
      if (ready === TIMEOUT) return { kind: 'timeout' }
      return ready ? platform(ready) : end
    },
    holds: (requestId) => run.holds(requestId),
    async settleOutput() {
      await run.settleOutput()
      await settleExtensions()
    },
    terminate: () => run.terminate(),
    exited: (graceMs) => run.exited(graceMs),
    async shutDown(reason: ShutdownReason) {
      if (extensions.empty) return
      const kind = processes.length > 0 ? 'external' : 'internal'
      const deadlineMs = clock.now() + SHUTDOWN_MS[kind]
      if (reason === 'spindown') {
        run.terminate()
        await run.exited(RUNTIME_SHUTDOWN_MS[kind])
      }
      const told = new Set(extensions.send({ eventType: 'SHUTDOWN', deadlineMs, shutdownReason: reason }))
      const awaited = processes.filter(({ name }) => told.has(name)).map(({ exited }) => exited)
      const late = Promise.withResolvers<void>()
      const cancel = clock.after(Math.max(0, deadlineMs - clock.now()), late.resolve)
      if (awaited.length > 0) await Promise.race([Promise.all(awaited), late.promise])
      cancel()
      await settleExtensions()
    },
    async kill() {
      const gone = await run.kill()
      await stop()
      return gone
    },
  }
}

function statusOf(end: { readonly kind: string } | InvokeEnd): FailureStatus | undefined {
  if (end.kind === 'timeout') return { status: 'timeout' }
  if (end.kind === 'platform' && 'failure' in end) return end.failure.report
  if (end.kind === 'error' && 'errorType' in end) return { status: 'error', errorType: end.errorType }
  if (end.kind === 'exited') return { status: 'error', errorType: 'Runtime.ExitError' }
  return undefined
}
