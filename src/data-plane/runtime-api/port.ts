/** Talking to the runtime in a guest: the same session for the framed protocol and for the HTTP Runtime API. */
import type { GuestInvocation, GuestOutcome, ResponseStream } from '#contracts/invocation.ts'

/** What the runtime is told when it becomes a function's. Framed runtimes get it by message, HTTP ones as environment. */
export interface GuestInit {
  readonly handler: string
  readonly env: Readonly<Record<string, string>>
  readonly taskRoot: string
  /** Where layers are. Default: /opt. */
  readonly optRoot?: string
  /** Directory of the guest where compiled code may be cached. Node only. */
  readonly compileCacheDir?: string
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
}

/** The guest hung up, or the session was closed, before an answer came. */
export class ChannelClosed extends Error {
  override name = 'ChannelClosed'
}
