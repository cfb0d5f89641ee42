/** Publishing: freezing what `$LATEST` is under the next number. Pure. */
import { LATEST_PUBLISHED } from '#contracts/arn.ts'
import { invalidParameter } from '#contracts/errors.ts'
import type { FunctionHead, FunctionVersion } from '#contracts/function.ts'

import { withoutUndefined, type Stamp } from '../functions/configuration.ts'
import { contentDigest } from '../functions/digest.ts'
import { CREATING } from '../functions/state.ts'

/** Refuses to publish other code than the caller has in mind (recorded from AWS). */
export function assertCodeSha256(latest: FunctionVersion, requested: string | undefined): void {
  if (!requested || requested === latest.code.codeSha256) return
  throw invalidParameter(
    `CodeSHA256 (${requested}) is different from current CodeSHA256 in $LATEST (${latest.code.codeSha256}). Please try again with the CodeSHA256 in $LATEST.`,
  )
}

export interface PublishTarget {
  readonly PublishTo?: string | undefined
}

/** Whether the request publishes `$LATEST.PUBLISHED` instead of a number, which only capacity providers have. */
export function publishesLatest(latest: FunctionVersion, { PublishTo }: PublishTarget): boolean {
  if (PublishTo === undefined) return false
  if (latest.managedInstances) return true
  // Text unverified.
  throw invalidParameter("PublishTo isn't supported for Lambda Default functions.")
}

/** The number under which exactly this content was published last, if it was. */
export const unchangedSince = (head: FunctionHead): string | undefined =>
  head.lastPublished?.contentDigest === contentDigest(head.latest) ? head.lastPublished.version : undefined

/**
 * The next version and the head that goes with it. `ready` says that the code is prepared already: then the version is
 * Active at once, as with AWS. The head gets a revision of its own (recorded), the version its own generation.
 */
export function publish(
  head: FunctionHead,
  options: {
    readonly stamp: Stamp
    readonly headRevisionId: string
    readonly description?: string | undefined
    readonly ready: boolean
    /** Publish `$LATEST.PUBLISHED`, which takes no number. */
    readonly toLatest?: boolean
  },
): { readonly head: FunctionHead; readonly version: FunctionVersion } {
  const { stamp, headRevisionId, ready, toLatest = false } = options
  const number = toLatest ? LATEST_PUBLISHED : String(head.nextVersion)
  const {
    state: _state,
    stateReason: _reason,
    stateReasonCode: _reasonCode,
    lastUpdateStatus: _update,
    lastUpdateStatusReason: _updateReason,
    lastUpdateStatusReasonCode: _updateReasonCode,
    ...content
  } = head.latest
  const version = withoutUndefined<FunctionVersion>({
    ...content,
    version: number,
    description: options.description ?? content.description,
    ...(ready ? { state: 'Active', lastUpdateStatus: 'Successful' } : CREATING),
    revisionId: stamp.revisionId,
    modifiedAt: stamp.now,
    generation: stamp.generation,
  })
  return {
    version,
    head: {
      ...head,
      latest: { ...head.latest, revisionId: headRevisionId },
      ...(!toLatest && {
        nextVersion: head.nextVersion + 1,
        lastPublished: { version: number, contentDigest: contentDigest(head.latest) },
      }),
    },
  }
}
