import type { FunctionId } from '#contracts/arn.ts'
import { throttled } from '#contracts/errors.ts'
import { ACCOUNT_CONCURRENCY } from '#contracts/limits.ts'
import { decideAdmission } from '#data-plane/counting/decide-admission.ts'
import type { Counting } from '#data-plane/counting/port.ts'
import { take, type TokenBucket } from '#kernel/token-bucket.ts'
import type { Clock } from '#kernel/clock.ts'

/** Requests a second for each unit of concurrency. Source: developer guide, quotas. */
const RATE_PER_CONCURRENCY = 10
/** Counters of functions that neither run nor have a reservation are forgotten beyond this many. */
const MAX_IDLE_FUNCTIONS = 10_000

interface FunctionCount extends TokenBucket {
  running: number
  reserved: number | undefined
}

interface ScopeCount {
  readonly bucket: TokenBucket
  readonly functions: Map<string, FunctionCount>
  running: number
  /** Running invocations of functions without a reservation. */
  unreservedRunning: number
  reservedSum: number
}

/**
 * Counts in memory. Maps are nested rather than keyed by a joined string, so that the warm path builds no strings.
 * `requestRatePerConcurrency` may be Infinity to switch the request rate limit off.
 */
export function createCounting(options: {
  readonly clock: Clock
  readonly accountConcurrency?: number
  readonly requestRatePerConcurrency?: number
}): Counting {
  const { clock, accountConcurrency = ACCOUNT_CONCURRENCY } = options
  const ratePerConcurrency = options.requestRatePerConcurrency ?? RATE_PER_CONCURRENCY
  const accounts = new Map<string, Map<string, ScopeCount>>()

  const scopeOf = (account: string, region: string) => {
    let regions = accounts.get(account)
    if (!regions) accounts.set(account, (regions = new Map()))
    let scope = regions.get(region)
    if (!scope) {
      const bucket = { tokens: accountConcurrency * ratePerConcurrency, at: clock.monotonic() }
      scope = { bucket, functions: new Map(), running: 0, unreservedRunning: 0, reservedSum: 0 }
      regions.set(region, scope)
    }
    return scope
  }
  const functionOf = (scope: ScopeCount, name: string) => {
    let count = scope.functions.get(name)
    if (!count) {
      count = { running: 0, reserved: undefined, tokens: 0, at: clock.monotonic() }
      scope.functions.set(name, count)
    }
    return count
  }
  const forget = (scope: ScopeCount, name: string, count: FunctionCount) => {
    if (count.running === 0 && count.reserved === undefined && scope.functions.size > MAX_IDLE_FUNCTIONS) {
      scope.functions.delete(name)
    }
  }
  const refuseByRate = (scope: ScopeCount, count: FunctionCount) => {
    if (ratePerConcurrency === Number.POSITIVE_INFINITY) return
    const now = clock.monotonic()
    // A function with a reservation has a rate of its own, like it has a concurrency of its own.
    if (count.reserved === undefined) {
      const rate = Math.max(0, accountConcurrency - scope.reservedSum) * ratePerConcurrency
      if (!take(scope.bucket, rate, now)) throw throttled('FunctionInvocationRateLimitExceeded')
    } else if (!take(count, count.reserved * ratePerConcurrency, now)) {
      throw throttled('ReservedFunctionInvocationRateLimitExceeded')
    }
  }

  return {
    admit(id) {
      const scope = scopeOf(id.account, id.region)
      const count = functionOf(scope, id.name)
      const reason = decideAdmission({
        reserved: count.reserved,
        running: count.running,
        unreservedRunning: scope.unreservedRunning,
        accountConcurrency,
        reservedSum: scope.reservedSum,
      })
      if (reason !== undefined) throw throttled(reason)
      refuseByRate(scope, count)
      count.running++
      scope.running++
      if (count.reserved === undefined) scope.unreservedRunning++
      let released = false
      return () => {
        if (released) return
        released = true
        count.running--
        scope.running--
        // By the reservation as it is now: `setReserved` has moved the running ones between the pools.
        if (count.reserved === undefined) scope.unreservedRunning--
        forget(scope, id.name, count)
      }
    },
    setReserved(id: FunctionId, reserved) {
      const scope = scopeOf(id.account, id.region)
      const known = scope.functions.get(id.name)
      if (!known && reserved === undefined) return
      const count = known ?? functionOf(scope, id.name)
      if (count.reserved === reserved) return
      scope.reservedSum += (reserved ?? 0) - (count.reserved ?? 0)
      if (count.reserved === undefined) scope.unreservedRunning -= count.running
      else if (reserved === undefined) scope.unreservedRunning += count.running
      count.reserved = reserved
      count.tokens = (reserved ?? 0) * ratePerConcurrency
      count.at = clock.monotonic()
      forget(scope, id.name, count)
    },
    inFlight: ({ account, region }) => accounts.get(account)?.get(region)?.running ?? 0,
  }
}
