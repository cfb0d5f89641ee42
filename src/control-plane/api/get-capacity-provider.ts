/** GetCapacityProvider. */
import type { GetCapacityProviderRequest, GetCapacityProviderResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { requireProvider } from '../capacity-providers/provider-reference.ts'
import { providerView } from '../capacity-providers/provider-view.ts'
import type { Dependencies } from '../dependencies.ts'

export const getCapacityProviderHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetCapacityProviderRequest,
    GetCapacityProviderResponse
  > =>
  async (input, context) => {
    const { doc } = await requireProvider(documents, context, input.CapacityProviderName ?? '')
    return { CapacityProvider: providerView(doc) }
  }
