import type { PlacementPolicy } from '#data-plane/placement/policy.ts'
import { take, type TokenBucket } from '#kernel/token-bucket.ts'

/**
 * Takes the right to start one more environment for an invocation; false when the function has started too many lately.
 * That the client is then given the reason of the concurrency limit is unverified.
 */
export const mayScale = (
  bucket: TokenBucket,
  policy: Pick<PlacementPolicy, 'scalingPerSecond' | 'scalingBurst'>,
  now: number,
) => take(bucket, policy.scalingPerSecond, now, policy.scalingBurst)
