/** Where invocations enter: API clients, function URLs, pollers all call this and nothing below it. */
import type { InvocationRequest, InvocationResult } from '#contracts/invocation.ts'
import type { TraceHeader } from '#contracts/trace-header.ts'

export interface Frontend {
  /**
   * Authorised already. Resolves the version, admits, runs. Rejects with `LambdaError` (not found, throttled, ...), or
   * with the signal's reason when the client hangs up first.
   */
  invoke(request: InvocationRequest): Promise<InvocationResult>
  /**
   * Asynchronous: durable in the event queue when it resolves. A durable function's execution is stored instead, and
   * its ARN returned.
   */
  enqueue(request: InvocationRequest): Promise<{ readonly durableExecutionArn: string } | void>
  /** Checks everything that `invoke` checks, and runs nothing. */
  dryRun(request: InvocationRequest): Promise<void>
}

/** An answer that may be read while the function still runs. */
export interface StreamedAnswer {
  readonly executedVersion: string
  readonly trace?: TraceHeader
  /** The function streams. Otherwise the answer was complete before it could be read. */
  readonly streamed: boolean
  /** Of the stream, as the function named it. */
  readonly contentType: string | undefined
  /**
   * The answer in pieces, at the speed that is allowed; a function that streams waits for whoever reads them. To be read
   * once. Leaving early lets the function go on to its end unheard, as AWS does (developer guide).
   */
  readonly chunks: AsyncIterable<Uint8Array>
  /**
   * How the invocation ended: payload only with `functionError`, otherwise it went through `chunks`. Await it after the
   * chunks. Rejects with `LambdaError` for a fault of the platform in the middle of a stream.
   */
  readonly end: Promise<InvocationResult>
}

/** For those who read answers while they are written. */
export interface StreamingFrontend extends Frontend {
  /**
   * Like `invoke`, but resolves as soon as the function begins to stream, or has ended without. When the signal of the
   * request aborts afterwards, the rest of the answer is dropped.
   */
  invokeStreaming(request: InvocationRequest): Promise<StreamedAnswer>
}
