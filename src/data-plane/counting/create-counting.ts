import type { FunctionId } from '#contracts/arn.ts'
import { throttled } from '#contracts/errors.ts'
import { ACCOUNT_CONCURRENCY } from '#contracts/limits.ts'
import { takenConcurrency } from '#contracts/provisioned-concurrency.ts'
import { decideAdmission, hasProvisioned } from '#data-plane/counting/decide-admission.ts'
import type { Counting } from '#data-plane/counting/port.ts'
import type { Clock } from '#kernel/clock.ts'
import { take, type TokenBucket } from '#kernel/token-bucket.ts'
import type { Metrics } from '#observability/port.ts'

/** Requests a second for each unit of concurrency, provisioned or not. Source: developer guide, quotas. */
const RATE_PER_CONCURRENCY = 10
/** Counters of functions that neither run nor have limits of their own are forgotten beyond this many. */
const MAX_IDLE_FUNCTIONS = 10_000

/** One version with provisioned concurrency. */
interface ProvisionedCount extends TokenBucket {
  ready: number
  running: number
}

interface FunctionCount extends TokenBucket {
  /** On-demand invocations. */
  running: number
  reserved: number | undefined
  /** What was asked for, and what there is of it; the smaller one counts. */
  provisionedAsked: number
  provisionedReady: number
  /** By version; undefined for nearly every function. */
  provisioned: Map<string, ProvisionedCount> | undefined
}

interface ScopeCount {
  readonly bucket: TokenBucket
  readonly functions: Map<string, FunctionCount>
  /** Every invocation. */
  running: number
  /** On-demand invocations of functions without a reservation. */
  unreservedRunning: number
  takenSum: number
}

/**
 * While provisioned environments initialise, and while an alias moves and has those of two versions, only what is both
 * asked for and ready is kept from on-demand invocations.
 */
const provisionedOf = (count: FunctionCount) => Math.min(count.provisionedAsked, count.provisionedReady)
const takenBy = (count: FunctionCount) =>
  takenConcurrency({
    ...(count.reserved !== undefined && { reservedConcurrency: count.reserved }),
    provisionedConcurrency: provisionedOf(count),
  })

/**
 * Counts in memory. Maps are nested rather than keyed by a joined string, so that the warm path builds no strings.
 * `requestRatePerConcurrency` may be Infinity to switch the request rate limit off.
 */
