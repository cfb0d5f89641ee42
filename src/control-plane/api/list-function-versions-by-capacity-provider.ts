/** ListFunctionVersionsByCapacityProvider: every version that uses it, `$LATEST` included, by the function's name. */
import type {
  ListFunctionVersionsByCapacityProviderRequest,
  ListFunctionVersionsByCapacityProviderResponse,
} from '@aws-sdk/client-lambda'

import { capacityProviderArn, functionArn, LATEST } from '#contracts/arn.ts'
import { capacityProviderUseKey, capacityProviderUsePrefix } from '#contracts/keys.ts'
import type { OperationHandler } from '#wire/service.ts'

import { requireProvider } from '../capacity-providers/provider-reference.ts'
import type { CapacityProviderUse } from '../capacity-providers/provider-use.ts'
import type { Dependencies } from '../dependencies.ts'
import { docOf } from '../documents.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

export const listFunctionVersionsByCapacityProviderHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    ListFunctionVersionsByCapacityProviderRequest,
    ListFunctionVersionsByCapacityProviderResponse
  > =>
  async (input, context) => {
    const { doc: provider } = await requireProvider(documents, context, input.CapacityProviderName ?? '')
    const size = pageSize(input.MaxItems)
    const [name, version] = fromMarker(input.Marker, 2) ?? []
    const after =
      name === undefined || version === undefined
        ? ''
        : capacityProviderUseKey({ ...provider, name }, version, provider.name)
    const prefix = capacityProviderUsePrefix(provider, provider.name)
    const rows = await documents.meta.list(prefix, after, size + 1)
    const uses = rows.map((row) => docOf<CapacityProviderUse>(row))
    const { page, ...marker } = cutPage(uses, size, (use) => [use.name, use.version])
    const versions = await Promise.all(
      page.map(async (use) => {
        const found =
          use.version === LATEST
            ? (await documents.head(use))?.doc.latest
            : (await documents.version(use, use.version))?.doc
        // It may have been deleted between the two reads.
        return found ? [{ FunctionArn: functionArn(use, use.version), State: found.state }] : []
      }),
    )
    return {
      CapacityProviderArn: capacityProviderArn(provider, provider.name),
      FunctionVersions: versions.flat(),
      ...marker,
    }
  }
