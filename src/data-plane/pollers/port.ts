/** What the pollers need to know about functions, and where events go that were given up. */
import type { FunctionId } from '#contracts/arn.ts'
import type { AsyncEvent } from '#contracts/event.ts'

/** What a poller must know about a function before it runs one of its events. */
export interface AsyncInvokeSettings {
  /** Retries after function errors, 0 to 2; left out: 2. */
  readonly maximumRetryAttempts?: number
  /** 60 to 21,600; left out: 21,600. */
  readonly maximumEventAgeSeconds?: number
  /** The function's reserved concurrency; 0 means that none of its events is tried. */
  readonly reservedConcurrency?: number
}

/** From memory, since it is asked for every event; a function that does not exist has no settings. */
export type LookUpSettings = (
  target: FunctionId,
  qualifier: string | undefined,
) => AsyncInvokeSettings | Promise<AsyncInvokeSettings>

/** An event that gets no further attempt. */
export interface ExhaustedEvent {
  readonly event: AsyncEvent
  /** AWS's name of the condition in invocation records. */
  readonly reason: 'RetriesExhausted' | 'EventAgeExceeded' | 'ZeroConcurrency'
  /** The last attempt's answer, when the function ran and failed. */
  readonly lastError?: { readonly functionError: string; readonly payload: Uint8Array }
}

/** Takes events that were given up (dead-letter queue, destination). The event is deleted when it resolves or rejects. */
export type OnExhausted = (exhausted: ExhaustedEvent) => Promise<void> | void
