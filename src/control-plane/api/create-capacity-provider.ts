/** CreateCapacityProvider. Answers while the provider is still Pending. Whether its role and subnets exist is not asked. */
import type { CreateCapacityProviderRequest, CreateCapacityProviderResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { createProvider } from '../capacity-providers/capacity-providers.ts'
import { providerView } from '../capacity-providers/provider-view.ts'
import type { Dependencies } from '../dependencies.ts'

export const createCapacityProviderHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'providerLifecycle'>,
  ): OperationHandler<CreateCapacityProviderRequest, CreateCapacityProviderResponse> =>
  async (input, context) => ({
    CapacityProvider: providerView(await createProvider(dependencies, context, input)),
  })
