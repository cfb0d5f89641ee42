/** Whether a delivery that failed is tried again, and when. Pure. Source: "Event delivery" of EventBridge's user guide. */
import { LambdaError } from '#contracts/errors.ts'

export interface RetryPolicy {
  /** After the first attempt. */
  readonly maximumRetryAttempts: number
  readonly maximumEventAgeSeconds: number
}

/** Twenty-four hours and 185 retries. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = { maximumRetryAttempts: 185, maximumEventAgeSeconds: 86_400 }

export interface Failure {
  /** One of those that EventBridge knows. */
  readonly code: string
  readonly message: string
  readonly canRetry: boolean
  /** What the target's service calls it. */
  readonly targetCode?: string
}

const GONE = /NotFound|NonExistent|DoesNotExist|NoSuch/
const DENIED = /AccessDenied|NotAuthorized|AuthorizationError|InvalidClientTokenId|UnauthorizedOperation/

/** Codes are those that the guide lists for ERROR_CODE. What the target says is wrong for good is not tried again. */
export function failureOf(error: unknown): Failure {
  if (error instanceof LambdaError) return { ...failureOfTarget(error), targetCode: error.code }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'INTERNAL_ERROR', message, canRetry: true }
}

function failureOfTarget({ code, fault, message, ...error }: LambdaError): Failure {
  const status = error.status ?? (fault === 'platform' ? 500 : 400)
  if (status === 501) return { code: 'SDK_CLIENT_ERROR', message, canRetry: false }
  if (status === 429 || /Thrott|TooManyRequests/.test(code))
    return { code: 'THROTTLING', message, canRetry: true }
  if (status >= 500) return { code: 'ERROR_FROM_TARGET', message, canRetry: true }
  if (DENIED.test(code) || status === 403) return { code: 'NO_PERMISSIONS', message, canRetry: false }
  if (GONE.test(code) || status === 404) return { code: 'NO_RESOURCE', message, canRetry: false }
  // A resource that is being changed.
  if (status === 409) return { code: 'RESOURCE_MODIFICATION_COLLISION', message, canRetry: true }
  return { code: 'INVALID_PARAMETER', message, canRetry: false }
}

export type RetryDecision =
  | { readonly retryAt: number }
  /** Undefined: it can not be tried again at all. */
  | { readonly exhausted: 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds' | undefined }

const FIRST_MS = 1_000
/** So that 185 attempts last for a day. */
const LONGEST_MS = 600_000

/** `retries` were made before; `lot` is a number in [0, 1). */
export function decideRetry(given: {
  readonly failure: Failure
  readonly retries: number
  readonly acceptedAt: number
  readonly now: number
  readonly lot: number
  readonly policy: RetryPolicy
}): RetryDecision {
  const { failure, retries, acceptedAt, now, lot, policy } = given
  if (!failure.canRetry) return { exhausted: undefined }
  if (retries >= policy.maximumRetryAttempts) return { exhausted: 'MaximumRetryAttempts' }
  const lastAt = acceptedAt + policy.maximumEventAgeSeconds * 1000
  if (now >= lastAt) return { exhausted: 'MaximumEventAgeInSeconds' }
  const pauseMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(retries, 20))
  // Once more at the very end, rather than giving up before it.
  return { retryAt: Math.min(lastAt, now + pauseMs * (0.5 + lot / 2)) }
}
