/**
 * Decides whether a request is allowed. Pure; the order of policies and statements never matters. Source: IAM user
 * guide, policy evaluation logic. There are no organizations here, so no policies of theirs.
 */
import { holds } from '#contracts/policy-evaluation/conditions.ts'
import type { Matched, Policy, PrincipalMember, Statement } from '#contracts/policy-evaluation/policy.ts'
import { matches, type ContextLookup } from '#contracts/policy-evaluation/wildcard.ts'

/** Who asks. */
export type Caller =
  /** The owner of an account: allowed whatever its account is. */
  | { readonly kind: 'root'; readonly account: string; readonly arn: string }
  | { readonly kind: 'user'; readonly account: string; readonly arn: string }
  /** `roleArn` is the role's, with its path; `arn` the session's. */
  | { readonly kind: 'session'; readonly account: string; readonly arn: string; readonly roleArn: string }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'federated'; readonly provider: string }
  | { readonly kind: 'anonymous' }

export interface AccessRequest {
  readonly caller: Caller
  /** `lambda:InvokeFunction`. */
  readonly action: string
  /** An ARN, or `*` for actions that are about no resource. */
  readonly resource: string
  readonly context: ContextLookup
}

export interface ApplyingPolicies {
  /** Of the user with its groups, or of the role. */
  readonly identity: readonly Policy[]
  /** Permissions boundary of the user or role. */
  readonly boundary?: Policy | undefined
  /** Policies given to the session; undefined when none were, which limits nothing. */
  readonly session?: readonly Policy[] | undefined
  /** Of the resource, if it has one. */
  readonly resource?: Policy | undefined
  /** Whose the resource is. */
  readonly resourceAccount: string
  /** Roles' trust policies and keys' policies have the last word even within one account. */
  readonly resourceMustAllow?: boolean
}

export type PolicyType = 'identity-based' | 'resource-based' | 'boundary' | 'session'

export type Decision =
  | { readonly allowed: true }
  /** `explicit`: a statement denies it. Otherwise no statement of that type of policy allows it. */
  | { readonly allowed: false; readonly explicit: boolean; readonly by: PolicyType }

const ALLOWED: Decision = { allowed: true }
const denied = (explicit: boolean, by: PolicyType): Decision => ({ allowed: false, explicit, by })

function named<Member>({ negated, members }: Matched<Member>, fits: (member: Member) => boolean): boolean {
  return members.some(fits) !== negated
}

const appliesTo = (statement: Statement, { action, resource, context }: AccessRequest): boolean =>
  named(statement.actions, (pattern) => matches(pattern, action, context)) &&
  (statement.resources === undefined ||
    named(statement.resources, (pattern) => matches(pattern, resource, context))) &&
  statement.conditions.every((condition) => holds(condition, context))

/**
 * How directly a policy of a resource names the caller. `account`: its whole account, which then decides by its own
 * policies. `role`: the role, within what boundary and session allow. `caller`: exactly this one, or everybody.
 */
type Naming = 'account' | 'role' | 'caller'

function namingOf(member: PrincipalMember, caller: Caller): Naming | undefined {
  switch (member.kind) {
    case 'everyone':
      return 'caller'
    case 'account':
      if (!('account' in caller) || caller.account !== member.account) return undefined
      return caller.kind === 'root' ? 'caller' : 'account'
    case 'identity':
      if (!('arn' in caller)) return undefined
      if (caller.arn === member.arn) return 'caller'
      return caller.kind === 'session' && caller.roleArn === member.arn ? 'role' : undefined
    case 'service':
      return caller.kind === 'service' && caller.name === member.name ? 'caller' : undefined
    case 'federated':
      return caller.kind === 'federated' && caller.provider === member.provider ? 'caller' : undefined
    case 'nobody':
      return undefined
  }
}

/** Every way in which the members name the caller. */
const namings = (members: readonly PrincipalMember[], caller: Caller): ReadonlySet<Naming> =>
  new Set(members.flatMap((member) => namingOf(member, caller) ?? []))

/**
 * NotPrincipal spares from a denial only who is listed in every way that could name it: AWS asks for the account beside
 * the user, and for the role beside the session.
 */
