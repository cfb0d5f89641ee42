/** Pages of mappings, found through the narrowest index that the request allows. */
import { functionArn, type Scope } from '#contracts/arn.ts'
import {
  ALL_MAPPINGS,
  mappingKey,
  mappingOfFunctionPrefix,
  mappingOfSourcePrefix,
  mappingPrefix,
} from '#contracts/keys.ts'
import { mappingFunctionArn, type EventSourceMapping } from '#contracts/mapping.ts'

import { docOf, type Documents } from '../documents.ts'
import type { Target } from '../functions/names.ts'
import { arnOfSource } from './event-source.ts'
import { sourceDigest } from './mapping-documents.ts'

export interface MappingFilter {
  /** As the request names it: with a qualifier only mappings of that qualifier, without one only those without. */
  readonly target?: Target | undefined
  readonly sourceArn?: string | undefined
}

/** Mappings whose UUID sorts after `afterUuid`, at most `limit`, in the order of their UUIDs. */
export async function findMappings(
  { meta }: Documents,
  { account, region }: Scope,
  { target, sourceArn }: MappingFilter,
  afterUuid: string,
  limit: number,
): Promise<readonly EventSourceMapping[]> {
  const scope = { account, region }
  const prefix = target
    ? mappingOfFunctionPrefix(target.id)
    : sourceArn === undefined
      ? mappingPrefix(scope)
      : mappingOfSourcePrefix(scope, sourceDigest(sourceArn))
  const wanted = target && functionArn(target.id, target.qualifier)
  const found: EventSourceMapping[] = []
  let after = afterUuid === '' ? '' : `${prefix}${afterUuid}`
  for (;;) {
    const rows = await meta.list(prefix, after, limit)
    for (const listed of rows) {
      const isIndex = !listed.key.startsWith(ALL_MAPPINGS)
      const row = isIndex ? await meta.get(mappingKey(scope, listed.key.slice(prefix.length))) : listed
      // Deleted since the index was read.
      if (!row) continue
      const mapping = docOf<EventSourceMapping>(row)
      if (wanted !== undefined && mappingFunctionArn(mapping) !== wanted) continue
      if (sourceArn !== undefined && arnOfSource(mapping.source) !== sourceArn) continue
      found.push(mapping)
      if (found.length === limit) return found
    }
    const last = rows.at(-1)
    if (!last || rows.length < limit) return found
    after = last.key
  }
}
