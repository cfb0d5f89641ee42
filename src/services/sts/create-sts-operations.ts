/** STS: who am I, and credentials for a while. */
import type {
  AssumeRoleRequest,
  GetAccessKeyInfoRequest,
  GetSessionTokenRequest,
  Tag,
} from '@aws-sdk/client-sts'

import { LambdaError } from '#contracts/errors.ts'
import type { IamSession, IamTag } from '#contracts/iam.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import type { CredentialIndex } from '../iam/credential-index.ts'
import { accessDenied, invalid } from '../iam/iam-errors.ts'
import { accountOfAccessKey } from '../iam/identifiers.ts'
import { checkIdentityPolicy } from '../iam/policy-document.ts'
import type { TemporaryCredentials } from './port.ts'
import { assumedIdentity, findRole, type Sessions } from './sessions.ts'

const HOUR_S = 3600
const DEFAULT_TOKEN_S = 43_200
/** AWS packs policies and tags into the token; how large that gets is not told. This many characters count as full. */
const PACKED_CHARACTERS = 2048

/** For the model `sts`. */
export function createStsOperations(deps: {
  readonly meta: Meta
  readonly index: CredentialIndex
  readonly sessions: Sessions
}): OperationHandlers {
  const { meta, index, sessions } = deps

  const getCallerIdentity: OperationHandler<object, object> = async (_input, { principal }) => ({
    // The owner's id is the account's.
    UserId: index.find(principal.accessKeyId)?.userId ?? principal.account,
    Account: principal.account,
    Arn: principal.arn,
  })

  /** Who may assume the role is not looked at: nobody's permissions are evaluated yet. */
  const assumeRole: OperationHandler<AssumeRoleRequest, object> = async (input, { principal }) => {
    const { RoleArn = '', RoleSessionName = '', DurationSeconds, Policy, PolicyArns, SourceIdentity } = input
    if (!/^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+$/.test(RoleArn)) throw invalid(`${RoleArn} is invalid`)
    if (Policy !== undefined) checkIdentityPolicy(Policy)
    const caller = index.find(principal.accessKeyId)?.session
    const inherited = transitiveOf(caller)
    const { tags, transitive } = sessionTags(input.Tags, input.TransitiveTagKeys, inherited)
    const role = await findRole(meta, RoleArn)
    if (!role) {
      throw accessDenied(
        `User: ${principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
      )
    }
    const seconds = DurationSeconds ?? HOUR_S
    if (caller?.role && seconds > HOUR_S) {
      throw invalid(
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
      )
    }
    if (seconds > role.maxSessionSeconds) {
      throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
    }
    const identity = assumedIdentity(role, RoleSessionName)
    const policyArns = PolicyArns?.flatMap(({ arn }) => (arn === undefined ? [] : [arn]))
    const credentials = await sessions.issue({
      ...identity,
      durationSeconds: seconds,
      ...(Policy !== undefined && { policy: Policy }),
      ...(policyArns && { policyArns }),
      ...(tags.length > 0 && { tags }),
      ...(transitive.length > 0 && { transitiveTagKeys: transitive }),
      ...(SourceIdentity !== undefined && { sourceIdentity: SourceIdentity }),
    })
    const packed = JSON.stringify([Policy, policyArns, input.Tags]).length
    const hasPacked = Policy !== undefined || policyArns !== undefined || input.Tags !== undefined
    return {
      Credentials: credentialsView(credentials),
      AssumedRoleUser: { AssumedRoleId: identity.userId, Arn: identity.arn },
      ...(hasPacked && { PackedPolicySize: Math.min(100, Math.ceil((packed / PACKED_CHARACTERS) * 100)) }),
      ...(SourceIdentity !== undefined && { SourceIdentity }),
    }
  }

  const getSessionToken: OperationHandler<GetSessionTokenRequest, object> = async (input, { principal }) => {
    const known = index.find(principal.accessKeyId)
    if (known?.session) throw accessDenied('Cannot call GetSessionToken with session credentials')
    const { account, arn } = principal
    const wanted = input.DurationSeconds ?? DEFAULT_TOKEN_S
    // The account's owner gets an hour at most (API reference).
    const durationSeconds = known ? wanted : Math.min(wanted, HOUR_S)
    const userId = known?.userId ?? account
    const credentials = await sessions.issue({ account, arn, userId, durationSeconds })
    return { Credentials: credentialsView(credentials) }
  }

  const getAccessKeyInfo: OperationHandler<GetAccessKeyInfoRequest, object> = async ({
    AccessKeyId = '',
  }) => {
    const account = index.find(AccessKeyId)?.account ?? accountOfAccessKey(AccessKeyId)
    // Text unverified.
    if (account === undefined) throw invalid('The access key id is invalid.')
    return { Account: account }
  }

  return {
    GetCallerIdentity: getCallerIdentity,
    AssumeRole: assumeRole,
    GetSessionToken: getSessionToken,
    GetAccessKeyInfo: getAccessKeyInfo,
  }
}

const credentialsView = (credentials: TemporaryCredentials) => ({
  AccessKeyId: credentials.accessKeyId,
  SecretAccessKey: credentials.secretAccessKey,
  SessionToken: credentials.sessionToken,
  Expiration: new Date(credentials.expiresAt),
})

// Code and texts recorded from AWS.
const badTag = (message: string) => new LambdaError('InvalidParameterValue', message, { status: 400 })

/** Tags that the caller's own session hands on. */
function transitiveOf(session: IamSession | undefined): readonly IamTag[] {
  const keys = new Set(session?.transitiveTagKeys?.map((key) => key.toLowerCase()))
  return session?.tags?.filter(({ key }) => keys.has(key.toLowerCase())) ?? []
}

function sessionTags(
  given: readonly Tag[] | undefined,
  transitiveKeys: readonly string[] | undefined,
  inherited: readonly IamTag[],
): { readonly tags: readonly IamTag[]; readonly transitive: readonly string[] } {
  const tags = (given ?? []).map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }))
  const names = new Set(tags.map(({ key }) => key.toLowerCase()))
  if (names.size < tags.length) {
    throw badTag('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
  }
  if (transitiveKeys?.some((key) => !names.has(key.toLowerCase()))) {
    throw badTag('The specified transitive tag key must be included in the requested tags.')
  }
  if (inherited.some(({ key }) => names.has(key.toLowerCase()))) {
    throw badTag(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    )
  }
  return {
    tags: [...tags, ...inherited],
    transitive: [...(transitiveKeys ?? []), ...inherited.map(({ key }) => key)],
  }
}
