/**
 * Indexes of the control plane's documents, for what a start has to find without reading everything. They are written in
 * the same transaction as the documents, by the committer and nobody else, so no operation can forget them.
 */
import type { FunctionHead, FunctionLimits, FunctionVersion } from '#contracts/function.ts'
import { ALL_FUNCTIONS, ALL_VERSIONS, inTransitionKey, limitedFunctionKey } from '#contracts/keys.ts'
import type { Json } from '#kernel/json.ts'
import type { MetaWrite } from '#store/port.ts'

import { isInTransition } from './functions/state.ts'

/** The version that a document of a function or of a version tells of; undefined for other documents. */
export function versionIn(key: string, doc: Json): FunctionVersion | undefined {
  if (key.startsWith(ALL_FUNCTIONS)) return (doc as unknown as FunctionHead).latest
  if (key.startsWith(ALL_VERSIONS)) return doc as unknown as FunctionVersion
  return undefined
}

const transitionWrite = (key: string, doc: Json | null): MetaWrite => {
  const version = doc === null ? undefined : versionIn(key, doc)
  return { key: inTransitionKey(key), doc: version && isInTransition(version) ? {} : null }
}

function limitsWrite(key: string, doc: Json | null): MetaWrite {
  const { reservedConcurrency, provisionedConcurrency = 0 } = (doc ?? {}) as FunctionLimits
  const isLimited = reservedConcurrency !== undefined || provisionedConcurrency > 0
  const limits = { ...(reservedConcurrency !== undefined && { reservedConcurrency }), provisionedConcurrency }
  return { key: limitedFunctionKey(key), doc: isLimited ? limits : null }
}

/** What has to be written together with `writes`. Removing an entry that is not there does nothing. */
export function indexWrites(writes: readonly Pick<MetaWrite, 'key' | 'doc'>[]): readonly MetaWrite[] {
  return writes.flatMap(({ key, doc }) => {
    if (key.startsWith(ALL_VERSIONS)) return [transitionWrite(key, doc)]
    return key.startsWith(ALL_FUNCTIONS) ? [transitionWrite(key, doc), limitsWrite(key, doc)] : []
  })
}
