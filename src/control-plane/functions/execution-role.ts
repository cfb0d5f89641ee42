/** The role that a function acts as. */
import type { FunctionId } from '#contracts/arn.ts'
import { invalidParameter } from '#contracts/errors.ts'

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
