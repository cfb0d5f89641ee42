/** The one error that crosses component borders: AWS's name, what the client is told, and who is to blame. */

/** `client`: the request is wrong. `function`: the customer's code. `platform`: us. */
export type Fault = 'client' | 'function' | 'platform'

export interface LambdaErrorOptions {
  /** HTTP status; the wire layer takes the modelled one when it is left out. */
  readonly status?: number
  readonly fault?: Fault
  /** Further members of the error body, such as `Reason` of a throttle. */
  readonly members?: Readonly<Record<string, string | number | boolean>>
  /** Leaves the member `Type` out of the error body, as AWS does for a few resources. */
  readonly withoutType?: boolean
  /** Further response headers, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/**
 * An error that a client of the API is told about. `code` is AWS's exception name, such as `ResourceNotFoundException`.
 * A function's own error is a result, never one of these. Programmer errors stay plain `Error`.
 */
export class LambdaError extends Error {
  override readonly name = 'LambdaError'
  readonly code: string
  readonly status: number | undefined
  readonly fault: Fault
  readonly members: Readonly<Record<string, string | number | boolean>>
  readonly headers: Readonly<Record<string, string>>
  readonly withoutType: boolean

  constructor(code: string, message: string, options: LambdaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = options.status
    this.fault = options.fault ?? ((options.status ?? 400) >= 500 ? 'platform' : 'client')
    this.members = options.members ?? {}
    this.headers = options.headers ?? {}
    this.withoutType = options.withoutType ?? false
  }
}

export const resourceNotFound = (message: string) =>
  new LambdaError('ResourceNotFoundException', message, { status: 404 })
export const resourceConflict = (message: string) =>
  new LambdaError('ResourceConflictException', message, { status: 409 })
export const invalidParameter = (message: string) =>
  new LambdaError('InvalidParameterValueException', message, { status: 400 })
/** Not in the API model, but what AWS sends when a member breaks its constraint. */
export const validationFailed = (message: string) =>
  new LambdaError('ValidationException', message, { status: 400 })
export const preconditionFailed = (message: string) =>
  new LambdaError('PreconditionFailedException', message, { status: 412 })
export const serviceFailure = (message: string, cause?: unknown) =>
  new LambdaError('ServiceException', message, { status: 500, fault: 'platform', cause })

/** AWS's reasons of a 429. Source: enum ThrottleReason of the Lambda API model. */
export type ThrottleReason =
  | 'ConcurrentInvocationLimitExceeded'
  | 'FunctionInvocationRateLimitExceeded'
  | 'ReservedFunctionConcurrentInvocationLimitExceeded'
  | 'ReservedFunctionInvocationRateLimitExceeded'
  | 'CallerRateLimitExceeded'
  | 'ConcurrentSnapshotCreateLimitExceeded'

/** The 429 that AWS sends: message "Rate Exceeded." with its `Reason` (recorded from AWS). */
export const throttled = (reason: ThrottleReason) =>
  new LambdaError('TooManyRequestsException', 'Rate Exceeded.', { status: 429, members: { Reason: reason } })
