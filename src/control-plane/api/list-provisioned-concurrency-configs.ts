/** ListProvisionedConcurrencyConfigs. */
import type {
  ListProvisionedConcurrencyConfigsRequest,
  ListProvisionedConcurrencyConfigsResponse,
} from '@aws-sdk/client-lambda'

import { functionArn } from '#contracts/arn.ts'
import { provisionedConcurrencyKey, provisionedConcurrencyPrefix } from '#contracts/keys.ts'
import type { ProvisionedConcurrency } from '#contracts/provisioned-concurrency.ts'
import type { OperationHandler } from '#wire/service.ts'

import { provisionedView } from '../concurrency/provisioned-view.ts'
import type { Dependencies } from '../dependencies.ts'
import { docOf } from '../documents.ts'
import { resolveFunction } from '../functions/names.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

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
    const size = pageSize(input.MaxItems)
    const [last] = fromMarker(input.Marker, 1) ?? []
    const after = last === undefined ? '' : provisionedConcurrencyKey(id, last)
    const rows = await documents.meta.list(provisionedConcurrencyPrefix(id), after, size + 1)
    const configs = rows.map((row) => docOf<ProvisionedConcurrency>(row))
    const { page, ...marker } = cutPage(configs, size, ({ qualifier }) => [qualifier])
    const items = page.map(async (config) => {
      const state = await documents.provisionedState(id, config.qualifier)
      return { FunctionArn: functionArn(id, config.qualifier), ...provisionedView(config, state?.doc) }
    })
    return { ProvisionedConcurrencyConfigs: await Promise.all(items), ...marker }
  }
