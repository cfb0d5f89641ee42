/** Temporary credentials of roles, for whoever runs code on a role's behalf. */

export interface TemporaryCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export interface RoleSessions {
  /**
   * Credentials that the door accepts until they expire. Undefined when there is no such role. Whether the caller may
   * assume the role is not checked here. Throws Throttling when too many are alive.
   */
  assume(request: {
    readonly roleArn: string
    readonly sessionName: string
    readonly durationSeconds: number
    /** The function that acts as the role: `lambda:SourceFunctionArn` of its requests. */
    readonly sourceFunctionArn?: string
  }): Promise<TemporaryCredentials | undefined>
}
