/** ECR: the API of our own container registry, which clients push to and pull from below /v2/. */
import type { GetAuthorizationTokenRequest } from '@aws-sdk/client-ecr'

import type { Scope } from '#contracts/arn.ts'
import { ECR_TOKEN_CONTEXT, type EcrToken } from '#contracts/ecr.ts'
import type { RegistryContent } from '#images/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { createImageOperations } from './image-operations.ts'
import { createPolicyOperations } from './policy-operations.ts'
import { createEcrRepositories } from './repositories.ts'
import { createRepositoryOperations } from './repository-operations.ts'

/** As in AWS. */
const TOKEN_MS = 12 * HOUR_MS

export function createEcrOperations(deps: {
  readonly meta: Meta
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly content: RegistryContent
  /** The account and region that the endpoint's own address stands for. */
  readonly home: Scope
}): OperationHandlers {
  const { sealer, clock } = deps
  const repositories = createEcrRepositories(deps)

  const authorise: OperationHandler<GetAuthorizationTokenRequest, object> = async (_input, context) => {
    const { account, region, principal, endpoint } = context
    const token: EcrToken = {
      account,
      region,
      accessKeyId: principal.accessKeyId,
      arn: principal.arn,
      expiresAt: clock.now() + TOKEN_MS,
    }
    const password = sealer.seal(JSON.stringify(token), ECR_TOKEN_CONTEXT)
    return {
      authorizationData: [
        {
          authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'),
          expiresAt: new Date(token.expiresAt),
          proxyEndpoint: endpoint,
        },
      ],
    }
  }

  return {
    GetAuthorizationToken: authorise,
    ...createRepositoryOperations({ ...deps, repositories }),
    ...createImageOperations({ ...deps, repositories }),
    ...createPolicyOperations({ ...deps, repositories }),
  }
}
