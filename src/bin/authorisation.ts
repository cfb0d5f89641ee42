/** `--auth iam`: who may do what, and as whom functions call us. */
import type { FunctionVersion } from '#contracts/function.ts'
import type { IamSession } from '#contracts/iam.ts'
import { createAuthorisation, type Authorisation } from '#authorisation/create-authorisation.ts'
import type { DocumentCache } from '#documents/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'
import { AWS_POLICIES } from '#services/iam/aws-policies.ts'
import type { RoleSessions, TemporaryCredentials } from '#services/sts/port.ts'

export const createPolicyAuthorisation = (options: {
  readonly documents: DocumentCache
  readonly clock: Clock
  /** Temporary credentials by their access key id. */
  readonly session: (accessKeyId: string) => IamSession | undefined
}): Authorisation => createAuthorisation({ ...options, awsPolicies: AWS_POLICIES })

/** Longer than an environment lives, so that it never outlives what it was started with. */
const FUNCTION_SESSION_SECONDS = 12 * 3600

/** No such key exists: a function without a role may ask for nothing. */
const NO_CREDENTIALS = { accessKeyId: 'ASIANOROLE', secretAccessKey: 'none', sessionToken: 'none' }

/** Session names are the function's name, as in AWS. */
export function createFunctionCredentials({
  roleSessions,
  logger,
}: {
  readonly roleSessions: RoleSessions
  readonly logger: Logger
}): (version: FunctionVersion) => Promise<Omit<TemporaryCredentials, 'expiresAt'>> {
  return async ({ account, name, role }) => {
    const credentials = await roleSessions.assume({
      roleArn: role,
      sessionName: name,
      durationSeconds: FUNCTION_SESSION_SECONDS,
    })
    if (credentials) return credentials
    logger.warn('A function runs without credentials, because its role does not exist', {
      account,
      name,
      role,
    })
    return NO_CREDENTIALS
  }
}
