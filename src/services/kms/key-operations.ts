/** Keys: made, described, switched off and on, scheduled for deletion; their policies, tags and rotation. */
import type {
  CreateKeyRequest,
  DescribeKeyRequest,
  EnableKeyRotationRequest,
  GetKeyPolicyRequest,
  KeyMetadata,
  ListKeysRequest,
  PutKeyPolicyRequest,
  ScheduleKeyDeletionRequest,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
  UpdateKeyDescriptionRequest,
} from '@aws-sdk/client-kms'

import { kmsKeyArn, kmsKeyKey, kmsKeyPrefix, type KmsKey } from '#contracts/kms.ts'
import type { Clock } from '#kernel/clock.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { docOf, put } from '../iam/documents.ts'
import { checkNotPending, checkUsable, defaultPolicy, isGone, type KeyStore } from './key-store.ts'
import {
  badTag,
  invalidState,
  malformedPolicy,
  notFound,
  tooManyTags,
  unsupported,
  validation,
} from './kms-errors.ts'
import { kmsPage } from './kms-page.ts'

const DAY_MS = 24 * HOUR_MS
const DEFAULT_WINDOW_DAYS = 30
const DEFAULT_ROTATION_DAYS = 365
const MAX_TAGS = 50

interface KeyRef {
  readonly KeyId?: string
}

export function createKeyOperations(deps: {
  readonly meta: Meta
  readonly keys: KeyStore
  readonly clock: Clock
}): OperationHandlers {
  const { meta, keys, clock } = deps

  const createKey: OperationHandler<CreateKeyRequest, object> = async (input, { account, region }) => {
    checkKind(input)
    if (input.Policy !== undefined) checkPolicy(input.Policy)
    const key = keys.make({
      account,
      region,
      description: input.Description ?? '',
      manager: 'CUSTOMER',
      multiRegion: input.MultiRegion ?? false,
      policy: input.Policy ?? defaultPolicy(account),
      tags: mergeTags([], input.Tags),
    })
    await meta.txn([put(kmsKeyKey(key, key.id), key, 0)])
    return { KeyMetadata: metadataOf(key) }
  }

  const describeKey: OperationHandler<DescribeKeyRequest, object> = async ({ KeyId = '' }, context) => {
    const { doc } = await keys.find(context, KeyId, { aliases: true })
    return { KeyMetadata: metadataOf(doc) }
  }

  const listKeys: OperationHandler<ListKeysRequest, object> = async (input, context) => {
    const page = await kmsPage(meta, kmsKeyPrefix(context), input, (row) => {
      const key = docOf<KmsKey>(row)
      if (isGone(key, clock.now())) return undefined
      return { KeyId: key.id, KeyArn: kmsKeyArn(key) }
    })
    return { Keys: page.items, ...page.more }
  }

  const switchTo =
    (state: 'Enabled' | 'Disabled'): OperationHandler<KeyRef, object> =>
    async ({ KeyId = '' }, context) => {
      await keys.change(context, KeyId, (key) => {
        checkNotPending(key)
        return { state }
      })
      return {}
    }

  const scheduleKeyDeletion: OperationHandler<ScheduleKeyDeletionRequest, object> = async (
    { KeyId = '', PendingWindowInDays: days = DEFAULT_WINDOW_DAYS },
    context,
  ) => {
    // The model allows 1 to 365; the service 7 to 30 (API reference, text unverified).
    if (days < 7 || days > 30) {
      throw validation('PendingWindowInDays must be between 7 and 30 (inclusive)')
    }
    const deletionAt = clock.now() + days * DAY_MS
    const key = await keys.change(context, KeyId, (before) => {
      checkNotPending(before)
      return { state: 'PendingDeletion', deletionAt }
    })
    return {
      KeyId: kmsKeyArn(key),
      DeletionDate: new Date(deletionAt),
      KeyState: key.state,
      PendingWindowInDays: days,
    }
  }

  const cancelKeyDeletion: OperationHandler<KeyRef, object> = async ({ KeyId = '' }, context) => {
    const key = await keys.change(context, KeyId, (before) => {
      // Text unverified.
      if (before.state !== 'PendingDeletion') {
        throw invalidState(`${kmsKeyArn(before)} is not pending deletion.`)
      }
      return { state: 'Disabled', deletionAt: undefined }
    })
    return { KeyId: kmsKeyArn(key) }
  }

  const updateKeyDescription: OperationHandler<UpdateKeyDescriptionRequest, object> = async (
    { KeyId = '', Description: description = '' },
    context,
  ) => {
    await keys.change(context, KeyId, (key) => {
      checkNotPending(key)
      return { description }
    })
    return {}
  }

  const getKeyPolicy: OperationHandler<GetKeyPolicyRequest, object> = async (
    { KeyId = '', PolicyName = 'default' },
    context,
  ) => {
    const { doc } = await keys.find(context, KeyId)
    // A key has one policy, of this name (text unverified).
    if (PolicyName !== 'default') throw notFound('No such policy exists')
    return { Policy: doc.policy, PolicyName }
  }

  const putKeyPolicy: OperationHandler<PutKeyPolicyRequest, object> = async (
    { KeyId = '', Policy: policy = '', PolicyName = 'default' },
    context,
  ) => {
    if (PolicyName !== 'default') throw notFound('No such policy exists')
    checkPolicy(policy)
    await keys.change(context, KeyId, () => ({ policy }))
    return {}
  }

  const listKeyPolicies: OperationHandler<KeyRef, object> = async ({ KeyId = '' }, context) => {
    await keys.find(context, KeyId)
    return { PolicyNames: ['default'], Truncated: false }
  }

  const tagResource: OperationHandler<TagResourceRequest, object> = async ({ KeyId = '', Tags }, context) => {
    await keys.change(context, KeyId, (key) => {
      checkNotPending(key)
      return { tags: mergeTags(key.tags, Tags) }
    })
    return {}
  }

  const untagResource: OperationHandler<UntagResourceRequest, object> = async (
    { KeyId = '', TagKeys = [] },
    context,
  ) => {
    await keys.change(context, KeyId, (key) => {
      checkNotPending(key)
      return { tags: key.tags.filter((tag) => !TagKeys.includes(tag.key)) }
    })
    return {}
  }

  const listResourceTags: OperationHandler<KeyRef, object> = async ({ KeyId = '' }, context) => {
    const { doc } = await keys.find(context, KeyId)
    return { Tags: doc.tags.map(({ key, value }) => ({ TagKey: key, TagValue: value })), Truncated: false }
  }

  /** Whether a key rotates is kept and shown; its material stays the same. */
  const enableKeyRotation: OperationHandler<EnableKeyRotationRequest, object> = async (
    { KeyId = '', RotationPeriodInDays },
    context,
  ) => {
    await keys.change(context, KeyId, (key) => {
      checkUsable(key)
      const periodDays = RotationPeriodInDays ?? key.rotation?.periodDays ?? DEFAULT_ROTATION_DAYS
      return { rotation: { periodDays, since: clock.now() } }
    })
    return {}
  }
  const disableKeyRotation: OperationHandler<KeyRef, object> = async ({ KeyId = '' }, context) => {
    await keys.change(context, KeyId, (key) => {
      checkUsable(key)
      return { rotation: undefined }
    })
    return {}
  }
  const getKeyRotationStatus: OperationHandler<KeyRef, object> = async ({ KeyId = '' }, context) => {
    const { doc } = await keys.find(context, KeyId)
    const { rotation } = doc
    if (!rotation || doc.state === 'PendingDeletion') {
      return { KeyId: kmsKeyArn(doc), KeyRotationEnabled: false }
    }
    return {
      KeyId: kmsKeyArn(doc),
      KeyRotationEnabled: true,
      RotationPeriodInDays: rotation.periodDays,
      NextRotationDate: new Date(rotation.since + rotation.periodDays * DAY_MS),
    }
  }

  return {
    CreateKey: createKey,
    DescribeKey: describeKey,
    ListKeys: listKeys,
    EnableKey: switchTo('Enabled'),
    DisableKey: switchTo('Disabled'),
    ScheduleKeyDeletion: scheduleKeyDeletion,
    CancelKeyDeletion: cancelKeyDeletion,
    UpdateKeyDescription: updateKeyDescription,
    GetKeyPolicy: getKeyPolicy,
    PutKeyPolicy: putKeyPolicy,
    ListKeyPolicies: listKeyPolicies,
    TagResource: tagResource,
    UntagResource: untagResource,
    ListResourceTags: listResourceTags,
    EnableKeyRotation: enableKeyRotation,
    DisableKeyRotation: disableKeyRotation,
    GetKeyRotationStatus: getKeyRotationStatus,
  }
}

