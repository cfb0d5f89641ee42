/** ListCapacityProviders, by name; those of one state if it is asked for. */
import type { ListCapacityProvidersRequest, ListCapacityProvidersResponse } from '@aws-sdk/client-lambda'

import type { CapacityProvider } from '#contracts/capacity-provider.ts'
import { capacityProviderKey, capacityProviderPrefix } from '#contracts/keys.ts'
import { MAX_CAPACITY_PROVIDERS } from '#contracts/limits.ts'
import type { OperationHandler } from '#wire/service.ts'

import { providerView } from '../capacity-providers/provider-view.ts'
import type { Dependencies } from '../dependencies.ts'
import { docOf } from '../documents.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

export const listCapacityProvidersHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    ListCapacityProvidersRequest,
    ListCapacityProvidersResponse
  > =>
  async (input, { account, region }) => {
    const scope = { account, region }
    const size = pageSize(input.MaxItems)
    const [last] = fromMarker(input.Marker, 1) ?? []
    const after = last === undefined ? '' : capacityProviderKey(scope, last)
    // With a state it takes all of them to fill a page; there are never more than a thousand.
    const limit = input.State === undefined ? size + 1 : MAX_CAPACITY_PROVIDERS
    const rows = await documents.meta.list(capacityProviderPrefix(scope), after, limit)
    const providers = rows
      .map((row) => docOf<CapacityProvider>(row))
      .filter(({ state }) => input.State === undefined || state === input.State)
    const { page, ...marker } = cutPage(providers.slice(0, size + 1), size, ({ name }) => [name])
    return { CapacityProviders: page.map(providerView), ...marker }
  }
