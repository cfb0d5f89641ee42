/** Refuses requests of an account in a region that come faster than AWS takes them. */
import { apiRateOf, type ApiRate } from '#contracts/api-rates.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { Clock } from '#kernel/clock.ts'
import { take, type TokenBucket } from '#kernel/token-bucket.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

/** Clients can name as many regions as they like. */
const MAX_BUCKETS = 10_000

/** Status, members and text as users of AWS have quoted them; whether it has a Retry-After is unverified. */
const rateExceeded = () =>
  new LambdaError('TooManyRequestsException', 'Rate exceeded', {
    status: 429,
    members: { Reason: 'CallerRateLimitExceeded' },
  })

/**
 * The same handlers, each of which refuses what exceeds its rate. They see requests that are valid and allowed only;
 * whether AWS counts the others too is unverified.
 */
export function limitApiRates(handlers: OperationHandlers, clock: Clock): OperationHandlers {
  // In the order of their last use. A bucket that nobody used for a second is full, so forgetting it changes nothing.
  const buckets = new Map<string, TokenBucket>()
  const mayPass = ({ name, perSecond }: ApiRate, account: string, region: string) => {
    const key = `${account} ${region} ${name}`
    const now = clock.monotonic()
    const bucket = buckets.get(key) ?? { tokens: perSecond, at: now }
    buckets.delete(key)
    buckets.set(key, bucket)
    if (buckets.size > MAX_BUCKETS) buckets.delete(String(buckets.keys().next().value))
    return take(bucket, perSecond, now)
  }
  const limited =
    (rate: ApiRate, handler: OperationHandler<never, object>): OperationHandler<never, object> =>
    async (input, context) => {
      if (!mayPass(rate, context.account, context.region)) throw rateExceeded()
      return handler(input, context)
    }
  return Object.fromEntries(
    Object.entries(handlers).map(([operation, handler]) => {
      const rate = apiRateOf(operation)
      return [operation, rate ? limited(rate, handler) : handler]
    }),
  )
}
