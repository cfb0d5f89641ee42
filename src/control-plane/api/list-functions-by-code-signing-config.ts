/** ListFunctionsByCodeSigningConfig. */
import type {
  ListFunctionsByCodeSigningConfigRequest,
  ListFunctionsByCodeSigningConfigResponse,
} from '@aws-sdk/client-lambda'

import { functionArn } from '#contracts/arn.ts'
import { codeSigningUseKey, codeSigningUsePrefix } from '#contracts/keys.ts'
import type { OperationHandler } from '#wire/service.ts'

import { requireConfig } from '../code-signing/config-reference.ts'
import type { Dependencies } from '../dependencies.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

export const listFunctionsByCodeSigningConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    ListFunctionsByCodeSigningConfigRequest,
    ListFunctionsByCodeSigningConfigResponse
  > =>
  async (input, { account, region }) => {
    const scope = { account, region }
    const { doc } = await requireConfig(documents, scope, input.CodeSigningConfigArn ?? '')
    const size = pageSize(input.MaxItems)
    const [last] = fromMarker(input.Marker, 1) ?? []
    const after = last === undefined ? '' : codeSigningUseKey({ ...scope, name: last }, doc.configId)
    const prefix = codeSigningUsePrefix(scope, doc.configId)
    const rows = await documents.meta.list(prefix, after, size + 1)
    const names = rows.map((row) => row.key.slice(prefix.length))
    const { page, ...marker } = cutPage(names, size, (name) => [name])
    return { FunctionArns: page.map((name) => functionArn({ ...scope, name })), ...marker }
  }
