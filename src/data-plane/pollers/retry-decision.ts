/** What becomes of an asynchronous event after an attempt: a pure decision. */
import type { AsyncEvent } from '#contracts/event.ts'
import type { OutcomeCondition } from '#data-plane/destinations/port.ts'
import { MINUTE_MS, SECOND_MS } from '#kernel/units.ts'

/** The function's settings for asynchronous invocations. Source: EventInvokeConfig of the Lambda API model. */
export interface EventSettings {
  /** 0 to 2; counts retries after function errors only. */
  readonly maximumRetryAttempts: number
  /** 60 to 21,600; counted from the 202. */
  readonly maximumEventAgeSeconds: number
}

export type AttemptOutcome =
  | 'succeeded'
  /** The function ran and failed. */
  | 'function-error'
  /** 429: it did not run. */
  | 'throttled'
  /** 5xx, or a state that passes: it did not run, or nobody knows. */
  | 'platform-error'
  /** The function, version or alias does not exist. */
  | 'not-found'
  /** It has come round in a circle too often. */
  | 'recursive'
  /** The request can never succeed (a 4xx other than those above). */
  | 'refused'

type ExhaustedReason = Exclude<OutcomeCondition, 'Success'>

export type RetryDecision =
  | { readonly do: 'complete'; readonly event: AsyncEvent }
  /** It belongs to another cell, which has it now. */
  | { readonly do: 'forwarded'; readonly event: AsyncEvent }
  | { readonly do: 'retry'; readonly visibleAt: number; readonly event: AsyncEvent }
  | { readonly do: 'exhaust'; readonly reason: ExhaustedReason; readonly event: AsyncEvent }
  | { readonly do: 'drop'; readonly event: AsyncEvent }

/** Waits before the first and the second retry after a function error (developer guide, asynchronous error handling). */
const FUNCTION_ERROR_DELAYS_MS: readonly number[] = [1 * MINUTE_MS, 2 * MINUTE_MS]
/** Interval after throttles and system errors: "increases exponentially from 1 second to a maximum of 5 minutes". */
const FIRST_BACKOFF_MS = 1 * SECOND_MS
const MAX_BACKOFF_MS = 5 * MINUTE_MS
/** Part of a back-off that is drawn by lot, so that events throttled together do not come back together. */
const SPREAD = 0.2

const ageLimitAt = (event: AsyncEvent, settings: EventSettings) =>
  event.acceptedAt + settings.maximumEventAgeSeconds * SECOND_MS

/** `failures` counts attempts in which the function did not run, the one just made included. `lot` is in [0, 1). */
export function backoffMs(failures: number, lot: number): number {
  const fullMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1))
  return fullMs * (1 - SPREAD * lot)
}

/** Before an attempt: events that must not be tried (again). */
export function decideBefore(given: {
  readonly event: AsyncEvent
  readonly settings: EventSettings
  readonly reservedConcurrency: number | undefined
  readonly now: number
}): RetryDecision | undefined {
  const { event, settings, now } = given
  if (now >= ageLimitAt(event, settings)) return { do: 'exhaust', reason: 'EventAgeExceeded', event }
  if (given.reservedConcurrency === 0) return { do: 'exhaust', reason: 'ZeroReservedConcurrency', event }
  return undefined
}

/** After an attempt. `event` carries the counters from before it; those in the answer include it. */
export function decideAfter(given: {
  readonly event: AsyncEvent
  readonly outcome: AttemptOutcome
  readonly settings: EventSettings
  /** Why the function did not run, for outcomes that say so. */
  readonly refusal?: AsyncEvent['lastRefusal']
  readonly now: number
  readonly lot: number
}): RetryDecision {
  const { outcome, settings, refusal, now, lot } = given
  const failed = outcome === 'function-error'
  const { lastRefusal: _before, ...before } = given.event
  const event: AsyncEvent = {
    ...before,
    attempts: before.attempts + 1,
    functionErrors: before.functionErrors + (failed ? 1 : 0),
    ...(refusal && { lastRefusal: refusal }),
  }
  if (outcome === 'succeeded') return { do: 'complete', event }
  if (outcome === 'not-found') return { do: 'drop', event }
  if (outcome === 'recursive') return { do: 'exhaust', reason: 'RecursiveInvocation', event }
  if (outcome === 'refused') return { do: 'exhaust', reason: 'RetriesExhausted', event }
  if (failed && event.functionErrors > settings.maximumRetryAttempts) {
    return { do: 'exhaust', reason: 'RetriesExhausted', event }
  }
  const limitAt = ageLimitAt(event, settings)
  if (now >= limitAt) return { do: 'exhaust', reason: 'EventAgeExceeded', event }
  const delayMs = failed
    ? (FUNCTION_ERROR_DELAYS_MS[event.functionErrors - 1] ?? 2 * MINUTE_MS)
    : backoffMs(event.attempts - event.functionErrors, lot)
  // Recorded from AWS: after a function error nothing waits for an attempt that would come too late.
  if (failed && now + delayMs >= limitAt) return { do: 'exhaust', reason: 'EventAgeExceeded', event }
  // Refused ones are looked at when their age ends, and then given up.
  return { do: 'retry', visibleAt: Math.min(Math.round(now + delayMs), limitAt), event }
}