/** Only symmetric keys whose material is made here. */
function checkKind({ KeySpec, CustomerMasterKeySpec, KeyUsage, Origin }: CreateKeyRequest): void {
  const spec = KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  if (spec !== 'SYMMETRIC_DEFAULT' && KeyUsage === undefined) {
    throw validation(
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    )
  }
  if (spec !== 'SYMMETRIC_DEFAULT') throw unsupported(`Keys of the kind ${spec} are not available here`)
  if (KeyUsage !== undefined && KeyUsage !== 'ENCRYPT_DECRYPT') {
    // Text as clients report it.
    throw validation(`KeyUsage ${KeyUsage} is not compatible with KeySpec ${spec}`)
  }
  if (Origin !== undefined && Origin !== 'AWS_KMS') {
    throw unsupported(`Keys of the origin ${Origin} are not available here`)
  }
}

function checkPolicy(policy: string): void {
  let value: unknown
  try {
    value = JSON.parse(policy)
  } catch {
    throw malformedPolicy()
  }
  if (typeof value !== 'object' || value === null || !('Statement' in value)) throw malformedPolicy()
}

function mergeTags(before: KmsKey['tags'], given: readonly Tag[] | undefined): KmsKey['tags'] {
  const tags = new Map(before.map(({ key, value }) => [key, value]))
  const names = new Set<string>()
  for (const { TagKey = '', TagValue = '' } of given ?? []) {
    if (names.has(TagKey)) throw badTag('Duplicate tag keys')
    if (TagKey.startsWith('aws:')) throw badTag('Tag keys can not start with "aws:"')
    names.add(TagKey)
    tags.set(TagKey, TagValue)
  }
  if (tags.size > MAX_TAGS) throw tooManyTags()
  return [...tags].map(([key, value]) => ({ key, value }))
}

// Members recorded from AWS, but for CurrentKeyMaterialId, which is newer than the recording (API reference).
function metadataOf(key: KmsKey): KeyMetadata {
  const Arn = kmsKeyArn(key)
  return {
    AWSAccountId: key.account,
    KeyId: key.id,
    Arn,
    CreationDate: new Date(key.createdAt),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: key.state,
    ...(key.deletionAt !== undefined && { DeletionDate: new Date(key.deletionAt) }),
    Origin: 'AWS_KMS',
    KeyManager: key.manager,
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: key.multiRegion,
    ...(key.multiRegion && {
      MultiRegionConfiguration: {
        MultiRegionKeyType: 'PRIMARY',
        PrimaryKey: { Arn, Region: key.region },
        ReplicaKeys: [],
      },
    }),
    CurrentKeyMaterialId: key.materialId,
  }
}
