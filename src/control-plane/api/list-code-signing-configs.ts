/** ListCodeSigningConfigs. */
import type { ListCodeSigningConfigsRequest, ListCodeSigningConfigsResponse } from '@aws-sdk/client-lambda'

import type { CodeSigningConfig } from '#contracts/code-signing.ts'
import { codeSigningConfigKey, codeSigningConfigPrefix } from '#contracts/keys.ts'
import type { OperationHandler } from '#wire/service.ts'

import { signingConfigView } from '../code-signing/signing-view.ts'
import type { Dependencies } from '../dependencies.ts'
import { docOf } from '../documents.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

export const listCodeSigningConfigsHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    ListCodeSigningConfigsRequest,
    ListCodeSigningConfigsResponse
  > =>
  async (input, context) => {
    const size = pageSize(input.MaxItems)
    const [last] = fromMarker(input.Marker, 1) ?? []
    const after = last === undefined ? '' : codeSigningConfigKey(context, last)
    const rows = await documents.meta.list(codeSigningConfigPrefix(context), after, size + 1)
    const configs = rows.map((row) => docOf<CodeSigningConfig>(row))
    const { page, ...marker } = cutPage(configs, size, ({ configId }) => [configId])
    return { CodeSigningConfigs: page.map(signingConfigView), ...marker }
  }
