/** What the pollers need to know about functions. */
import type { FunctionId } from '#contracts/arn.ts'
import type { OutcomeTargets } from '#data-plane/destinations/port.ts'

/** What a poller must know about a function before it runs one of its events, and after. */
export interface AsyncInvokeSettings extends OutcomeTargets {
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
