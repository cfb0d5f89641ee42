/** A policy as the evaluator reads it. Made by `compilePolicy`. */
import type { Condition } from '#contracts/policy-evaluation/conditions.ts'
import type { Pattern } from '#contracts/policy-evaluation/wildcard.ts'

/** `negated`: everything but these (NotAction, NotResource, NotPrincipal). */
export interface Matched<Member> {
  readonly negated: boolean
  readonly members: readonly Member[]
}

export type PrincipalMember =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'account'; readonly account: string }
  /** A user, a role, or a session of a role. */
  | { readonly kind: 'identity'; readonly arn: string }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'federated'; readonly provider: string }
  /** What this program has no such thing of. */
  | { readonly kind: 'nobody' }

export interface Statement {
  readonly sid: string | undefined
  readonly effect: 'Allow' | 'Deny'
  /** In lower case: actions are compared without regard to case. */
  readonly actions: Matched<Pattern>
  /** Undefined in trust policies, which belong to one role. */
  readonly resources: Matched<Pattern> | undefined
  /** Undefined in policies of identities. */
  readonly principals: Matched<PrincipalMember> | undefined
  readonly conditions: readonly Condition[]
}

export interface Policy {
  readonly statements: readonly Statement[]
  /**
   * True when a part of the document could not be understood. What it allows is left out, and what it denies without
   * our understanding when, it denies always.
   */
  readonly broken: boolean
}
