/** ListFunctions: every function, or with FunctionVersion=ALL every version of every function. */
import type { ListFunctionsRequest, ListFunctionsResponse } from '@aws-sdk/client-lambda'

import { LATEST, type Scope } from '#contracts/arn.ts'
import { invalidParameter } from '#contracts/errors.ts'
import type { FunctionHead, FunctionVersion } from '#contracts/function.ts'
import { functionKey, functionPrefix, versionKey, versionPrefix } from '#contracts/keys.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { docOf } from '../documents.ts'
import { variablesFor } from '../functions/environment.ts'
import { listedView } from '../views.ts'
import { cutPage, fromMarker, pageSize } from './paging.ts'

const headsAfter = async (meta: Meta, scope: Scope, name: string | undefined, limit: number) => {
  const after = name === undefined ? '' : functionKey({ ...scope, name })
  const rows = await meta.list(functionPrefix(scope), after, limit)
  return rows.map((row) => docOf<FunctionHead>(row))
}

/** Published versions of one function after `version`, in order. */
const versionsAfter = async (meta: Meta, id: FunctionVersion, version: string, limit: number) => {
  const after = version === LATEST ? '' : versionKey(id, version)
  const rows = await meta.list(versionPrefix(id), after, limit)
  return rows.map((row) => docOf<FunctionVersion>(row))
}

/** The next `limit` versions in the order of the answer: each function's `$LATEST`, then its numbers. */
async function allVersions(
  meta: Meta,
  scope: Scope,
  place: readonly string[] | undefined,
  limit: number,
): Promise<readonly FunctionVersion[]> {
  const found: FunctionVersion[] = []
  let [name, version] = place ?? []
  if (name !== undefined && version !== undefined) {
    const before = await meta.get(functionKey({ ...scope, name }))
    if (before) {
      found.push(...(await versionsAfter(meta, docOf<FunctionHead>(before).latest, version, limit)))
    }
  }
  while (found.length < limit) {
    const [head] = await headsAfter(meta, scope, name, 1)
    if (!head) break
    found.push(head.latest)
    found.push(...(await versionsAfter(meta, head.latest, LATEST, limit)))
    name = head.name
    version = undefined
  }
  return found.slice(0, limit)
}

export const listFunctionsHandler =
  ({
    documents,
    environments,
    keyReaders,
  }: Pick<Dependencies, 'documents' | 'environments' | 'keyReaders'>): OperationHandler<
    ListFunctionsRequest,
    ListFunctionsResponse
  > =>
  async (input, context) => {
    const { account, region } = context
    const variables = variablesFor({ environments, keyReaders }, context)
    const scope = { account, region }
    const size = pageSize(input.MaxItems)
    if (input.MasterRegion !== undefined) {
      if (input.FunctionVersion !== 'ALL') {
        // Text unverified.
        throw invalidParameter('MasterRegion can only be used when FunctionVersion is set to ALL.')
      }
      // Only replicas of Lambda@Edge functions have a master region, and there are none here.
      return { Functions: [] }
    }
    if (input.FunctionVersion === 'ALL') {
      const place = fromMarker(input.Marker, 2)
      const versions = await allVersions(documents.meta, scope, place, size + 1)
      const { page, ...marker } = cutPage(versions, size, ({ name, version }) => [name, version])
      return {
        Functions: await Promise.all(page.map((version) => listedView(version, variables, version.version))),
        ...marker,
      }
    }
    const [after] = fromMarker(input.Marker, 1) ?? []
    const heads = await headsAfter(documents.meta, scope, after, size + 1)
    const { page, ...marker } = cutPage(heads, size, ({ name }) => [name])
    return {
      Functions: await Promise.all(page.map(({ latest }) => listedView(latest, variables))),
      ...marker,
    }
  }
