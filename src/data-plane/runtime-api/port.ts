/** Talking to the runtime in a guest: the same session for the framed protocol and for the HTTP Runtime API. */
import type { Server } from 'node:net'

import type { GuestInvocation, GuestOutcome, ResponseStream } from '#contracts/invocation.ts'

/** What the runtime is told when it becomes a function's. Framed runtimes get it by message, HTTP ones as environment. */
export interface GuestInit {
  /** Empty: that of the variable `_HANDLER`. */
  readonly handler: string
  readonly env: Readonly<Record<string, string>>
  readonly taskRoot: string
  /** Where layers are. Default: /opt. */
  readonly optRoot?: string
  /** Directory of the guest where compiled code may be cached. Node only. */
  readonly compileCacheDir?: string
  /** True: it is to be filled there before init ends, and removed at the first invocation. */
  readonly keepsCompiled?: boolean
}

/** How initialisation ended, as the runtime reports it. Exits and timeouts are seen by the worker. */
export type InitOutcome =
  | { readonly kind: 'ready' }
  | { readonly kind: 'error'; readonly errorType: string; readonly payload: Uint8Array }

export type SessionOutcome = Extract<GuestOutcome, { kind: 'response' | 'error' | 'too-large' }>

/** A structured log record of a managed runtime: one event, whatever newlines it holds. */
export interface GuestLogRecord {
  readonly timestamp: number
  readonly message: string
  /** Name of the level, when the record has one. */
  readonly level?: string
}

export interface GuestSession {
  /** Resolves when the runtime asks for its first invocation or reports an init error. Rejects with `ChannelClosed`. */
  init(init: GuestInit): Promise<InitOutcome>
  /**
   * Hands one invocation over and resolves with its end. One at a time. Rejects with `ChannelClosed`. An answer that the
   * guest streams goes into `stream` as it comes, no faster than that has room; without one it is collected.
   */
  invoke(invocation: GuestInvocation, stream?: ResponseStream): Promise<SessionOutcome>
  /** Ends the session: pending calls reject with `ChannelClosed`. */
  close(): void
}

/** A session with a runtime that is told its function by message, so that it can boot before it has one. */
export interface BootableSession extends GuestSession {
  /** Resolves when the interpreter has booted and can take a function. Rejects with `ChannelClosed`. */
  readonly ready: Promise<void>
  /**
   * After `init`: the guest runs its hooks, lets go of everything that belongs to this place, and sleeps. Resolves when it
   * does; the session is over then. Rejects with `ChannelClosed`.
   */
  snapshot(): Promise<InitOutcome>
  /** Instead of `init`, to a guest that was continued: these variables change, and it runs its hooks. */
  restore(env: Readonly<Record<string, string>>): Promise<InitOutcome>
}

/** A session whose `invoke` may be called again before it has resolved. */
export interface ConcurrentSession extends GuestSession {
  /** The runtime has an invocation of this id that it has not answered, although its caller may have given it up. */
  holds(requestId: string): boolean
  /** The caller gives up: what the runtime has not taken yet it is never given. */
  abandon(requestId: string): void
}

/** The guest hung up, or the session was closed, before an answer came. */
export class ChannelClosed extends Error {
  override name = 'ChannelClosed'
}

export type ExtensionEventType = 'INVOKE' | 'SHUTDOWN'
export type ShutdownReason = 'spindown' | 'timeout' | 'failure'

export type ExtensionEvent =
  | {
      readonly eventType: 'INVOKE'
      readonly deadlineMs: number
      readonly requestId: string
      readonly invokedFunctionArn: string
      readonly tracing?: { readonly type: 'X-Amzn-Trace-Id'; readonly value: string }
    }
  | { readonly eventType: 'SHUTDOWN'; readonly deadlineMs: number; readonly shutdownReason: ShutdownReason }

export interface ExtensionSummary {
  readonly name: string
  readonly external: boolean
  readonly state: string
  readonly events: readonly ExtensionEventType[]
  /** What it reported when it gave up. */
  readonly errorType: string | undefined
}

/** An extension gave up: it reported so, or its process ended. */
export interface ExtensionFault {
  readonly name: string
  readonly phase: 'init' | 'exit'
  /** As reported; undefined when the process ended by itself. */
  readonly errorType: string | undefined
}

/** Why a call is refused; AWS's type and text, the status is always 403. */
export interface ExtensionRefusal {
  readonly errorType: string
  readonly errorMessage: string
}

export interface ExtensionRegistry {
  /** An external one of this file name is about to be started. Refused (false) beyond AWS's limit. */
  expect(name: string): boolean
  register(name: string, events: readonly unknown[]): { readonly id: string } | ExtensionRefusal
  /** It asks for its next event. `deliver` is called once, now or later, and says whether its client was still there. */
  next(id: string, deliver: (event: ExtensionEvent) => boolean): { cancel(): void } | ExtensionRefusal
  report(id: string, phase: 'init' | 'exit', errorType: string): ExtensionRefusal | undefined
  /** The process of an external one has ended. */
  exited(name: string): void
  /** The registered name of this identifier. */
  nameOf(id: string): string | undefined
  /** From now on nobody registers: AWS allows it during the initialisation only. */
  close(): void
  /** Resolves when every expected one has registered. */
  whenRegistered(): Promise<void>
  /** Resolves when every one waits for an event: after init, and after each invocation. */
  whenReady(): Promise<void>
  /** Calls back with the first one that gives up, at once if that was before. Returns how to stop listening. */
  onFault(listener: (fault: ExtensionFault) => void): () => void
  /** Gives the event to all that asked for its type. Returns their names. */
  send(event: ExtensionEvent): readonly string[]
  list(): readonly ExtensionSummary[]
  /** True when there is nobody to wait for: the common case. */
  readonly empty: boolean
}

export type TelemetryCategory = 'platform' | 'function' | 'extension'

/** The telemetry of one environment: what happens in it goes to every extension that subscribed. */
export interface Telemetry {
  /** False: nobody listens, and whoever would emit can save the work. */
  readonly active: boolean
  /** `record` is an object for the platform's events and a line of text for the others. */
  emit(category: TelemetryCategory, type: string, record: unknown): void
  /** The runtime starts, perhaps anew: subscriptions of before the last `close` are gone, new ones are taken. */
  open(): void
  /** The initialisation is over: nobody subscribes any more, and nothing is kept for late comers. */
  close(): void
  /** Who subscribed since `open`, with what. */
  subscribers(): readonly { readonly name: string; readonly types: readonly TelemetryCategory[] }[]
  /** Resolves when what was emitted has been sent, or given up. */
  flush(): Promise<void>
  stop(): void
}

/** The Extensions, Telemetry and Logs APIs of one environment, for one run of its processes. */
export interface ExtensionApi {
  readonly extensions: ExtensionRegistry
  /** Serves them, and what a session adds, to whoever reaches the listener. Returns how to end that. */
  serve(server: Server): () => void
}
