/** One run of the main process in a sandbox, with its session: from start to exit. */
import type { GuestExit, GuestInvocation, GuestOutcome, ResponseStream } from '#contracts/invocation.ts'
import {
  ChannelClosed,
  type BootableSession,
  type ConcurrentSession,
  type GuestInit,
  type GuestSession,
  type InitOutcome,
  type ShutdownReason,
} from '#data-plane/runtime-api/port.ts'
import type { Guest, GuestCommand, Sandbox } from '#data-plane/sandbox/port.ts'
import type { PlatformFailure } from '#data-plane/worker/error-documents.ts'
import { createOutputPump, type OutputPump } from '#data-plane/worker/log/output-pump.ts'
import type { Clock } from '#kernel/clock.ts'

/** A session that knows when the runtime has finished what it does after an answer, as the HTTP one does. */
export interface SettlingSession extends GuestSession {
  /** Resolves when the runtime waits for its next invocation. Rejects with `ChannelClosed`. */
  idle(): Promise<void>
}

type Ended = { readonly kind: 'exited'; readonly exit: GuestExit } | { readonly kind: 'timeout' }
/** Somebody else in the environment failed: an extension. */
export interface PlatformEnd {
  readonly kind: 'platform'
  readonly failure: PlatformFailure
}
export type InitEnd = InitOutcome | Ended | PlatformEnd
export type InvokeEnd = GuestOutcome | PlatformEnd

/** An answer that nothing can change any more. */
export type GuestAnswer = Extract<GuestOutcome, { kind: 'response' | 'error' | 'too-large' }>

export const isAnswer = (end: InvokeEnd): end is GuestAnswer =>
  end.kind === 'response' || end.kind === 'error' || end.kind === 'too-large'

export interface GuestRun {
  /** False as soon as the process has ended or its channel is unusable; then a new run is needed. */
  readonly usable: boolean
  /** Resolves when nothing can run in it any more. */
  readonly ended: Promise<void>
  init(init: GuestInit, timeoutMs: number): Promise<InitEnd>
  /** Has the guest ready to be kept, after `init`. Nothing else may be asked of this run afterwards. */
  snapshot(timeoutMs: number): Promise<InitEnd>
  /** Instead of `init`, for a guest that was kept. */
  restore(env: Readonly<Record<string, string>>, timeoutMs: number): Promise<InitEnd>
  /** `onAnswer` is told what the runtime answered if there is more to wait for. */
  invoke(
    invocation: GuestInvocation,
    timeoutMs: number,
    stream?: ResponseStream,
    onAnswer?: (answer: GuestAnswer) => void,
  ): Promise<InvokeEnd>
  /** An earlier invocation of this id is still under way, given up by its caller; on a capacity provider only. */
  holds(requestId: string): boolean
  /** Resolves when everything that the guest has printed is in the log. */
  settleOutput(): Promise<void>
  /** Asks the process to end. */
  terminate(): void
  /** Resolves when the process has ended, at the latest after `graceMs`. */
  exited(graceMs: number): Promise<void>
  /** Tells extensions that the environment ends, and gives them the time that AWS gives them. */
  shutDown(reason: ShutdownReason): Promise<void>
  /** Kills the process. Resolves with true when it is gone, false when it is not after the grace. */
  kill(): Promise<boolean>
}

/** The channel and the process end at nearly the same moment: how long one waits for the other. */
const EXIT_GRACE_MS = 500
/** SIGKILL takes effect at once unless the kernel itself is stuck. */
const KILL_GRACE_MS = 5000
const UNKNOWN_EXIT: GuestExit = { code: null, signal: null, outOfMemory: false }

