/** Callers, statements and short answers for tests of the policy evaluator. */
import { compilePolicy } from '#contracts/policy-evaluation/compile-policy.ts'
import {
  decide,
  type AccessRequest,
  type Caller,
  type Decision,
} from '#contracts/policy-evaluation/evaluate.ts'

export const OWN = '123456789012'
export const OTHER = '999999999999'
export const RESOURCE = `arn:aws:lambda:us-east-1:${OWN}:function:hello`
export const USER = {
  kind: 'user',
  account: OWN,
  arn: `arn:aws:iam::${OWN}:user/ada`,
} as const satisfies Caller
export const ROLE_ARN = `arn:aws:iam::${OWN}:role/path/acting`
export const SESSION = {
  kind: 'session',
  account: OWN,
  arn: `arn:aws:sts::${OWN}:assumed-role/acting/scene`,
  roleArn: ROLE_ARN,
} as const satisfies Caller
export const ROOT = { kind: 'root', account: OWN, arn: `arn:aws:iam::${OWN}:root` } as const satisfies Caller
export const STRANGER = {
  kind: 'user',
  account: OTHER,
  arn: `arn:aws:iam::${OTHER}:user/eve`,
} as const satisfies Caller
export const SNS = { kind: 'service', name: 'sns.amazonaws.com' } as const satisfies Caller

type Statement = Readonly<Record<string, unknown>>
const document = (...Statement: readonly Statement[]) => ({ Version: '2012-10-17', Statement })
export const allow = (more: Statement = {}): Statement => ({
  Effect: 'Allow',
  Action: 'lambda:InvokeFunction',
  Resource: '*',
  ...more,
})
export const deny = (more: Statement = {}): Statement => ({ ...allow(more), Effect: 'Deny' })
export const by = (Principal: unknown, more: Statement = {}): Statement => allow({ Principal, ...more })

export interface Case {
  readonly caller?: Caller | undefined
  readonly action?: string | undefined
  readonly identity?: readonly Statement[] | undefined
  readonly resource?: readonly Statement[] | undefined
  readonly boundary?: readonly Statement[] | undefined
  readonly session?: readonly Statement[] | undefined
  readonly keys?: Readonly<Record<string, readonly string[]>> | undefined
  readonly resourceAccount?: string | undefined
  readonly resourceMustAllow?: boolean | undefined
}

export function answer(given: Case): string {
  const request: AccessRequest = {
    caller: given.caller ?? USER,
    action: given.action ?? 'lambda:InvokeFunction',
    resource: RESOURCE,
    context: (key) => given.keys?.[key],
  }
  const compile = (statements: readonly Statement[] | undefined) =>
    statements && compilePolicy(document(...statements))
  const session = compile(given.session)
  return spell(
    decide(request, {
      identity: [compilePolicy(document(...(given.identity ?? [])))],
      resource: compile(given.resource),
      boundary: compile(given.boundary),
      session: session && [session],
      resourceAccount: given.resourceAccount ?? OWN,
      ...(given.resourceMustAllow !== undefined && { resourceMustAllow: given.resourceMustAllow }),
    }),
  )
}
const spell = (decision: Decision) =>
  decision.allowed ? 'allowed' : `${decision.explicit ? 'explicit' : 'implicit'} ${decision.by}`
