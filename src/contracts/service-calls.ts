/** How one of our services calls another: by the operation's name, as its client would, wherever that service is. */

/** As whom a call is made. */
export type ActingAs =
  /** An AWS service for one of its resources: policies see its principal, `aws:SourceArn` and `aws:SourceAccount`. */
  | {
      /** `sns.amazonaws.com`. */
      readonly servicePrincipal: string
      readonly sourceArn: string
      readonly sourceAccount: string
    }
  /** A role that the calling service assumes; only its policies decide. */
  | {
      readonly roleArn: string
      readonly sessionName: string
      /** Must be trusted by the role: `lambda.amazonaws.com`. */
      readonly servicePrincipal: string
      /** The resource that the service acts for: `aws:SourceArn` when the role's trust is asked. */
      readonly sourceArn: string
    }

export interface ServiceCall {
  /** Name of the service's model, such as `sqs`. */
  readonly service: string
  readonly operation: string
  /** Members as the API model has them, blobs as Uint8Array, timestamps as Date. */
  readonly input: object
  readonly region: string
  /** The caller's. */
  readonly account: string
  readonly as: ActingAs
  /** The tracing header of what caused the call, so that loops through several services are found. */
  readonly traceId?: string
  readonly signal?: AbortSignal
}

export interface ServiceCalls {
  /**
   * The operation's output. Rejects with a `LambdaError` that has the service's name of the error, its text and its
   * status; one with status 500 or above, or 429, may be tried again.
   */
  call(call: ServiceCall): Promise<object>
}
