/** UpdateCapacityProvider. */
import type { UpdateCapacityProviderRequest, UpdateCapacityProviderResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { updateProvider } from '../capacity-providers/capacity-providers.ts'
import { providerView } from '../capacity-providers/provider-view.ts'
import type { Dependencies } from '../dependencies.ts'

export const updateCapacityProviderHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'clock'>,
  ): OperationHandler<UpdateCapacityProviderRequest, UpdateCapacityProviderResponse> =>
  async (input, context) => {
    const { CapacityProviderName = '', CapacityProviderScalingConfig } = input
    const provider = await updateProvider(
      dependencies,
      context,
      CapacityProviderName,
      CapacityProviderScalingConfig,
    )
    return { CapacityProvider: providerView(provider) }
  }
