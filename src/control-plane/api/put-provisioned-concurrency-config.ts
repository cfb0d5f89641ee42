/** PutProvisionedConcurrencyConfig: accepted with 202; the data plane does it and says when it is done. */
import type {
  PutProvisionedConcurrencyConfigRequest,
  PutProvisionedConcurrencyConfigResponse,
} from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import { putProvisioned } from '../concurrency/provisioned.ts'
import { provisionedView } from '../concurrency/provisioned-view.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const putProvisionedConcurrencyConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'random' | 'accountConcurrency'>,
  ): OperationHandler<PutProvisionedConcurrencyConfigRequest, PutProvisionedConcurrencyConfigResponse> =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'PutProvisionedConcurrencyConfig',
      qualifier: input.Qualifier,
    })
    // The model requires it, so that it is there.
    const requested = input.ProvisionedConcurrentExecutions ?? 0
    return provisionedView(await putProvisioned(dependencies, id, qualifier, requested), undefined)
  }
