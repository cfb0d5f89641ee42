/** What the platform itself writes to a function's log, in either format. Texts and records as recorded from AWS. */

import type { InvocationTrace } from '#data-plane/worker/log/invocation-trace.ts'

export type InitPhase = 'init' | 'invoke'

/** Why an initialisation or an invocation went wrong. A timeout has no error type. */
export type FailureStatus =
  | { readonly status: 'timeout' }
  | { readonly status: 'error'; readonly errorType: string }

export interface InitReport {
  readonly phase: InitPhase
  readonly durationMs: number
  /** Undefined: it succeeded. */
  readonly failure: FailureStatus | undefined
}

export interface InvocationReport {
  readonly requestId: string
  readonly durationMs: number
  readonly billedDurationMs: number
  readonly memorySizeMiB: number
  readonly maxMemoryUsedMiB: number
  /** Only on the first invocation of an environment whose initialisation succeeded. */
  readonly initDurationMs: number | undefined
  /** Only on the first invocation of an environment that came from a snapshot. */
  readonly restore?: { readonly durationMs: number; readonly billedMs: number } | undefined
  readonly failure: FailureStatus | undefined
  readonly trace?: InvocationTrace | undefined
}

/** What `platform.start` says of an invocation. */
export interface StartedInvocation {
  readonly requestId: string
  readonly tenantId?: string | undefined
  readonly trace?: InvocationTrace | undefined
}

/** What became of one extension. */
export interface ExtensionReport {
  readonly name: string
  /** `Ready`, or the state it failed in: `Registered`, `InitError`, `ExitError`, `LaunchError`, ... */
  readonly state: string
  readonly events: readonly string[]
  readonly errorType?: string
}

/** One extension's subscription to telemetry. */
export interface SubscriptionReport {
  readonly name: string
  readonly state: 'Subscribed'
  readonly types: readonly string[]
}

/** A snapshot was continued, or not. */
export interface RestoreReport {
  readonly durationMs: number
  /** Undefined: it succeeded. */
  readonly failure: FailureStatus | undefined
}

/** Each method gives the message of one log event, or undefined when this format (or the log level) has none. */
export interface PlatformLines {
  initStart(now: number): string | undefined
  initReport(report: InitReport, now: number): string | undefined
  restoreStart(now: number): string | undefined
  restoreReport(report: RestoreReport, now: number): string | undefined
  start(invocation: StartedInvocation, now: number): string | undefined
  timedOut(requestId: string, timeoutSeconds: number, now: number): string | undefined
  /** The platform saw the runtime fail; `message` is the second half of the client's `errorMessage`. */
  failed(requestId: string, message: string, errorType: string): string | undefined
  runtimeDone(report: InvocationReport, now: number): string | undefined
  end(requestId: string): string | undefined
  report(report: InvocationReport, now: number): string | undefined
  extension(report: ExtensionReport, now: number): string | undefined
  subscription(report: SubscriptionReport, now: number): string | undefined
}

/** What the lines of one environment have in common. */
export interface PlatformSubject {
  readonly functionName: string
  readonly functionArn: string
  readonly version: string
  readonly initializationType: string
  readonly runtimeVersion: string | undefined
  readonly runtimeVersionArn: string | undefined
  readonly logStream: string
  readonly memoryMiB: number
}
