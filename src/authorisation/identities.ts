/** What the store says of a caller: its policies, its boundary, and the keys that conditions ask for. */
import {
  AWS_POLICY_PREFIX,
  iamPolicyKey,
  iamRoleKey,
  iamUserKey,
  roleArn,
  type IamIdentity,
  type IamRole,
  type IamSession,
  type IamTag,
  type IamUser,
  type ManagedPolicy,
} from '#contracts/iam.ts'
import { compilePolicyText } from '#contracts/policy-evaluation/compile-policy.ts'
import type { Caller } from '#contracts/policy-evaluation/evaluate.ts'
import type { Policy } from '#contracts/policy-evaluation/policy.ts'
import type { Json } from '#kernel/json.ts'
import type { Principal, ServiceSource } from '#wire/service.ts'

import type { DocumentViews } from './document-views.ts'

export interface Identity {
  readonly caller: Caller
  readonly identity: readonly Policy[]
  readonly boundary: Policy | undefined
  readonly session: readonly Policy[] | undefined
  /** Condition keys about the caller, in lower case. They stay the same as long as its documents do. */
  readonly keys: Readonly<Record<string, readonly string[]>>
}

interface Known<Doc> {
  readonly doc: Doc
  readonly inline: readonly Policy[]
}

const known = <Doc extends IamIdentity>(json: Json): Known<Doc> => {
  const doc = json as unknown as Doc
  return { doc, inline: Object.values(doc.inlinePolicies).map(compilePolicyText) }
}
const knownUser = (json: Json) => known<IamUser>(json)
const knownRole = (json: Json) => known<IamRole>(json)

function defaultVersion(policy: ManagedPolicy): Policy | undefined {
  const version = policy.versions.find(({ id }) => id === policy.defaultVersion)
  return version && compilePolicyText(version.document)
}
const managedPolicy = (json: Json) => defaultVersion(json as unknown as ManagedPolicy)

const MANAGED = /^arn:[^:]+:iam::(\d{12}):policy\/(?:.*\/)?([^/]+)$/
const CALLER =
  /^arn:[^:]+:(?:iam::(?<account>\d{12}):(?:(?<root>root)|user\/(?:.*\/)?(?<user>[^/]+))|sts::(?<sessionAccount>\d{12}):assumed-role\/(?<role>[^/]+)\/(?<session>.+))$/

/** Allows nothing: stands for a policy that is named and is not there. */
const NOTHING: Policy = { statements: [], broken: false }

const tagsAsKeys = (tags: readonly IamTag[]) =>
  Object.fromEntries(
    tags.map(({ key, value }) => [`aws:principaltag/${key.toLowerCase()}`, [value]] as const),
  )

const seconds = (atMs: number) => `${new Date(atMs).toISOString().slice(0, 19)}Z`

export interface Identities {
  /** Reads what is not in memory. Callers that no document tells of come back with no permissions at all. */
  of(principal: Principal): Promise<Identity>
}

