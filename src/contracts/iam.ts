/** What the store keeps of IAM and STS: users, access keys, roles, policies and temporary credentials. All of it is global. */

export interface IamTag {
  readonly key: string
  readonly value: string
}

/** What users and roles have in common: an identity that policies can be put on. */
export interface IamIdentity {
  readonly account: string
  /** Unique in its account whatever its case. */
  readonly name: string
  /** AIDA... of users, AROA... of roles. */
  readonly id: string
  /** `/`, or `/a/b/`. */
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly tags: readonly IamTag[]
  /** ARN of a managed policy. */
  readonly permissionsBoundary?: string
  /** Documents by policy name, as they were sent. */
  readonly inlinePolicies: Readonly<Record<string, string>>
  /** ARNs of managed policies, in the order in which they were attached. */
  readonly attachedPolicies: readonly string[]
}

export interface IamUser extends IamIdentity {
  /** At most two, oldest first. */
  readonly accessKeyIds: readonly string[]
}

export interface IamRole extends IamIdentity {
  readonly description?: string
  readonly maxSessionSeconds: number
  /** Who may assume it: the document as it was sent. */
  readonly trustPolicy: string
}

export interface PolicyVersion {
  /** `v1`. Numbers are never used again. */
  readonly id: string
  readonly createdAt: number
  readonly document: string
}

/** A managed policy of an account. Those of AWS itself are part of the program. */
export interface ManagedPolicy {
  readonly account: string
  readonly name: string
  /** ANPA... */
  readonly id: string
  readonly path: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly description?: string
  readonly tags: readonly IamTag[]
  readonly defaultVersion: string
  readonly nextVersion: number
  /** At most five, oldest first. */
  readonly versions: readonly PolicyVersion[]
}

/** One use of a managed policy, kept beside the identity so that a policy's users can be listed. */
export interface PolicyAttachment {
  readonly usage: 'permissions' | 'boundary'
  readonly kind: 'user' | 'role'
  readonly name: string
  readonly id: string
  readonly path: string
}

/** A long-term access key of a user. */
export interface AccessKey {
  readonly id: string
  readonly account: string
  readonly userName: string
  readonly userId: string
  readonly userArn: string
  readonly status: 'Active' | 'Inactive'
  readonly createdAt: number
  /** Under the context `iam-access-key/ID`. */
  readonly sealedSecret: string
}

/** Temporary credentials. */
export interface IamSession {
  readonly accessKeyId: string
  readonly account: string
  /** Of the caller that the credentials make: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, or a user's. */
  readonly arn: string
  /** `AROA...:SESSION`, `AIDA...` or the account's number. */
  readonly userId: string
  /** JSON of `SessionSecret`, under the context `iam-session/ID`. */
  readonly sealed: string
  readonly issuedAt: number
  readonly expiresAt: number
  /** Absent: the session has the permissions of its user. */
  readonly role?: {
    readonly arn: string
    readonly name: string
    readonly sessionName: string
  }
  /** Session policies narrow what the role allows. */
  readonly policy?: string
  readonly policyArns?: readonly string[]
  readonly tags?: readonly IamTag[]
  readonly transitiveTagKeys?: readonly string[]
  readonly sourceIdentity?: string
  /** Of sessions that functions have. */
  readonly sourceFunctionArn?: string
}

export interface SessionSecret {
  readonly secret: string
  readonly token: string
}

/** How many there are of an account, for its quotas. */
export interface IamCounts {
  readonly users: number
  readonly roles: number
  readonly policies: number
}

/** Partition and account of AWS's own managed policies. */
export const AWS_POLICY_PREFIX = 'arn:aws:iam::aws:policy'

type Named = { readonly account: string; readonly path: string; readonly name: string }
export const userArn = ({ account, path, name }: Named) => `arn:aws:iam::${account}:user${path}${name}`
export const roleArn = ({ account, path, name }: Named) => `arn:aws:iam::${account}:role${path}${name}`
export const policyArn = ({ account, path, name }: Named) => `arn:aws:iam::${account}:policy${path}${name}`

/** Names are told apart without their case. */
export const iamUserPrefix = (account: string) => `iam-user/${account}/`
export const iamUserKey = (account: string, name: string) => `${iamUserPrefix(account)}${name.toLowerCase()}`
export const iamRolePrefix = (account: string) => `iam-role/${account}/`
export const iamRoleKey = (account: string, name: string) => `${iamRolePrefix(account)}${name.toLowerCase()}`
export const iamPolicyPrefix = (account: string) => `iam-policy/${account}/`
export const iamPolicyKey = (account: string, name: string) =>
  `${iamPolicyPrefix(account)}${name.toLowerCase()}`

/** No ARN of a policy contains a `#`. */
export const iamAttachmentPrefix = (account: string, arn: string) => `iam-attachment/${account}/${arn}#`
export const iamAttachmentKey = (
  account: string,
  arn: string,
  { usage, kind, name }: Pick<PolicyAttachment, 'usage' | 'kind' | 'name'>,
) => `${iamAttachmentPrefix(account, arn)}${kind}/${name.toLowerCase()}/${usage}`

/** Access keys and sessions of all accounts: the door looks them up before it knows the account. */
export const ACCESS_KEYS = 'iam-access-key/'
export const accessKeyKey = (id: string) => `${ACCESS_KEYS}${id}`
export const SESSIONS = 'iam-session/'
export const sessionKey = (accessKeyId: string) => `${SESSIONS}${accessKeyId}`

export const iamCountsKey = (account: string) => `iam-counts/${account}`