/** Starts the process. Rejects when the sandbox cannot, which is the platform's fault and not the function's. */
export async function startGuestRun(options: {
  readonly sandbox: Pick<Sandbox, 'start' | 'thaw'>
  readonly command: GuestCommand
  /** `output` takes what the guest prints by way of its session instead of its streams. */
  readonly openSession: (
    guest: Guest,
    output: Pick<OutputPump, 'feed' | 'endLine'>,
  ) => GuestSession | SettlingSession | ConcurrentSession | BootableSession
  readonly onLines: (lines: readonly string[]) => void
  readonly clock: Clock
}): Promise<GuestRun> {
  const { sandbox, clock } = options
  const guest = await sandbox.start(options.command)
  const output = createOutputPump({
    streams: [guest.stdout, guest.stderr],
    onLines: options.onLines,
    clock,
  })
  const session = options.openSession(guest, output)
  let usable = true
  let exit: GuestExit | undefined
  // A set that callers leave again: reactions on the promise itself would pile up, one per invocation.
  const exitListeners = new Set<(how: GuestExit) => void>()
  void guest.exited.then((how) => {
    usable = false
    exit = how
    for (const listener of exitListeners) listener(how)
    exitListeners.clear()
  })

  /** Resolves with the exit, or with undefined when it has not come after `graceMs`. */
  const awaitExit = (graceMs: number): Promise<GuestExit | undefined> =>
    new Promise((resolve) => {
      if (exit) return resolve(exit)
      const listener = (how: GuestExit) => {
        cancel()
        resolve(how)
      }
      const cancel = clock.after(graceMs, () => {
        exitListeners.delete(listener)
        resolve(undefined)
      })
      exitListeners.add(listener)
    })

  /** The first of: the session's answer, the end of the process, the timeout. The answer may go into `stream`. */
  const race = <T>(answer: Promise<T>, timeoutMs: number, stream?: ResponseStream): Promise<T | Ended> =>
    new Promise((resolve, reject) => {
      let settled = false
      const settle = (value: T | Ended) => {
        settled = true
        leave()
        resolve(value)
      }
      const ended = async (how: GuestExit) => {
        // An answer written just before the end is in the socket already: it counts.
        for (let turn = 0, seenBytes = 0; turn < 3 && !settled; turn++) {
          await new Promise<void>((next) => setImmediate(next))
          if (!stream) continue
          // It may be many bytes, and whoever takes them may be slow; the timeout still counts.
          if (stream.full) await stream.whenRoom()
          if (stream.receivedBytes !== seenBytes) turn = 0
          seenBytes = stream.receivedBytes
        }
        if (!settled) settle({ kind: 'exited', exit: how })
      }
      const cancel = clock.after(timeoutMs, () => settle({ kind: 'timeout' }))
      const leave = () => {
        cancel()
        exitListeners.delete(listener)
      }
      const listener = (how: GuestExit) => void ended(how)
      answer.then(settle, async (error: unknown) => {
        if (settled) return
        if (!(error instanceof ChannelClosed)) {
          settled = true
          leave()
          reject(error)
          return
        }
        // Hung up or broke the protocol. Most often the process is ending; otherwise it is of no use any more.
        usable = false
        let how = await awaitExit(EXIT_GRACE_MS)
        if (!how) guest.signal('SIGKILL')
        how ??= UNKNOWN_EXIT
        if (!settled) settle({ kind: 'exited', exit: how })
      })
      if (exit) void ended(exit)
      else exitListeners.add(listener)
    })

  return {
    get usable() {
      return usable
    },
    ended: guest.exited.then(() => {}),
    init: (init, timeoutMs) => race(session.init(init), timeoutMs),
    snapshot: async (timeoutMs) => race(bootable(session).snapshot(), timeoutMs),
    restore: async (env, timeoutMs) => race(bootable(session).restore(env), timeoutMs),
    async invoke(invocation, timeoutMs, stream, onAnswer) {
      const started = clock.monotonic()
      const outcome = await race(session.invoke(invocation, stream), timeoutMs, stream)
      if ('abandon' in session && outcome.kind === 'timeout') session.abandon(invocation.requestId)
      // Otherwise the next invocation might be given to a process that ends at this moment.
      if (outcome.kind === 'error' && outcome.final) {
        usable = false
        await awaitExit(EXIT_GRACE_MS)
        return outcome
      }
      if (!('idle' in session) || outcome.kind === 'exited' || outcome.kind === 'timeout') return outcome
      if (!isTruncated(outcome)) onAnswer?.(outcome)
      // As in AWS the invocation lasts until the runtime asks for the next one. What happens now does not change the
      // answer, but a runtime that does not come back gets no further invocation.
      const left = Math.max(0, timeoutMs - (clock.monotonic() - started))
      const end = await race(
        session.idle().then(() => ({ kind: 'idle' as const })),
        left,
      )
      if (end.kind !== 'idle') usable = false
      // Only a process that ended cuts its answer off; its exit says more.
      return end.kind === 'exited' && isTruncated(outcome) ? end : outcome
    },
    holds: (requestId) => 'holds' in session && session.holds(requestId),
    settleOutput: () => output.settle(),
    terminate: () => guest.signal('SIGTERM'),
    exited: async (graceMs) => void (await awaitExit(graceMs)),
    // Without extensions AWS gives the runtime no time: SIGKILL at once.
    shutDown: () => Promise.resolve(),
    async kill() {
      usable = false
      if (!exit) {
        // A frozen process does not end before it is thawed.
        sandbox.thaw()
        guest.signal('SIGKILL')
      }
      const gone = (await awaitExit(KILL_GRACE_MS)) !== undefined
      session.close()
      output.stop()
      return gone
    },
  }
}

function bootable(session: GuestSession | BootableSession): BootableSession {
  if (!('restore' in session)) throw new TypeError('Only runtimes of the framed protocol can be kept')
  return session
}

const isTruncated = (outcome: GuestOutcome) =>
  outcome.kind === 'error' && outcome.errorType === 'Runtime.TruncatedResponse'