function isSpared(members: readonly PrincipalMember[], caller: Caller): boolean {
  const ways = namings(members, caller)
  if (members.some(({ kind }) => kind === 'everyone')) return true
  const needed: readonly Naming[] =
    caller.kind === 'session'
      ? ['account', 'role', 'caller']
      : caller.kind === 'user'
        ? ['account', 'caller']
        : ['caller']
  return needed.every((way) => ways.has(way))
}

interface Finding {
  readonly denies: boolean
  /** How directly it allows; undefined when it does not. */
  readonly allows: Naming | undefined
}

const RANK: Readonly<Record<Naming, number>> = { account: 1, role: 2, caller: 3 }
const closer = (left: Naming | undefined, right: Naming | undefined) =>
  (left ? RANK[left] : 0) >= (right ? RANK[right] : 0) ? left : right

const EVERYBODY: Matched<PrincipalMember> = { negated: false, members: [{ kind: 'everyone' }] }
const NOBODY: Matched<PrincipalMember> = { negated: false, members: [] }

/** What the policy of a resource says; its statements name principals. */
function readResourcePolicy(policy: Policy, request: AccessRequest): Finding {
  let denies = false
  let allows: Naming | undefined
  for (const statement of policy.statements) {
    // A statement that names nobody can't have been written here; it allows nobody and denies everybody.
    const principals = statement.principals ?? (statement.effect === 'Deny' ? EVERYBODY : NOBODY)
    const ways = namings(principals.members, request.caller)
    if (statement.effect === 'Deny') {
      const meant = principals.negated ? !isSpared(principals.members, request.caller) : ways.size > 0
      denies ||= meant && appliesTo(statement, request)
    } else {
      const way = principals.negated
        ? ways.size === 0
          ? 'caller'
          : undefined
        : [...ways].reduce<Naming | undefined>(closer, undefined)
      if (way && closer(allows, way) !== allows && appliesTo(statement, request)) allows = way
    }
  }
  return { denies, allows }
}

interface Verdict {
  readonly denies: boolean
  readonly allows: boolean
}

/** What policies of one type say together; they name no principals. */
function readPolicies(policies: readonly Policy[], request: AccessRequest): Verdict {
  let denies = false
  let allows = false
  for (const { statements } of policies) {
    for (const statement of statements) {
      if (statement.effect === 'Deny' ? denies : allows) continue
      if (!appliesTo(statement, request)) continue
      if (statement.effect === 'Deny') denies = true
      else allows = true
    }
  }
  return { denies, allows }
}

const UNLIMITED: Verdict = { denies: false, allows: true }
const SILENT: Finding = { denies: false, allows: undefined }

export function decide(asked: AccessRequest, policies: ApplyingPolicies): Decision {
  // Actions are compared without regard to case.
  const request = { ...asked, action: asked.action.toLowerCase() }
  const { caller } = request
  const resource = policies.resource ? readResourcePolicy(policies.resource, request) : SILENT
  if (!('account' in caller)) {
    if (resource.denies) return denied(true, 'resource-based')
    return resource.allows ? ALLOWED : denied(false, 'resource-based')
  }
  const isRoot = caller.kind === 'root'
  const identity = isRoot ? UNLIMITED : readPolicies(policies.identity, request)
  const boundary = isRoot || !policies.boundary ? UNLIMITED : readPolicies([policies.boundary], request)
  const session = policies.session ? readPolicies(policies.session, request) : UNLIMITED

  if (identity.denies) return denied(true, 'identity-based')
  if (resource.denies) return denied(true, 'resource-based')
  if (boundary.denies) return denied(true, 'boundary')
  if (session.denies) return denied(true, 'session')

  const isOwn = caller.account === policies.resourceAccount
  // Within one account the resource may open itself to a caller that its own policies say nothing of.
  if (isOwn && resource.allows === 'caller') return ALLOWED
  const granted = identity.allows || (isOwn && resource.allows === 'role')
  if (!granted) return denied(false, 'identity-based')
  if (!boundary.allows) return denied(false, 'boundary')
  if (!session.allows) return denied(false, 'session')
  if ((!isOwn || policies.resourceMustAllow) && !resource.allows) return denied(false, 'resource-based')
  return ALLOWED
}
