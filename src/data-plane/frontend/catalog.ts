/** Which version an invocation runs: names, versions and aliases resolved from a bounded cache that follows the store. */
import { functionArn, LATEST, type FunctionId } from '#contracts/arn.ts'
import { resourceNotFound } from '#contracts/errors.ts'
import { servingVersion, type Alias, type FunctionHead, type FunctionVersion } from '#contracts/function.ts'
import { aliasKey, functionKey, versionKey } from '#contracts/keys.ts'
import { createDocumentCache } from '#data-plane/frontend/document-cache.ts'
import { isVersionNumber } from '#data-plane/frontend/function-documents.ts'
import type { Random } from '#kernel/random.ts'
import type { Meta } from '#store/port.ts'

export interface Catalog {
  /** Follows the store from now on. Call it before the first `resolve`. */
  start(): Promise<void>
  /**
   * The version to run. Answers at once, without a promise, when everything needed is cached.
   * Rejects, or throws, with ResourceNotFoundException as Lambda's Invoke words it. The version's state is not looked at.
   */
  resolve(id: FunctionId, qualifier: string | undefined): FunctionVersion | Promise<FunctionVersion>
  /** Documents in the cache, for metrics and tests. */
  readonly size: number
  /** Stops following the store and forgets everything. */
  stop(): void
}

/** The share of a weighted alias decides by one draw. Pure: `draw` is in [0, 1). */
export function versionOfAlias(alias: Alias, draw: number): string {
  const { additionalVersion } = alias
  return additionalVersion && draw < additionalVersion.weight ? additionalVersion.version : alias.version
}

const servedBy = (head: FunctionHead | undefined) => head && servingVersion(head)

/** `maxDocuments` bounds the cache: heads, versions and aliases together. */
export function createCatalog(options: {
  readonly meta: Meta
  readonly random: Random
  readonly maxDocuments?: number
}): Catalog {
  const { meta, random } = options
  const cache = createDocumentCache({ meta, maxDocuments: options.maxDocuments ?? 20_000 })

  // Invoke names the qualifier it looked for, `$LATEST` when there was none (recorded from AWS).
  const notFound = (id: FunctionId, qualifier: string | undefined) =>
    resourceNotFound(`Function not found: ${functionArn(id, qualifier ?? LATEST)}`)

  const pick = (alias: Alias) => versionOfAlias(alias, alias.additionalVersion ? random.next() : 0)

  const warm = (id: FunctionId, qualifier: string | undefined): FunctionVersion | undefined => {
    const known = cache.find(id)
    if (!known) return undefined
    if (qualifier === undefined || qualifier === LATEST) return servedBy(known.head?.doc)
    const direct = known.versions.get(qualifier)
    if (direct) return direct.doc
    const alias = known.aliases.get(qualifier)
    if (!alias) return undefined
    const version = pick(alias.doc)
    return version === LATEST ? servedBy(known.head?.doc) : known.versions.get(version)?.doc
  }

  const readHead = (id: FunctionId) => cache.read<FunctionHead>(functionKey(id))
  const readVersion = async (id: FunctionId, version: string) =>
    version === LATEST
      ? servedBy(await readHead(id))
      : await cache.read<FunctionVersion>(versionKey(id, version))

  const cold = async (id: FunctionId, qualifier: string | undefined): Promise<FunctionVersion> => {
    if (qualifier === undefined || qualifier === LATEST || isVersionNumber(qualifier)) {
      const version = await readVersion(id, qualifier ?? LATEST)
      if (!version) throw notFound(id, qualifier)
      return version
    }
    const alias = await cache.read<Alias>(aliasKey(id, qualifier))
    if (!alias) throw notFound(id, qualifier)
    const chosen = pick(alias)
    const version = await readVersion(id, chosen)
    // The alias stands, the version it names is gone: the version is what was not found (unverified).
    if (!version) throw notFound(id, chosen)
    return version
  }

  return {
    start: () => cache.start(),
    resolve: (id, qualifier) => warm(id, qualifier) ?? cold(id, qualifier),
    get size() {
      return cache.size
    },
    stop: () => cache.stop(),
  }
}
