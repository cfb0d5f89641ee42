/** Resource policies: who may do what with a function, a version or an alias. The data plane reads what is written here. */
import type { FunctionId } from '#contracts/arn.ts'
import type { Json } from '#kernel/json.ts'

/** One statement in IAM's own JSON: Sid, Effect, Principal, Action, Resource, Condition. */
export interface PolicyStatement {
  readonly [member: string]: Json
}

/** A policy in IAM's own JSON. `Statement` is always a list here. */
export interface PolicyDocument {
  readonly Version: string
  readonly Id?: string
  readonly Statement: readonly PolicyStatement[]
}

export interface ResourcePolicy extends FunctionId {
  /** A version number, the name of an alias, or `$LATEST` for the function itself (its unqualified ARN). */
  readonly qualifier: string
  readonly document: PolicyDocument
}
