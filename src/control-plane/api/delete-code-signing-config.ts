/** DeleteCodeSigningConfig. */
import type { DeleteCodeSigningConfigRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { deleteSigningConfig } from '../code-signing/signing-configs.ts'
import type { Dependencies } from '../dependencies.ts'

export const deleteCodeSigningConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer'>,
  ): OperationHandler<DeleteCodeSigningConfigRequest, object> =>
  async (input, context) => {
    await deleteSigningConfig(dependencies, context, input.CodeSigningConfigArn ?? '')
    return {}
  }
