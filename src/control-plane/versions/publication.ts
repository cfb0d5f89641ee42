/** What publishing writes: a new number, or `$LATEST.PUBLISHED` in place of what was published before. */
import { LATEST_PUBLISHED } from '#contracts/arn.ts'
import { resourceConflict } from '#contracts/errors.ts'
import {
  servingPublished,
  type FunctionHead,
  type FunctionVersion,
  type PublishedVersion,
} from '#contracts/function.ts'
import { functionArn } from '#contracts/arn.ts'
import { versionKey } from '#contracts/keys.ts'
import type { MetaWrite } from '#store/port.ts'

import { countedBytes } from '../artifacts/bucket-package.ts'
import { unuseWrites, useWrites } from '../capacity-providers/provider-use.ts'
import { asJson, type Documents, type Stored } from '../documents.ts'
import { withoutUndefined, type Stamp } from '../functions/configuration.ts'
import { contentDigest } from '../functions/digest.ts'
import { isInTransition } from '../functions/state.ts'
import { publish, publishesLatest, unchangedSince, type PublishTarget } from './publish.ts'

export type Publication =
  /** Exactly this was published last. */
  | { readonly existing: FunctionVersion }
  | {
      readonly head: FunctionHead
      readonly version: FunctionVersion
      /** Everything but the head itself. */
      readonly writes: readonly MetaWrite[]
      readonly codeGrowthBytes: number
    }

/** Words of AWS for a published version that is being replaced, seen from AWS. */
const REPLACING = {
  lastUpdateStatus: 'InProgress',
  lastUpdateStatusReason: 'The function is being updated.',
  lastUpdateStatusReasonCode: 'Updating',
} as const

/** `$LATEST.PUBLISHED` that takes the place of `before`, which serves until it is prepared. Pure. */
export function replacing(before: PublishedVersion | undefined, version: FunctionVersion): PublishedVersion {
  if (!before || before.state === 'Failed') return version
  const { stateReason: _reason, stateReasonCode: _code, ...rest } = version
  const { serving: _serving, ...previous } = servingPublished(before) as PublishedVersion
  const state = before.state === 'Deactivated' ? 'Deactivated' : 'Active'
  return withoutUndefined<PublishedVersion>({ ...rest, state, ...REPLACING, serving: previous })
}

/** Plans publishing `head`'s `$LATEST`. Throws what AWS refuses; reads, but writes nothing. */
export async function planPublication(
  documents: Documents,
  head: FunctionHead,
  options: {
    readonly request: PublishTarget & { readonly Description?: string | undefined }
    readonly stamp: Stamp
    readonly headRevisionId: string
    readonly ready: boolean
  },
): Promise<Publication> {
  const { latest } = head
  const { request, stamp, headRevisionId } = options
  const toLatest = publishesLatest(latest, request)
  const number = toLatest ? LATEST_PUBLISHED : unchangedSince(head)
  const before = number === undefined ? undefined : await documents.version(head, number)
  if (before && (!toLatest || isSame(before, latest, request.Description))) return { existing: before.doc }
  if (before && isInTransition(before.doc)) {
    throw resourceConflict(
      `The operation cannot be performed at this time. An update is in progress for resource: ${functionArn(head, LATEST_PUBLISHED)}`,
    )
  }
  const published = publish(head, {
    stamp,
    headRevisionId,
    description: request.Description,
    // With a capacity provider a version is ready when its environments are, with SnapStart when its snapshot is taken.
    ready: options.ready && !latest.managedInstances && latest.snapStart === 'None',
    toLatest,
  })
  const version = replacing(before?.doc, published.version)
  const provider = version.managedInstances?.capacityProvider
  const left =
    before && before.doc.managedInstances?.capacityProvider !== provider ? unuseWrites(before.doc) : []
  return {
    head: published.head,
    version,
    writes: [
      { key: versionKey(head, version.version), ...(before && { ifRev: before.rev }), doc: asJson(version) },
      ...left,
      ...(await useWrites(documents, [version])),
    ],
    codeGrowthBytes: countedBytes(latest.code) - (before ? countedBytes(before.doc.code) : 0),
  }
}

const isSame = (
  before: Stored<PublishedVersion>,
  latest: FunctionVersion,
  description: string | undefined,
): boolean =>
  before.doc.state !== 'Failed' &&
  before.doc.lastUpdateStatus !== 'Failed' &&
  contentDigest(before.doc) === contentDigest({ ...latest, description: description ?? latest.description })
