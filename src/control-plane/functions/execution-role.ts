/** The role that a function acts as. */
import type { FunctionId } from '#contracts/arn.ts'
import { invalidParameter } from '#contracts/errors.ts'
import { targetRequest, type TargetRequest } from '#contracts/outcome-target.ts'

import type { ExecutionRoles } from '../port.ts'

/** Refuses a role that is not there, or does not trust Lambda. Recorded from AWS. */
export async function assertAssumable(
  roles: ExecutionRoles | undefined,
  id: FunctionId,
  role: string | undefined,
): Promise<void> {
  if (!roles || role === undefined || (await roles.mayAssume(role, id))) return
  throw invalidParameter('The role defined for the function cannot be assumed by Lambda.')
}

/** The request that the role must not make; undefined: it may send there. */
async function forbiddenRequest(
  roles: ExecutionRoles | undefined,
  id: FunctionId,
  role: string,
  targetArn: string | undefined,
): Promise<TargetRequest | undefined> {
  const request = roles && targetArn ? targetRequest(targetArn) : undefined
  return request && !(await roles?.mayRequest(role, id, request)) ? request : undefined
}

/** Refuses a dead-letter queue that the role can't send to. Text as clients report it. */
export async function assertMaySendDeadLetters(
  roles: ExecutionRoles | undefined,
  id: FunctionId,
  role: string,
  targetArn: string | undefined,
): Promise<void> {
  const request = await forbiddenRequest(roles, id, role, targetArn)
  if (!request) return
  throw invalidParameter(
    `The provided execution role does not have permissions to call ${request.operation} on ${request.service.toUpperCase()}`,
  )
}

/** Refuses a destination that the role can't send to. Text as clients report it; that of functions and buses is unverified. */
export async function assertMaySendRecords(
  roles: ExecutionRoles | undefined,
  id: FunctionId,
  role: string,
  targetArn: string | undefined,
): Promise<void> {
  const request = await forbiddenRequest(roles, id, role, targetArn)
  if (!request) return
  throw invalidParameter(
    `The function's execution role does not have permissions to call ${request.operation} on ${targetArn}`,
  )
}
