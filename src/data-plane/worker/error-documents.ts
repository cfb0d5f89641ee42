/** The error documents that the platform itself writes. Members, their order and texts as recorded from AWS. */
import type { GuestExit } from '#contracts/invocation.ts'
import { MAX_RESPONSE_BYTES } from '#contracts/limits.ts'
import type { FailureStatus } from '#data-plane/worker/log/platform-lines.ts'

/** A failure that the platform saw, before it belongs to a request. */
export interface PlatformFailure {
  /** `errorType` of the document. */
  readonly errorType: string
  /** Second half of `errorMessage`, after `RequestId: <id> Error: `. */
  readonly message: string
  /** What REPORT says; it may name another type than the document. */
  readonly report: FailureStatus
}

export const errorDocument = (requestId: string, failure: PlatformFailure): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      errorType: failure.errorType,
      errorMessage: `RequestId: ${requestId} Error: ${failure.message}`,
    }),
  )

/** This one has no request id and its members the other way round (recorded from AWS). */
export const responseTooLarge = (limitBytes = MAX_RESPONSE_BYTES): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      errorMessage: `Response payload size exceeded maximum allowed payload size (${limitBytes} bytes).`,
      errorType: 'Function.ResponseSizeTooLarge',
    }),
  )

export const timedOut = (timeoutSeconds: number): PlatformFailure => ({
  errorType: 'Sandbox.Timedout',
  message: `Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
  report: { status: 'timeout' },
})

export const invalidEntrypoint = (message: string): PlatformFailure => ({
  errorType: 'Runtime.InvalidEntrypoint',
  message,
  report: { status: 'error', errorType: 'Runtime.InvalidEntrypoint' },
})

export const invalidWorkingDirectory = (message: string): PlatformFailure => ({
  errorType: 'Runtime.InvalidWorkingDir',
  message,
  report: { status: 'error', errorType: 'Runtime.InvalidWorkingDir' },
})

/** An extension ended or gave up: `Extension.Crash`, `Extension.InitError`, `Extension.ExitError`, `Extension.LaunchError`. */
export const extensionFailed = (errorType: string, message: string): PlatformFailure => ({
  errorType,
  message,
  report: { status: 'error', errorType },
})

/** How AWS says that an extension's process has ended. */
export const exitText = ({ code, signal }: GuestExit): string =>
  signal !== null
    ? `signal: ${SIGNAL_TEXT[signal] ?? signal}`
    : code === 0 || code === null
      ? 'exit code 0'
      : `exit status ${code}`

/** Texts of the signals as Go prints them, which is what AWS shows. */
const SIGNAL_TEXT: Readonly<Record<string, string>> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGILL: 'illegal instruction',
  SIGTRAP: 'trace/breakpoint trap',
  SIGABRT: 'aborted',
  // The same number, and the name that is found first.
  SIGIOT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGKILL: 'killed',
  SIGUSR1: 'user defined signal 1',
  SIGSEGV: 'segmentation fault',
  SIGUSR2: 'user defined signal 2',
  SIGPIPE: 'broken pipe',
  SIGALRM: 'alarm clock',
  SIGTERM: 'terminated',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'file size limit exceeded',
  SIGSYS: 'bad system call',
}

/**
 * The runtime ended before it answered. Out of memory is `Runtime.ExitError` with `signal: killed` in the document and
 * `Runtime.OutOfMemory` in REPORT (recorded from AWS, 2026).
 */
export function exited(exit: GuestExit): PlatformFailure {
  const reason = exit.outOfMemory
    ? 'signal: killed'
    : exit.signal !== null
      ? `signal: ${SIGNAL_TEXT[exit.signal] ?? exit.signal}`
      : exit.code !== null && exit.code !== 0
        ? `exit status ${exit.code}`
        : undefined
  return {
    errorType: 'Runtime.ExitError',
    message:
      reason === undefined
        ? 'Runtime exited without providing a reason'
        : `Runtime exited with error: ${reason}`,
    report: { status: 'error', errorType: exit.outOfMemory ? 'Runtime.OutOfMemory' : 'Runtime.ExitError' },
  }
}