export function createCounting(options: {
  readonly clock: Clock
  readonly accountConcurrency?: number
  readonly requestRatePerConcurrency?: number
  readonly metrics?: Pick<Metrics, 'count'>
}): Counting {
  const { clock, metrics, accountConcurrency = ACCOUNT_CONCURRENCY } = options
  const ratePerConcurrency = options.requestRatePerConcurrency ?? RATE_PER_CONCURRENCY
  const accounts = new Map<string, Map<string, ScopeCount>>()

  const scopeOf = (account: string, region: string) => {
    let regions = accounts.get(account)
    if (!regions) accounts.set(account, (regions = new Map()))
    let scope = regions.get(region)
    if (!scope) {
      const bucket = { tokens: accountConcurrency * ratePerConcurrency, at: clock.monotonic() }
      scope = { bucket, functions: new Map(), running: 0, unreservedRunning: 0, takenSum: 0 }
      regions.set(region, scope)
    }
    return scope
  }
  const functionOf = (scope: ScopeCount, name: string) => {
    let count = scope.functions.get(name)
    if (!count) {
      count = {
        running: 0,
        reserved: undefined,
        provisionedAsked: 0,
        provisionedReady: 0,
        provisioned: undefined,
        tokens: 0,
        at: clock.monotonic(),
      }
      scope.functions.set(name, count)
    }
    return count
  }
  const forget = (scope: ScopeCount, name: string, count: FunctionCount) => {
    const isIdle =
      count.running === 0 &&
      count.reserved === undefined &&
      count.provisioned === undefined &&
      count.provisionedAsked === 0
    if (isIdle && scope.functions.size > MAX_IDLE_FUNCTIONS) scope.functions.delete(name)
  }
  const mayTake = (bucket: TokenBucket, concurrency: number) =>
    ratePerConcurrency === Number.POSITIVE_INFINITY ||
    take(bucket, concurrency * ratePerConcurrency, clock.monotonic())
  const refuseByRate = (scope: ScopeCount, count: FunctionCount) => {
    // A function with a reservation has a rate of its own, like it has a concurrency of its own.
    if (count.reserved === undefined) {
      if (mayTake(scope.bucket, Math.max(0, accountConcurrency - scope.takenSum))) return
      throw throttled('FunctionInvocationRateLimitExceeded')
    }
    if (mayTake(count, Math.max(0, count.reserved - provisionedOf(count)))) return
    throw throttled('ReservedFunctionInvocationRateLimitExceeded')
  }
  /** Changes what a function takes out of the account. */
  const change = (scope: ScopeCount, count: FunctionCount, apply: () => void) => {
    const before = takenBy(count)
    apply()
    scope.takenSum += takenBy(count) - before
  }

  const admitProvisioned = (scope: ScopeCount, pool: ProvisionedCount) => {
    pool.running++
    scope.running++
    let released = false
    return () => {
      if (released) return
      released = true
      pool.running--
      scope.running--
    }
  }

  return {
    admit(id, version) {
      const scope = scopeOf(id.account, id.region)
      const count = functionOf(scope, id.name)
      const pool = count.provisioned?.get(version)
      // Beyond ten requests a second for each of them an invocation spills over too; that AWS does so is unverified.
      if (pool && hasProvisioned(pool) && mayTake(pool, pool.ready)) {
        metrics?.count('lambent_provisioned_invocations_total')
        return admitProvisioned(scope, pool)
      }
      const reason = decideAdmission({
        reserved: count.reserved,
        provisioned: provisionedOf(count),
        running: count.running,
        unreservedRunning: scope.unreservedRunning,
        accountConcurrency,
        takenSum: scope.takenSum,
      })
      if (reason !== undefined) throw throttled(reason)
      refuseByRate(scope, count)
      if (pool) metrics?.count('lambent_provisioned_spillover_invocations_total')
      count.running++
      scope.running++
      if (count.reserved === undefined) scope.unreservedRunning++
      let released = false
      return () => {
        if (released) return
        released = true
        count.running--
        scope.running--
        // By the reservation as it is now: `setLimits` has moved the running ones between the pools.
        if (count.reserved === undefined) scope.unreservedRunning--
        forget(scope, id.name, count)
      }
    },
    setLimits(id: FunctionId, { reserved, provisioned }) {
      const scope = scopeOf(id.account, id.region)
      const known = scope.functions.get(id.name)
      if (!known && reserved === undefined && provisioned === 0) return
      const count = known ?? functionOf(scope, id.name)
      change(scope, count, () => (count.provisionedAsked = provisioned))
      if (count.reserved !== reserved) {
        if (count.reserved === undefined) scope.unreservedRunning -= count.running
        else if (reserved === undefined) scope.unreservedRunning += count.running
        change(scope, count, () => (count.reserved = reserved))
        count.tokens = (reserved ?? 0) * ratePerConcurrency
        count.at = clock.monotonic()
      }
      forget(scope, id.name, count)
    },
    setProvisioned(id, version, ready) {
      const scope = scopeOf(id.account, id.region)
      const count = functionOf(scope, id.name)
      const pool = count.provisioned?.get(version)
      change(scope, count, () => (count.provisionedReady += ready - (pool?.ready ?? 0)))
      if (ready === 0) {
        // Invocations that still run on it give their place back to the pool that nobody looks at any more.
        count.provisioned?.delete(version)
        if (count.provisioned?.size === 0) count.provisioned = undefined
        forget(scope, id.name, count)
        return
      }
      if (pool) {
        // What has come in addition brings its own second's worth of requests.
        pool.tokens += Math.max(0, ready - pool.ready) * ratePerConcurrency
        pool.ready = ready
        return
      }
      count.provisioned ??= new Map()
      const tokens = ready * ratePerConcurrency
      count.provisioned.set(version, { ready, running: 0, tokens, at: clock.monotonic() })
    },
    inFlight: ({ account, region }) => accounts.get(account)?.get(region)?.running ?? 0,
  }
}
