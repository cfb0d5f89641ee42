/** Creates, changes and deletes capacity providers. */
import { capacityProviderArn, type Scope } from '#contracts/arn.ts'
import { NEXT_CAPACITY_PROVIDER_STATE, type CapacityProvider } from '#contracts/capacity-provider.ts'
import { LambdaError, resourceConflict } from '#contracts/errors.ts'
import { capacityProviderKey, capacityProviderPrefix, capacityProviderUsePrefix } from '#contracts/keys.ts'
import { MAX_CAPACITY_PROVIDERS } from '#contracts/limits.ts'
import { mayFollow } from '#kernel/lifecycle.ts'

import type { Dependencies } from '../dependencies.ts'
import { asJson, docOf, walk, type Documents, type Stored } from '../documents.ts'
import { assertTags, type Tags } from '../tags/tags.ts'
import { providerName, requireProvider } from './provider-reference.ts'
import {
  changedScaling,
  newProvider,
  type CreateProviderRequest,
  type ScalingRequest,
} from './provider-request.ts'
import type { CapacityProviderUse } from './provider-use.ts'

type Needs = Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'providerLifecycle'>

/** The provider's document, written back, changed or removed. */
export const providerWrite = (before: Stored<CapacityProvider>, doc: CapacityProvider | null) => ({
  key: capacityProviderKey(before.doc, before.doc.name),
  ifRev: before.rev,
  doc: doc && asJson(doc),
})

/** One lock for everything that happens to the providers of an account and region: these operations are rare. */
const lockOf = ({ account, region }: Scope) => capacityProviderPrefix({ account, region })

export async function createProvider(
  { documents, committer, clock, providerLifecycle }: Needs,
  { account, region }: Scope,
  request: CreateProviderRequest,
): Promise<CapacityProvider> {
  assertTags({}, request.Tags ?? {})
  const scope = { account, region }
  const name = providerName(scope, request.CapacityProviderName ?? '')
  const provider = newProvider({ ...scope, name }, request, clock.now())
  const created = await committer.run(lockOf(scope), async () => {
    // Text unverified.
    if (await documents.capacityProvider(scope, name)) {
      throw resourceConflict(`Capacity provider already exists: ${capacityProviderArn(scope, name)}`)
    }
    const others = await documents.meta.list(capacityProviderPrefix(scope), '', MAX_CAPACITY_PROVIDERS)
    if (others.length >= MAX_CAPACITY_PROVIDERS) {
      // Text of the API model's documentation of the error.
      throw new LambdaError(
        'CapacityProviderLimitExceededException',
        'The maximum number of capacity providers for your account has been exceeded.',
        { status: 400 },
      )
    }
    return {
      writes: [{ key: capacityProviderKey(scope, name), ifRev: 0, doc: asJson(provider) }],
      result: provider,
    }
  })
  providerLifecycle.drive(created)
  return created
}

/** Only the scaling of a provider can be changed. It stays in the state it is in (unverified). */
export function updateProvider(
  { documents, committer, clock }: Omit<Needs, 'providerLifecycle'>,
  scope: Scope,
  name: string,
  scaling: ScalingRequest | undefined,
): Promise<CapacityProvider> {
  return committer.run(lockOf(scope), async () => {
    const before = await requireProvider(documents, scope, name)
    const { state } = before.doc
    if (state === 'Deleting' || state === 'Failed') {
      // Text unverified.
      throw resourceConflict(
        `The operation cannot be performed at this time. The capacity provider is currently in the following state: ${state}`,
      )
    }
    const { scalingPolicies: _policies, ...rest } = before.doc
    const provider: CapacityProvider = {
      ...rest,
      ...changedScaling(before.doc, scaling),
      modifiedAt: clock.now(),
    }
    return { writes: [providerWrite(before, provider)], result: provider }
  })
}

/** Names of the functions that use the provider, each once. */
async function usersOf(documents: Documents, provider: CapacityProvider): Promise<ReadonlySet<string>> {
  const users = new Set<string>()
  for await (const row of walk(documents.meta, capacityProviderUsePrefix(provider, provider.name))) {
    users.add(docOf<CapacityProviderUse>(row).name)
  }
  return users
}

/** Answers while the provider is Deleting; deleting it once more is deleting it once. */
export async function deleteProvider(
  { documents, committer, clock, providerLifecycle }: Needs,
  scope: Scope,
  name: string,
): Promise<CapacityProvider> {
  const deleted = await committer.run(lockOf(scope), async () => {
    const before = await requireProvider(documents, scope, name)
    const users = await usersOf(documents, before.doc)
    if (users.size > 0) {
      // Seen from AWS, the provider's own ARN at the end included.
      throw resourceConflict(
        `The capacity provider is currently in use by ${users.size} functions. To delete this capacity provider, first remove its association with ${capacityProviderArn(before.doc, before.doc.name)}.`,
      )
    }
    if (!mayFollow(NEXT_CAPACITY_PROVIDER_STATE, before.doc.state, 'Deleting')) {
      return { writes: [], result: before.doc }
    }
    const provider: CapacityProvider = { ...before.doc, state: 'Deleting', modifiedAt: clock.now() }
    return { writes: [providerWrite(before, provider)], result: provider }
  })
  providerLifecycle.drive(deleted)
  return deleted
}

/** Replaces the tags with what `change` makes of them. */
export function changeProviderTags(
  { documents, committer }: Pick<Needs, 'documents' | 'committer'>,
  scope: Scope,
  arn: string,
  change: (tags: Tags) => Tags,
): Promise<void> {
  return committer.run(lockOf(scope), async () => {
    const before = await requireProvider(documents, scope, arn)
    const provider = { ...before.doc, tags: change(before.doc.tags) }
    return { writes: [providerWrite(before, provider)], result: undefined }
  })
}
