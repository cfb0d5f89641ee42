/** GetCodeSigningConfig. */
import type { GetCodeSigningConfigRequest, GetCodeSigningConfigResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { requireConfig } from '../code-signing/config-reference.ts'
import { signingConfigView } from '../code-signing/signing-view.ts'
import type { Dependencies } from '../dependencies.ts'

export const getCodeSigningConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetCodeSigningConfigRequest,
    GetCodeSigningConfigResponse
  > =>
  async (input, context) => {
    const { doc } = await requireConfig(documents, context, input.CodeSigningConfigArn ?? '')
    return { CodeSigningConfig: signingConfigView(doc) }
  }
