/** Which version an invocation runs: names, versions and aliases resolved from documents in memory. */
import { functionArn, LATEST, LATEST_PUBLISHED, type FunctionId } from '#contracts/arn.ts'
import { invalidParameter, LambdaError, resourceNotFound } from '#contracts/errors.ts'
import {
  servingPublished,
  servingVersion,
  type Alias,
  type FunctionHead,
  type FunctionVersion,
  type PublishedVersion,
} from '#contracts/function.ts'
import { aliasKey, functionKey, versionKey } from '#contracts/keys.ts'
import { isPublishedVersion } from '#data-plane/frontend/function-documents.ts'
import type { DocumentCache } from '#documents/port.ts'
import type { Random } from '#kernel/random.ts'

export interface Catalog {
  /**
   * The version to run. Answers at once, without a promise, when everything needed is in memory.
   * Rejects, or throws, with ResourceNotFoundException as Lambda's Invoke words it. The version's state is not looked at.
   */
  resolve(id: FunctionId, qualifier: string | undefined): FunctionVersion | Promise<FunctionVersion>
  /** Whether the function may be invoked in circles (PutFunctionRecursionConfig). */
  allowsRecursion(id: FunctionId): Promise<boolean>
}

/** The share of a weighted alias decides by one draw. Pure: `draw` is in [0, 1). */
export function versionOfAlias(alias: Alias, draw: number): string {
  const { additionalVersion } = alias
  return additionalVersion && draw < additionalVersion.weight ? additionalVersion.version : alias.version
}

const servedBy = (head: FunctionHead | undefined) => head && servingVersion(head)

/** What AWS says to `$LATEST` of a function on a capacity provider, where only what is published runs (seen from AWS). */
const latestRefused = (hasPublished: boolean) =>
  hasPublished
    ? invalidParameter(
        "Functions configured with capacity provider configuration can't be invoked with $LATEST qualifier. To invoke this function, specify a published version qualifier or $LATEST.PUBLISHED.",
      )
    : new LambdaError(
        'NoPublishedVersionException',
        "The function can't be invoked because no published version exists. For functions with capacity provider configuration, either publish a version to $LATEST.PUBLISHED, or specify a published version qualifier.",
        { status: 400 },
      )

export function createCatalog(options: {
  readonly documents: Pick<DocumentCache, 'find' | 'read'>
  readonly random: Random
}): Catalog {
  const { documents, random } = options
  /** Undefined: it is not known, or known not to exist; the cold way tells the two apart. */
  const find = <Doc>(key: string) => (documents.find(key) ?? undefined) as unknown as Doc | undefined
  const read = async <Doc>(key: string) =>
    ((await documents.read(key)) ?? undefined) as unknown as Doc | undefined

  // Invoke names the qualifier it looked for, `$LATEST` when there was none (recorded from AWS).
  const notFound = (id: FunctionId, qualifier: string | undefined) =>
    resourceNotFound(`Function not found: ${functionArn(id, qualifier ?? LATEST)}`)

  const pick = (alias: Alias) => versionOfAlias(alias, alias.additionalVersion ? random.next() : 0)

  const findLatest = (id: FunctionId) => find<FunctionHead>(functionKey(id))
  const findVersion = (id: FunctionId, version: string) => {
    if (version === LATEST) return servedBy(findLatest(id))
    const found = find<PublishedVersion>(versionKey(id, version))
    return found && servingPublished(found)
  }

  const warm = (id: FunctionId, qualifier: string | undefined): FunctionVersion | undefined => {
    if (qualifier === undefined || qualifier === LATEST) {
      const head = findLatest(id)
      if (!head?.latest.managedInstances) return servedBy(head)
      // Refused, or read: the cold way finds out.
      return qualifier === LATEST ? undefined : findVersion(id, LATEST_PUBLISHED)
    }
    if (isPublishedVersion(qualifier)) return findVersion(id, qualifier)
    const alias = find<Alias>(aliasKey(id, qualifier))
    return alias && findVersion(id, pick(alias))
  }

  const readHead = (id: FunctionId) => read<FunctionHead>(functionKey(id))
  const readVersion = async (id: FunctionId, version: string) => {
    if (version === LATEST) return servedBy(await readHead(id))
    const found = await read<PublishedVersion>(versionKey(id, version))
    return found && servingPublished(found)
  }

  /** What runs without a qualifier, and with `$LATEST`. */
  const readLatest = async (id: FunctionId, qualifier: string | undefined) => {
    const head = await readHead(id)
    if (!head?.latest.managedInstances) return servedBy(head)
    const published = await readVersion(id, LATEST_PUBLISHED)
    if (qualifier === LATEST || !published) throw latestRefused(published !== undefined)
    return published
  }

  const cold = async (id: FunctionId, qualifier: string | undefined): Promise<FunctionVersion> => {
    if (qualifier === undefined || qualifier === LATEST || isPublishedVersion(qualifier)) {
      const isLatest = qualifier === undefined || qualifier === LATEST
      const version = await (isLatest ? readLatest(id, qualifier) : readVersion(id, qualifier))
      if (!version) throw notFound(id, qualifier)
      return version
    }
    const alias = await read<Alias>(aliasKey(id, qualifier))
    if (!alias) throw notFound(id, qualifier)
    const chosen = pick(alias)
    const version = await readVersion(id, chosen)
    // The alias stands, the version it names is gone: the version is what was not found (unverified).
    if (!version) throw notFound(id, chosen)
    return version
  }

  return {
    resolve: (id, qualifier) => warm(id, qualifier) ?? cold(id, qualifier),
    async allowsRecursion(id) {
      const head = findLatest(id) ?? (await readHead(id))
      return head?.recursiveLoop === 'Allow'
    },
  }
}
