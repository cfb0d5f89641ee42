/** Which function versions use a capacity provider, and what AWS refuses about it. */
import type { FunctionId } from '#contracts/arn.ts'
import type { CapacityProvider } from '#contracts/capacity-provider.ts'
import { LambdaError, resourceConflict } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { capacityProviderKey, capacityProviderUseKey, capacityProviderUsePrefix } from '#contracts/keys.ts'
import { MAX_VERSIONS_PER_CAPACITY_PROVIDER } from '#contracts/limits.ts'
import type { MetaWrite } from '#store/port.ts'

import { asJson, type Documents, type Stored } from '../documents.ts'
import { requireProvider } from './provider-reference.ts'

/** One use, as it is stored below its provider. */
export interface CapacityProviderUse extends FunctionId {
  readonly version: string
}

/** The provider that a function is to run on; refused unless it is Active (the text is unverified). */
export async function requireUsableProvider(
  documents: Documents,
  id: FunctionId,
  nameOrArn: string,
): Promise<Stored<CapacityProvider>> {
  const provider = await requireProvider(documents, id, nameOrArn)
  const { state } = provider.doc
  if (state === 'Active') return provider
  throw resourceConflict(
    `The operation cannot be performed at this time. The capacity provider is currently in the following state: ${state}`,
  )
}

const useKey = (version: FunctionVersion, provider: string) =>
  capacityProviderUseKey(version, version.version, provider)

/** What has to be removed together with a version; nothing for a version without a provider. */
export const unuseWrites = (version: FunctionVersion): readonly MetaWrite[] =>
  version.managedInstances
    ? [{ key: useKey(version, version.managedInstances.capacityProvider), doc: null }]
    : []

/**
 * What has to be written together with the versions of one function that use a provider; nothing for those without one.
 * The provider is written unchanged: who deletes it at this moment finds out. Throws when it may not be used, and when
 * it has too many versions already.
 */
export async function useWrites(
  documents: Documents,
  versions: readonly FunctionVersion[],
): Promise<readonly MetaWrite[]> {
  const [first] = versions
  if (!first?.managedInstances) return []
  const name = first.managedInstances.capacityProvider
  const provider = await requireUsableProvider(documents, first, name)
  const prefix = capacityProviderUsePrefix(first, name)
  const uses = await documents.meta.list(prefix, '', MAX_VERSIONS_PER_CAPACITY_PROVIDER)
  const known = new Set(uses.map(({ key }) => key))
  const added = versions.filter((version) => !known.has(useKey(version, name)))
  if (known.size + added.length > MAX_VERSIONS_PER_CAPACITY_PROVIDER) {
    // Text of the API model's documentation of the error.
    throw new LambdaError(
      'FunctionVersionsPerCapacityProviderLimitExceededException',
      'The maximum number of function versions that can be associated with a single capacity provider has been exceeded.',
      { status: 400 },
    )
  }
  const write = (version: FunctionVersion): MetaWrite => {
    const { account, region } = version
    const use: CapacityProviderUse = { account, region, name: version.name, version: version.version }
    return { key: useKey(version, name), doc: asJson(use) }
  }
  return [
    ...added.map(write),
    { key: capacityProviderKey(first, name), ifRev: provider.rev, doc: asJson(provider.doc) },
  ]
}
