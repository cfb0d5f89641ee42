/** ListAliases: all of a function, or those that invoke one version. */
import type { ListAliasesRequest, ListAliasesResponse } from '@aws-sdk/client-lambda'

import type { Alias } from '#contracts/function.ts'
import { aliasKey, aliasPrefix } from '#contracts/keys.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { docOf } from '../documents.ts'
import { resolveFunction } from '../functions/names.ts'
import { aliasView } from '../views.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

const invokes = (alias: Alias, version: string | undefined) =>
  version === undefined || alias.version === version || alias.additionalVersion?.version === version

export const listAliasesHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<ListAliasesRequest, ListAliasesResponse> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'ListAliases' })
    await documents.requireHead(id)
    const size = pageSize(input.MaxItems)
    const [last] = fromMarker(input.Marker, 1) ?? []
    let after = last === undefined ? '' : aliasKey(id, last)
    const found: Alias[] = []
    while (found.length <= size) {
      const rows = await documents.meta.list(aliasPrefix(id), after, size + 1)
      const aliases = rows.map((row) => docOf<Alias>(row))
      found.push(...aliases.filter((alias) => invokes(alias, input.FunctionVersion)))
      const end = rows.at(-1)
      if (!end || rows.length <= size) break
      after = end.key
    }
    const { page, ...marker } = cutPage(found, size, ({ alias }) => [alias])
    return { Aliases: page.map(aliasView), ...marker }
  }
