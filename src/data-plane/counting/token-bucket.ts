/** A token bucket as plain numbers: `take` is arithmetic on the bucket and the time it is given. */
export interface TokenBucket {
  tokens: number
  /** Monotonic milliseconds at which `tokens` was right. */
  at: number
}

/**
 * Takes one token. The bucket refills at `perSecond` and holds one second's worth; a rate that changed meanwhile
 * applies from here on. False when it is empty.
 */
export function take(bucket: TokenBucket, perSecond: number, now: number): boolean {
  const refilled = bucket.tokens + ((now - bucket.at) / 1000) * perSecond
  bucket.tokens = refilled < perSecond ? refilled : perSecond
  bucket.at = now
  if (bucket.tokens < 1) return false
  bucket.tokens -= 1
  return true
}
