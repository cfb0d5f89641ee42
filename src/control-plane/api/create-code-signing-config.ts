/** CreateCodeSigningConfig. Whether the signing profiles exist is not asked: there is no signing service here. */
import type { CreateCodeSigningConfigRequest, CreateCodeSigningConfigResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { createSigningConfig } from '../code-signing/signing-configs.ts'
import { signingConfigView } from '../code-signing/signing-view.ts'
import type { Dependencies } from '../dependencies.ts'

export const createCodeSigningConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'random'>,
  ): OperationHandler<CreateCodeSigningConfigRequest, CreateCodeSigningConfigResponse> =>
  async (input, context) => ({
    CodeSigningConfig: signingConfigView(await createSigningConfig(dependencies, context, input)),
  })
