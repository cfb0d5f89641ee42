/** One invocation as it travels from the front end to the guest and back. Payload bytes are never parsed on the way. */
import type { FunctionId } from '#contracts/arn.ts'
import type { TraceHeader } from '#contracts/trace-header.ts'

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
  /** Name of the durable execution to start; for durable functions only. */
  readonly durableExecutionName?: string
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
  /** The durable execution that the invocation started or joined. */
  readonly durableExecutionArn?: string
  /** The trace that the invocation was a part of. */
  readonly trace?: TraceHeader
}

/**
 * Takes a streamed answer while the function still runs. Made by whoever invokes and wants it so; without one the answer
 * is collected. Nothing here throws, and everything may be called after the reader has gone: then it leads nowhere.
 */
export interface ResponseStream {
  /** Most that it takes in all; whoever writes stops there. */
  readonly maxBytes: number
  /** Everything written so far. */
  readonly receivedBytes: number
  /** It holds as much as it may. */
  readonly full: boolean
  /** The function begins to stream; called once, before the first chunk. */
  start(contentType: string | undefined): void
  /** Keeps the chunk, which must not change any more. False when it is full: then nothing is read before `whenRoom`. */
  write(chunk: Uint8Array): boolean
  /** Resolves when it is not full any more, or nobody reads it. Never rejects. */
  whenRoom(): Promise<void>
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
  /** The handler answered. What went through a `ResponseStream` is not repeated in the payload. */
  | { readonly kind: 'response'; readonly payload: Uint8Array }
  /** The runtime reported an error; `payload` is the error document the client gets, as the runtime wrote it. */
  | {
      readonly kind: 'error'
      readonly errorType: string
      readonly payload: Uint8Array
      /** It says that it ends now. */
      readonly final?: true
    }
  /** The answer is larger than allowed. `limitBytes` when the limit is another one than that of buffered answers. */
  | { readonly kind: 'too-large'; readonly sizeBytes: number; readonly limitBytes?: number }
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
