/** UpdateCodeSigningConfig. */
import type { UpdateCodeSigningConfigRequest, UpdateCodeSigningConfigResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { updateSigningConfig } from '../code-signing/signing-configs.ts'
import { signingConfigView } from '../code-signing/signing-view.ts'
import type { Dependencies } from '../dependencies.ts'

export const updateCodeSigningConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'clock'>,
  ): OperationHandler<UpdateCodeSigningConfigRequest, UpdateCodeSigningConfigResponse> =>
  async (input, context) => {
    const arn = input.CodeSigningConfigArn ?? ''
    return {
      CodeSigningConfig: signingConfigView(await updateSigningConfig(dependencies, context, arn, input)),
    }
  }
