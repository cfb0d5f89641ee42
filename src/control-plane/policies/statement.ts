/** The statement that AddPermission makes of a request, rendered as AWS renders it. Pure. */
import { accountRootArn } from '#contracts/arn.ts'
import { invalidParameter } from '#contracts/errors.ts'
import type { PolicyStatement } from '#contracts/policy.ts'
import type { Json } from '#kernel/json.ts'

export interface PermissionRequest {
  readonly StatementId?: string | undefined
  readonly Action?: string | undefined
  readonly Principal?: string | undefined
  readonly SourceArn?: string | undefined
  readonly SourceAccount?: string | undefined
  readonly EventSourceToken?: string | undefined
  readonly PrincipalOrgID?: string | undefined
  readonly FunctionUrlAuthType?: string | undefined
  readonly InvokedViaFunctionUrl?: boolean | undefined
}

const ACCOUNT = /^\d{12}$/
/** Users, roles and whole accounts, and the sessions of roles. */
const IDENTITY = /^arn:aws[a-zA-Z-]*:(?:iam|sts)::\d{12}:.+$/
/**
 * A service's host name below one of AWS's domains: `s3.amazonaws.com`, `alexa-appkit.amazon.com`. AWS refuses names of
 * other domains (recorded); it also knows which services exist, which is not known here.
 */
const SERVICE = /^[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|amazon\.com)$/

/** Four forms (recorded from AWS); whether an identity exists is not asked. */
function principalOf(principal: string, region: string): Json {
  if (principal === '*') return '*'
  if (ACCOUNT.test(principal)) return { AWS: accountRootArn(principal, region) }
  if (IDENTITY.test(principal)) return { AWS: principal }
  if (SERVICE.test(principal)) return { Service: principal }
  throw invalidParameter('The provided principal was invalid. Please check the principal and try again.')
}

/**
 * Members and operators in AWS's order, which is that of a hash map in Java: recorded for those of 2024, and worked out
 * by the same rule for the token and for `Bool`. Undefined without any.
 */
function conditionOf(request: PermissionRequest): Json | undefined {
  const equals = Object.entries({
    'lambda:EventSourceToken': request.EventSourceToken,
    'AWS:SourceAccount': request.SourceAccount,
    'lambda:FunctionUrlAuthType': request.FunctionUrlAuthType,
    'aws:PrincipalOrgID': request.PrincipalOrgID,
  }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const condition: Record<string, Json> = {}
  if (equals.length > 0) condition['StringEquals'] = Object.fromEntries(equals)
  if (request.InvokedViaFunctionUrl !== undefined) {
    condition['Bool'] = { 'lambda:InvokedViaFunctionUrl': String(request.InvokedViaFunctionUrl) }
  }
  if (request.SourceArn !== undefined) condition['ArnLike'] = { 'AWS:SourceArn': request.SourceArn }
  return Object.keys(condition).length > 0 ? condition : undefined
}

/** The new statement for `resource`, the ARN of a function, version or alias. Throws for what AWS refuses. */
export function statementOf(request: PermissionRequest, resource: string, region: string): PolicyStatement {
  const action = request.Action ?? ''
  if (request.FunctionUrlAuthType !== undefined && action !== 'lambda:InvokeFunctionUrl') {
    // As clients have reported it from AWS.
    throw invalidParameter('FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action')
  }
  if (request.InvokedViaFunctionUrl !== undefined && action !== 'lambda:InvokeFunction') {
    // The rule is documented, the text is unverified.
    throw invalidParameter('InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action')
  }
  const condition = conditionOf(request)
  return {
    Sid: request.StatementId ?? '',
    Effect: 'Allow',
    Principal: principalOf(request.Principal ?? '', region),
    Action: action,
    Resource: resource,
    ...(condition !== undefined && { Condition: condition }),
  }
}
