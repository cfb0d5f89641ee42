/** ListProvisionedConcurrencyConfigs: none can be made yet, so that the list is truly empty. */
import type {
  ListProvisionedConcurrencyConfigsRequest,
  ListProvisionedConcurrencyConfigsResponse,
} from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const listProvisionedConcurrencyConfigsHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    ListProvisionedConcurrencyConfigsRequest,
    ListProvisionedConcurrencyConfigsResponse
  > =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, {
      operation: 'ListProvisionedConcurrencyConfigs',
    })
    await documents.requireHead(id)
    return { ProvisionedConcurrencyConfigs: [] }
  }
