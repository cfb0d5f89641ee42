/** A token bucket as plain numbers: arithmetic on the bucket and the time it is given. */
export interface TokenBucket {
  tokens: number
  /** Monotonic milliseconds at which `tokens` was right. */
  at: number
}

/** Fills the bucket up to `capacity` for the time that has passed. A rate that changed meanwhile applies from here on. */
function refill(bucket: TokenBucket, perSecond: number, capacity: number, now: number): void {
  const refilled = bucket.tokens + ((now - bucket.at) / 1000) * perSecond
  bucket.tokens = refilled < capacity ? refilled : capacity
  bucket.at = now
}

/** Takes one token from a bucket that holds one second's worth, or `capacity`. False when it is empty. */
export function take(bucket: TokenBucket, perSecond: number, now: number, capacity = perSecond): boolean {
  refill(bucket, perSecond, capacity, now)
  if (bucket.tokens < 1) return false
  bucket.tokens -= 1
  return true
}

/**
 * Takes `amount` tokens from a bucket that may be overdrawn, and says how many milliseconds to wait before they may be
 * used: 0 while there were enough. For one caller, which does wait.
 */
export function overdraw(
  bucket: TokenBucket,
  rate: { readonly perSecond: number; readonly capacity: number },
  amount: number,
  now: number,
): number {
  refill(bucket, rate.perSecond, rate.capacity, now)
  bucket.tokens -= amount
  return bucket.tokens >= 0 ? 0 : (-bucket.tokens / rate.perSecond) * 1000
}
