/** DeleteProvisionedConcurrencyConfig. */
import type { DeleteProvisionedConcurrencyConfigRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { assertQualified, deleteProvisioned } from '../concurrency/provisioned.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const deleteProvisionedConcurrencyConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<DeleteProvisionedConcurrencyConfigRequest, object> =>
  async (input, context) => {
    const { id, qualifier } = resolveFunction(input.FunctionName, context, {
      operation: 'DeleteProvisionedConcurrencyConfig',
      qualifier: input.Qualifier,
    })
    await deleteProvisioned(dependencies, id, assertQualified(qualifier))
    return {}
  }
