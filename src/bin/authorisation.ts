/** `--auth iam`: who may do what, and as whom functions call us. */
import { functionArn } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { IamSession } from '#contracts/iam.ts'
import type { ActingAs } from '#contracts/service-calls.ts'
import { createAuthorisation, type Authorisation } from '#authorisation/create-authorisation.ts'
import type { ExecutionRoles } from '#control-plane/port.ts'
import type { DocumentCache } from '#documents/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'
import { AWS_POLICIES } from '#services/iam/aws-policies.ts'
import type { RoleSessions, TemporaryCredentials } from '#services/sts/port.ts'
import type { Principal } from '#wire/service.ts'

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
  roles,
  logger,
}: {
  readonly roleSessions: RoleSessions
  /** Undefined: nobody asks whether a role trusts Lambda. */
  readonly roles: Pick<Authorisation, 'mayAssume'> | undefined
  readonly logger: Logger
}): (version: FunctionVersion) => Promise<Omit<TemporaryCredentials, 'expiresAt'>> {
  return async (version) => {
    const { account, name, role } = version
    if (roles && !(await roles.mayAssume(role, version))) {
      // As clients report it of functions whose role was deleted.
      throw new LambdaError(
        'AccessDeniedException',
        'The role defined for the function cannot be assumed by Lambda.',
        { status: 403 },
      )
    }
    const credentials = await roleSessions.assume({
      roleArn: role,
      sessionName: name,
      // Without its version, as the developer guide's examples have it.
      sourceFunctionArn: functionArn(version),
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

const ROLE = /^(arn:[^:]+):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/

/** Who a service is that acts as a role in this process: it needs no keys, only the role's permissions. */
export function createRoleSession({
  roles,
}: {
  /** Undefined: nobody asks whether a role trusts a service. */
  readonly roles: Pick<Authorisation, 'mayServiceAssume'> | undefined
}): (as: Extract<ActingAs, { readonly roleArn: string }>) => Promise<Principal> {
  return async ({ roleArn, sessionName, servicePrincipal, sourceArn }) => {
    const [, partition = 'arn:aws', account = '', name = ''] = ROLE.exec(roleArn) ?? []
    const source = { name: servicePrincipal, arn: sourceArn, account: sourceArn.split(':')[4] ?? account }
    if (name === '' || (roles && !(await roles.mayServiceAssume(roleArn, source)))) {
      // The text is unverified.
      throw new LambdaError('AccessDenied', `${servicePrincipal} is unable to assume role ${roleArn}`, {
        status: 403,
      })
    }
    return {
      account,
      arn: `${partition}:sts::${account}:assumed-role/${name}/${sessionName}`,
      // No key: it tells the callers apart whose permissions are remembered.
      accessKeyId: `${roleArn} ${sessionName}`,
    }
  }
}

/** What Lambda's control plane asks about the roles of functions. */
export function createExecutionRoles({
  authorisation,
  foreign,
}: {
  readonly authorisation: Authorisation
  /** Services that run elsewhere, by name: what they allow nobody knows here. */
  readonly foreign: ReadonlyMap<string, unknown>
}): ExecutionRoles {
  const sessionOf = createRoleSession({ roles: authorisation })
  return {
    mayAssume: (roleArn, id) => authorisation.mayAssume(roleArn, id),
    async mayRequest(roleArn, id, request) {
      if (foreign.has(request.service)) return true
      const servicePrincipal = 'lambda.amazonaws.com'
      try {
        const sourceArn = functionArn(id)
        const principal = await sessionOf({ roleArn, sessionName: id.name, servicePrincipal, sourceArn })
        await authorisation.authorise({
          ...request,
          principal,
          sourceIp: undefined,
          userAgent: servicePrincipal,
        })
        return true
      } catch (error) {
        if (error instanceof LambdaError && error.status === 403) return false
        throw error
      }
    },
  }
}
