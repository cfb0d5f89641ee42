/** What AWS tells a caller that is not allowed to do something. Source: IAM user guide, access denied messages. */
import type { Decision } from '#contracts/policy-evaluation/evaluate.ts'

const EXPLICIT = {
  'identity-based': 'an identity-based policy',
  'resource-based': 'a resource-based policy',
  boundary: 'a permissions boundary',
  session: 'a session policy',
} as const
const IMPLICIT = {
  'identity-based': 'identity-based policy',
  'resource-based': 'resource-based policy',
  boundary: 'permissions boundary',
  session: 'session policy',
} as const

export interface DeniedAccess {
  /** ARN of the caller, or the name of a service. */
  readonly caller: string
  readonly action: string
  readonly resource: string
}

export function deniedText(
  { caller, action, resource }: DeniedAccess,
  { explicit, by }: Extract<Decision, { readonly allowed: false }>,
): string {
  const what = `User: ${caller} is not authorized to perform: ${action} on resource: ${resource}`
  if (explicit) return `${what} with an explicit deny in ${EXPLICIT[by]}`
  // STS does not tell what is missing (as clients report it of AssumeRole).
  if (action.startsWith('sts:')) return what
  return `${what} because no ${IMPLICIT[by]} allows the ${action} action`
}
