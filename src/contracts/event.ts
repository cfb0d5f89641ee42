/** An asynchronous invocation as it lies in the queue. */
import type { FunctionId } from '#contracts/arn.ts'

export interface AsyncEvent {
  readonly target: FunctionId
  readonly qualifier: string | undefined
  /** The same across all retries; clients saw it in the 202. */
  readonly requestId: string
  readonly payload: Uint8Array
  readonly clientContext?: string
  readonly traceId?: string
  readonly tenantId?: string
  /** Wall-clock time of the 202, milliseconds. The event's age counts from here. */
  readonly acceptedAt: number
  /** Attempts that ended in a function error so far. */
  readonly functionErrors: number
  /** Attempts made at all, throttles and platform errors included. */
  readonly attempts: number
  /** The cell that it belongs to, while it waits in another one. */
  readonly homeCell?: string
  /** Why the last attempt did not run the function; absent when it did, or there was none. */
  readonly lastRefusal?: { readonly statusCode: number; readonly message: string }
}
