/** What an AWS service is to the door: a model, and a handler for each operation that is built. */

/** Who calls, as far as the door knows. */
export interface Principal {
  readonly account: string
  /** ARN of the caller. */
  readonly arn: string
  readonly accessKeyId: string
  /** Set when one of our services calls for one of its resources: policies see this principal and its source. */
  readonly service?: ServiceSource
}

export interface ServiceSource {
  /** `sns.amazonaws.com`. */
  readonly name: string
  /** `aws:SourceArn` and `aws:SourceAccount` of its requests. */
  readonly arn: string
  readonly account: string
}

export interface RequestContext {
  /** Sent back as x-amzn-RequestId. */
  readonly requestId: string
  readonly account: string
  readonly region: string
  readonly principal: Principal
  /**
   * True when policies have been asked and have allowed this: then a resource of another account may be meant. Absent:
   * nobody has asked, and callers stay in their own account.
   */
  readonly isAuthorised?: boolean
  /** `http://host:port` as the client reached us, without a trailing slash. */
  readonly endpoint: string
  /** Aborts when the client hangs up. */
  readonly signal: AbortSignal
  /** X-Amzn-Trace-Id of the request, if it had one. */
  readonly traceId: string | undefined
}

/**
 * One operation. `input` has the members of the API model (blobs as Uint8Array, timestamps as Date), validated against
 * its constraints. The answer has the members of the output shape; `$status` overrides the modelled HTTP status.
 * A `LambdaError` becomes AWS's error answer; anything else becomes ServiceException and is logged.
 */
// The wire layer can't know every service's types; each handler narrows them with the SDK's own input and output types.
export type OperationHandler<Input = never, Output = unknown> = (
  input: Input,
  context: RequestContext,
) => Promise<Output & { readonly $status?: number; readonly $headers?: readonly string[] }>

export type OperationHandlers = { readonly [operation: string]: OperationHandler<never, object> }
