/** ListVersionsByFunction: `$LATEST` first, then the numbers. */
import type { ListVersionsByFunctionRequest, ListVersionsByFunctionResponse } from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { versionKey, versionPrefix } from '#contracts/keys.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { docOf } from '../documents.ts'
import { resolveFunction } from '../functions/names.ts'
import { variablesFor } from '../functions/environment.ts'
import { listedView } from '../views.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

export const listVersionsByFunctionHandler =
  ({
    documents,
    environments,
    keyReaders,
  }: Pick<Dependencies, 'documents' | 'environments' | 'keyReaders'>): OperationHandler<
    ListVersionsByFunctionRequest,
    ListVersionsByFunctionResponse
  > =>
  async (input, context) => {
    const variables = variablesFor({ environments, keyReaders }, context)
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'ListVersionsByFunction' })
    const { doc: head } = await documents.requireHead(id)
    const size = pageSize(input.MaxItems)
    const [last] = fromMarker(input.Marker, 1) ?? []
    const after = last === undefined || last === LATEST ? '' : versionKey(id, last)
    const rows = await documents.meta.list(versionPrefix(id), after, size + 1)
    const published = rows.map((row) => docOf<FunctionVersion>(row))
    const versions = last === undefined ? [head.latest, ...published] : published
    const { page, ...marker } = cutPage(versions, size, ({ version }) => [version])
    return {
      Versions: await Promise.all(page.map((version) => listedView(version, variables, version.version))),
      ...marker,
    }
  }
