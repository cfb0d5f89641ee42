/** Signing profiles: made, read, listed, tagged, canceled and revoked. */
import type {
  CancelSigningProfileRequest,
  GetSigningProfileRequest,
  ListSigningProfilesRequest,
  ListTagsForResourceRequest,
  PutSigningProfileRequest,
  RevokeSigningProfileRequest,
  SigningProfile as View,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-signer'

import type { Scope } from '#contracts/arn.ts'
import {
  LAMBDA_PLATFORM,
  parseSignerArn,
  signingProfileArn,
  signingProfileKey,
  signingProfilePrefix,
  signingProfileVersionArn,
  type SigningProfile,
} from '#contracts/signer.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { commit, docOf, put, read, type Stored } from '../iam/documents.ts'
import { PLATFORM_NAME } from './platforms.ts'
import { badTags, noSuchProfile, noSuchResource, profileExists, validation } from './signer-errors.ts'
import { signerPage } from './signer-page.ts'
import { validityOf } from './validity.ts'

const VERSION_LENGTH = 10
const MAX_TAGS = 200

export async function findProfile(meta: Meta, where: Scope, name: string): Promise<Stored<SigningProfile>> {
  const profile = await read<SigningProfile>(meta, signingProfileKey(where, name))
  if (!profile) throw noSuchProfile(name)
  return profile
}

export function createProfileOperations({
  meta,
  clock,
  random,
}: {
  readonly meta: Meta
  readonly clock: Clock
  readonly random: Random
}): OperationHandlers {
  const change = (where: Scope, name: string, update: (profile: SigningProfile) => SigningProfile) =>
    commit(meta, async () => {
      const before = await findProfile(meta, where, name)
      const after = update(before.doc)
      return { writes: [put(signingProfileKey(where, name), after, before.rev)], result: after }
    })

  const putProfile: OperationHandler<PutSigningProfileRequest, object> = async (input, context) => {
    const { profileName: name = '', platformId, tags = {} } = input
    if (platformId !== LAMBDA_PLATFORM) {
      throw validation(`Platform ${platformId} is not available here: only ${LAMBDA_PLATFORM} is`)
    }
    if (input.signingMaterial) throw validation('Signing material is not used by this platform')
    if (input.overrides) throw validation('This platform has nothing to override')
    const profile: SigningProfile = {
      account: context.account,
      region: context.region,
      name,
      version: random.hex(VERSION_LENGTH),
      status: 'Active',
      createdAt: clock.now(),
      validity: validityOf(input.signatureValidityPeriod, clock.now()),
      ...(input.signingParameters && { signingParameters: input.signingParameters }),
      tags,
    }
    const written = await meta.txn([put(signingProfileKey(context, name), profile, 0)])
    if (written === 'conflict') throw profileExists(name)
    return {
      arn: signingProfileArn(profile, name),
      profileVersion: profile.version,
      profileVersionArn: signingProfileVersionArn(profile),
    }
  }

  const getProfile: OperationHandler<GetSigningProfileRequest, object> = async (input, context) => {
    const where = { account: input.profileOwner ?? context.account, region: context.region }
    // Nobody can be let at a profile of another account here, so that it does not exist for the caller.
    if (where.account !== context.account) throw noSuchProfile(input.profileName ?? '')
    const { doc } = await findProfile(meta, where, input.profileName ?? '')
    const { revocation } = doc
    return {
      ...viewOf(doc),
      ...(revocation && {
        statusReason: revocation.reason,
        revocationRecord: {
          revocationEffectiveFrom: new Date(revocation.effectiveFrom),
          revokedAt: new Date(revocation.revokedAt),
          revokedBy: revocation.revokedBy,
        },
      }),
    }
  }

  const listProfiles: OperationHandler<ListSigningProfilesRequest, object> = async (input, context) => {
    const statuses = input.statuses ?? (input.includeCanceled ? [] : ['Active', 'Revoked'])
    const { items, nextToken } = await signerPage(meta, signingProfilePrefix(context), input, (row) => {
      const profile = docOf<SigningProfile>(row)
      if (input.platformId !== undefined && input.platformId !== LAMBDA_PLATFORM) return undefined
      return statuses.length === 0 || statuses.includes(profile.status) ? viewOf(profile) : undefined
    })
    return { profiles: items, ...nextToken }
  }

  const cancelProfile: OperationHandler<CancelSigningProfileRequest, object> = async (input, context) => {
    await change(context, input.profileName ?? '', (profile) =>
      // What is revoked stays so: it says more.
      profile.status === 'Revoked' ? profile : { ...profile, status: 'Canceled' },
    )
    return {}
  }

  const revokeProfile: OperationHandler<RevokeSigningProfileRequest, object> = async (input, context) => {
    const { profileName: name = '', profileVersion, reason = '', effectiveTime } = input
    const effectiveFrom = effectiveTime?.getTime() ?? clock.now()
    if (effectiveFrom > clock.now()) throw validation('Effective time must not be in the future')
    await change(context, name, (profile) => {
      if (profile.version !== profileVersion) throw noSuchProfile(`${name} and version ${profileVersion}`)
      const before = profile.revocation
      // Only more signatures can be revoked later, never fewer.
      if (before && before.effectiveFrom < effectiveFrom) {
        throw validation('Effective time must not be later than that of the earlier revocation')
      }
      const revocation = { effectiveFrom, revokedAt: clock.now(), revokedBy: context.principal.arn, reason }
      return { ...profile, status: 'Revoked', revocation }
    })
    return {}
  }

  /** Only profiles have tags. */
  const tagged = (resourceArn: string, where: Scope): string => {
    const parsed = parseSignerArn(resourceArn)
    const isOwn = parsed?.account === where.account && parsed.region === where.region
    if (!isOwn || parsed.kind !== 'signing-profiles' || parsed.version !== undefined) {
      throw noSuchResource(`Resource ${resourceArn} does not exist`)
    }
    return parsed.id
  }
  const changeTags = async (
    arn: string,
    where: Scope,
    update: (tags: Readonly<Record<string, string>>) => object,
  ) => {
    await change(where, tagged(arn, where), (profile) => {
      const tags = update(profile.tags) as Readonly<Record<string, string>>
      if (Object.keys(tags).length > MAX_TAGS) throw badTags(`A resource can have at most ${MAX_TAGS} tags`)
      return { ...profile, tags }
    })
    return {}
  }

  const listTags: OperationHandler<ListTagsForResourceRequest, object> = async (input, context) => {
    const { doc } = await findProfile(meta, context, tagged(input.resourceArn ?? '', context))
    return { tags: doc.tags }
  }
  const tagResource: OperationHandler<TagResourceRequest, object> = (input, context) =>
    changeTags(input.resourceArn ?? '', context, (tags) => ({ ...tags, ...input.tags }))
  const untagResource: OperationHandler<UntagResourceRequest, object> = (input, context) => {
    const removed = new Set(input.tagKeys)
    return changeTags(input.resourceArn ?? '', context, (tags) =>
      Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.has(key))),
    )
  }

  return {
    PutSigningProfile: putProfile,
    GetSigningProfile: getProfile,
    ListSigningProfiles: listProfiles,
    CancelSigningProfile: cancelProfile,
    RevokeSigningProfile: revokeProfile,
    ListTagsForResource: listTags,
    TagResource: tagResource,
    UntagResource: untagResource,
  }
}

const viewOf = (profile: SigningProfile): View => ({
  profileName: profile.name,
  profileVersion: profile.version,
  profileVersionArn: signingProfileVersionArn(profile),
  platformId: LAMBDA_PLATFORM,
  platformDisplayName: PLATFORM_NAME,
  signatureValidityPeriod: profile.validity,
  ...(profile.signingParameters && { signingParameters: profile.signingParameters }),
  status: profile.status,
  arn: signingProfileArn(profile, profile.name),
  tags: profile.tags,
})
