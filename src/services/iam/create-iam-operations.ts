/** IAM: the users, roles and policies that Lambda's users need, and the keys that the door knows. */
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandlers } from '#wire/service.ts'

import { createAccessKeyOperations } from './access-key-operations.ts'
import { createIdentityOperations } from './identity-operations.ts'
import { createPolicyLists } from './policy-lists.ts'
import { createPolicyOperations } from './policy-operations.ts'
import { createRoleOperations } from './role-operations.ts'
import { createUserOperations } from './user-operations.ts'

/** For the model `iam`. */
export function createIamOperations(deps: {
  readonly meta: Meta
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
}): OperationHandlers {
  return {
    ...createUserOperations(deps),
    ...createAccessKeyOperations(deps),
    ...createRoleOperations(deps),
    ...createIdentityOperations(deps.meta),
    ...createPolicyOperations(deps),
    ...createPolicyLists(deps),
  }
}