export function createIdentities(options: {
  readonly views: DocumentViews
  /** Temporary credentials by their access key id. */
  readonly session: (accessKeyId: string) => IamSession | undefined
  /** AWS's own managed policies, by ARN. */
  readonly awsPolicies: ReadonlyMap<string, ManagedPolicy>
}): Identities {
  const { views, session: findSession, awsPolicies } = options
  const compiledAws = new Map<string, Policy | undefined>()

  const managed = async (arn: string): Promise<Policy> => {
    if (arn.startsWith(AWS_POLICY_PREFIX)) {
      const policy = awsPolicies.get(arn)
      if (!policy) return NOTHING
      if (!compiledAws.has(arn)) compiledAws.set(arn, defaultVersion(policy))
      return compiledAws.get(arn) ?? NOTHING
    }
    const [, account, name] = MANAGED.exec(arn) ?? []
    if (account === undefined || name === undefined) return NOTHING
    return (await views.read(iamPolicyKey(account, name), managedPolicy)) ?? NOTHING
  }

  const policiesOf = async ({ doc, inline }: Known<IamIdentity>) => ({
    identity: [...inline, ...(await Promise.all(doc.attachedPolicies.map(managed)))],
    boundary: doc.permissionsBoundary === undefined ? undefined : await managed(doc.permissionsBoundary),
  })

  /** A session that was given policies has no more than what they allow; a role's, and a user's that has none. */
  const sessionPolicies = async (session: IamSession | undefined) => {
    if (session?.policy === undefined && session?.policyArns === undefined) return undefined
    const inline = session.policy === undefined ? [] : [compilePolicyText(session.policy)]
    return [...inline, ...(await Promise.all((session.policyArns ?? []).map(managed)))]
  }

  const sessionKeys = (session: IamSession | undefined) =>
    session && {
      'aws:tokenissuetime': [seconds(session.issuedAt)],
      // Nobody has a second factor here.
      'aws:multifactorauthpresent': ['false'],
      ...(session.sourceIdentity !== undefined && { 'aws:sourceidentity': [session.sourceIdentity] }),
      ...(session.sourceFunctionArn !== undefined && {
        'lambda:sourcefunctionarn': [session.sourceFunctionArn],
      }),
    }

  const nobody = (principal: Principal, caller: Caller): Identity => ({
    caller,
    identity: [],
    boundary: undefined,
    session: undefined,
    keys: { 'aws:principalarn': [principal.arn], 'aws:principalaccount': [principal.account] },
  })

  /** Has no policies of its own: what it acts on must allow it. */
  const ofService = ({ name, arn, account }: ServiceSource): Identity => ({
    caller: { kind: 'service', name },
    identity: [],
    boundary: undefined,
    session: undefined,
    keys: {
      'aws:principalisawsservice': ['true'],
      'aws:principalservicename': [name],
      'aws:sourcearn': [arn],
      'aws:sourceaccount': [account],
    },
  })

  const ofRole = async (principal: Principal, roleName: string, session: IamSession | undefined) => {
    const { account, arn } = principal
    const role = await views.read(iamRoleKey(account, roleName), knownRole)
    const unknown: Caller = { kind: 'session', account, arn, roleArn: '' }
    // A new role of the same name is another one; sessions of the old one have lost what they had.
    if (!role || (session && !session.userId.startsWith(`${role.doc.id}:`))) return nobody(principal, unknown)
    const roleIs = roleArn(role.doc)
    return {
      caller: { ...unknown, roleArn: roleIs },
      ...(await policiesOf(role)),
      session: await sessionPolicies(session),
      keys: {
        'aws:principalarn': [roleIs],
        'aws:principalaccount': [account],
        'aws:principaltype': ['AssumedRole'],
        'aws:userid': [session?.userId ?? role.doc.id],
        ...tagsAsKeys([...role.doc.tags, ...(session?.tags ?? [])]),
        ...sessionKeys(session),
      },
    }
  }

  const ofUser = async (principal: Principal, userName: string, session: IamSession | undefined) => {
    const { account, arn } = principal
    const caller: Caller = { kind: 'user', account, arn }
    const user = await views.read(iamUserKey(account, userName), knownUser)
    if (!user || (session && session.userId !== user.doc.id)) return nobody(principal, caller)
    return {
      caller,
      ...(await policiesOf(user)),
      session: await sessionPolicies(session),
      keys: {
        'aws:principalarn': [arn],
        'aws:principalaccount': [account],
        'aws:principaltype': ['User'],
        'aws:userid': [user.doc.id],
        'aws:username': [user.doc.name],
        ...tagsAsKeys(user.doc.tags),
        ...sessionKeys(session),
      },
    }
  }

  return {
    async of(principal) {
      const { account, arn, accessKeyId } = principal
      if (principal.service) return ofService(principal.service)
      const found = CALLER.exec(arn)?.groups
      if (!found) return nobody(principal, { kind: 'anonymous' })
      const session = findSession(accessKeyId)
      if (found['role'] !== undefined) return await ofRole(principal, found['role'], session)
      if (found['user'] !== undefined) return await ofUser(principal, found['user'], session)
      return {
        ...nobody(principal, { kind: 'root', account, arn }),
        session: await sessionPolicies(session),
        keys: {
          'aws:principalarn': [arn],
          'aws:principalaccount': [account],
          'aws:principaltype': ['Account'],
          'aws:userid': [account],
          ...sessionKeys(session),
        },
      }
    },
  }
}
