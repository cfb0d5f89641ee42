/** One invocation as it travels from the front end to the guest and back. Payload bytes are never parsed on the way. */
import type { FunctionId } from '#contracts/arn.ts'

export type LogType = 'None' | 'Tail'

export interface InvocationRequest {
  readonly id: FunctionId
  /** Version number, alias name, `$LATEST`, or undefined for an unqualified request. */
  readonly qualifier: string | undefined
  /** The same for every retry of an asynchronous event. */
  readonly requestId: string
  readonly payload: Uint8Array
  /** JSON text (the base64 of the header is already taken off). */
  readonly clientContext?: string
  readonly cognitoIdentity?: string
  readonly traceId?: string
  readonly tenantId?: string
  readonly logType: LogType
  /** Aborts when the client hangs up before the environment has taken the invocation. */
  readonly signal?: AbortSignal
}

/** What comes back. A function's error is such a result too. */
export interface InvocationResult {
  readonly executedVersion: string
  readonly payload: Uint8Array
  /** `Unhandled` when the payload describes an error of the function. */
  readonly functionError?: 'Unhandled' | 'Handled'
  /** Last 4 KiB of the log, as bytes, when the request asked for it. */
  readonly logTail?: Uint8Array
}

/** What a guest is given. Source of the names: headers of the Runtime API's next invocation. */
export interface GuestInvocation {
  readonly requestId: string
  readonly payload: Uint8Array
  /** Wall-clock time in milliseconds at which the function times out. */
  readonly deadlineMs: number
  readonly invokedFunctionArn: string
  readonly traceId?: string
  readonly clientContext?: string
  readonly cognitoIdentity?: string
  readonly tenantId?: string
}

/** How a guest ended an invocation, or its initialisation. */
export type GuestOutcome =
  /** The handler answered. */
  | { readonly kind: 'response'; readonly payload: Uint8Array }
  /** The runtime reported an error; `payload` is the error document the client gets, as the runtime wrote it. */
  | { readonly kind: 'error'; readonly errorType: string; readonly payload: Uint8Array }
  /** The answer is larger than allowed. */
  | { readonly kind: 'too-large'; readonly sizeBytes: number }
  /** The process ended before it answered. */
  | { readonly kind: 'exited'; readonly exit: GuestExit }
  | { readonly kind: 'timeout' }

export interface GuestExit {
  readonly code: number | null
  /** Name such as `SIGKILL`, when a signal ended it. */
  readonly signal: string | null
  /** The kernel killed it for memory. */
  readonly outOfMemory: boolean
}
