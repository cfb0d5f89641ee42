/** DeleteCapacityProvider. Answers while the provider is Deleting. */
import type { DeleteCapacityProviderRequest, DeleteCapacityProviderResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { deleteProvider } from '../capacity-providers/capacity-providers.ts'
import { providerView } from '../capacity-providers/provider-view.ts'
import type { Dependencies } from '../dependencies.ts'

export const deleteCapacityProviderHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'providerLifecycle'>,
  ): OperationHandler<DeleteCapacityProviderRequest, DeleteCapacityProviderResponse> =>
  async (input, context) => ({
    CapacityProvider: providerView(
      await deleteProvider(dependencies, context, input.CapacityProviderName ?? ''),
    ),
  })
