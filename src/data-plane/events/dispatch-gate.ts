/**
 * Decides, for each event that is due, whether its function may have one more slot now, and learns from how events end.
 * One for all queues of a node; the decisions themselves are pure and in their own files.
 */
import type { FunctionId } from '#contracts/arn.ts'
import type { Clock } from '#kernel/clock.ts'
import type { DispatchOutcome } from '#data-plane/events/port.ts'
import type { Metrics } from '#observability/port.ts'

import { afterFailure, afterSuccess, newLimit, pauseMs, type AdaptiveLimit } from './adaptive-limit.ts'
import {
  afterOutcome,
  breakerAllows,
  closedBreaker,
  endProbe,
  isBroken,
  isJudged,
  startProbe,
  type Breaker,
} from './circuit-breaker.ts'
import { isRoomy, mayHaveSlot } from './fair-share.ts'
import { fullSpeed, isFleetWide, rampAt, rampedSlots, startRamp } from './fleet-ramp.ts'

export type Verdict =
  /** A slot is taken, until `end`. */
  | 'taken'
  /** Not before an event of the function ends. */
  | 'held'
  /** Not before others leave enough slots. */
  | 'crowded'
  /** Not before this time, monotonic milliseconds. */
  | number

export interface DispatchGate {
  begin(target: FunctionId, key: string): Verdict
  /** Exactly once for each `begin` that said `taken`. */
  end(target: FunctionId, key: string, outcome: DispatchOutcome): void
  /** Slots that are free now. */
  free(): number
  /** So many are free that a tenant may have more than its share. */
  isRoomy(): boolean
  /** Events a second that all slots get done, as they have taken lately. */
  capacity(): number
  /** After an outage: begins slowly. */
  startSlowly(): void
}

interface FunctionState {
  running: number
  limit: AdaptiveLimit
  breaker: Breaker
  /** Monotonic milliseconds. */
  pausedUntil: number
  usedAt: number
  startedAt: number
}

/** Functions that are remembered; those that do nothing are forgotten first. */
const MAX_FUNCTIONS = 10_000
/** "Lately", when functions are judged together, and how often that is done at most. */
const LATELY_MS = 60_000
const JUDGE_EVERY_MS = 1_000
/** What an event takes as long as nobody knows, and how much the latest one counts. */
const FIRST_DURATION_MS = 100
const DURATION_WEIGHT = 0.02

/** Lets everything through: for queues without pollers to be fair to. */
export const openGate: DispatchGate = {
  begin: () => 'taken',
  end: () => {},
  free: () => Number.POSITIVE_INFINITY,
  isRoomy: () => true,
  capacity: () => Number.POSITIVE_INFINITY,
  startSlowly: () => {},
}

export function createDispatchGate(options: {
  /** Events that run at once. */
  readonly slots: number
  readonly clock: Pick<Clock, 'monotonic'>
  readonly metrics?: Metrics
  /** The host has more to do than it should: a ramp waits. */
  readonly isUnderPressure?: () => boolean
}): DispatchGate {
  const { slots, clock, metrics, isUnderPressure = () => false } = options
  const functions = new Map<string, FunctionState>()
  const accounts = new Map<string, number>()
  let busy = 0
  let meanMs = FIRST_DURATION_MS
  let ramp = fullSpeed
  let fleetWide = false
  let judgedAt = Number.NEGATIVE_INFINITY

  const stateOf = (key: string): FunctionState => {
    const known = functions.get(key)
    if (known) return known
    if (functions.size >= MAX_FUNCTIONS) forgetIdle()
    const fresh: FunctionState = {
      running: 0,
      limit: newLimit,
      breaker: closedBreaker,
      pausedUntil: 0,
      usedAt: 0,
      startedAt: 0,
    }
    functions.set(key, fresh)
    return fresh
  }
  /** A tenth of them, the longest unused first: entries are in the order of their last end. */
  const forgetIdle = () => {
    let left = MAX_FUNCTIONS / 10
    for (const [key, { running }] of functions) {
      if (running > 0) continue
      functions.delete(key)
      if (--left === 0) return
    }
  }
  const judge = (now: number) => {
    if (now - judgedAt < JUDGE_EVERY_MS) return
    judgedAt = now
    let [judged, broken] = [0, 0]
    for (const { breaker, usedAt } of functions.values()) {
      if (now - usedAt > LATELY_MS || !isJudged(breaker)) continue
      judged++
      if (isBroken(breaker)) broken++
    }
    const before = fleetWide
    fleetWide = isFleetWide({ judged, broken })
    if (fleetWide && !before) {
      ramp = startRamp(now)
      metrics?.count('lambent_async_fleet_failures_total')
    }
  }
  const slotsNow = (now: number) => {
    if (ramp.share >= 1) return slots
    judge(now)
    ramp = rampAt(ramp, now, () => fleetWide || isUnderPressure())
    return rampedSlots(ramp, slots)
  }
  const addTo = (account: string, by: number) => {
    const next = (accounts.get(account) ?? 0) + by
    if (next > 0) accounts.set(account, next)
    else accounts.delete(account)
  }

  return {
    begin({ account }, key) {
      const now = clock.monotonic()
      const available = slotsNow(now)
      if (busy >= available) return 'crowded'
      const state = stateOf(key)
      if (now < state.pausedUntil) return state.pausedUntil
      if (state.running >= state.limit.limit) return 'held'
      // When most functions break it is not the fault of each.
      const allowed = fleetWide ? 'yes' : breakerAllows(state.breaker, now)
      if (allowed === 'wait') return 'held'
      if (typeof allowed === 'number') return allowed
      if (!mayHaveSlot({ slots: available, busy, mine: state.running })) return 'crowded'
      // Among accounts the same, once there is more than one.
      const ofAccount = accounts.get(account) ?? 0
      const alone = accounts.size === 0 || (accounts.size === 1 && ofAccount > 0)
      if (!alone && !mayHaveSlot({ slots: available, busy, mine: ofAccount })) return 'crowded'
      if (allowed === 'probe') state.breaker = startProbe(state.breaker)
      state.running++
      state.startedAt = now
      busy++
      addTo(account, 1)
      return 'taken'
    },
    end({ account }, key, outcome) {
      const now = clock.monotonic()
      const state = stateOf(key)
      state.running = Math.max(0, state.running - 1)
      busy = Math.max(0, busy - 1)
      addTo(account, -1)
      state.usedAt = now
      functions.delete(key)
      functions.set(key, state)
      if (outcome === 'none' || outcome === 'throttled') state.breaker = endProbe(state.breaker)
      if (outcome === 'none') return
      if (outcome === 'ran') state.limit = afterSuccess(state.limit)
      else {
        state.limit = afterFailure(state.limit)
        state.pausedUntil = now + pauseMs(state.limit)
      }
      if (outcome === 'throttled') return
      // Of several that run at once the one that began last: good enough for an average.
      meanMs += DURATION_WEIGHT * (Math.max(1, now - state.startedAt) - meanMs)
      const isBad = outcome === 'broken'
      if (isBad) judge(now)
      const before = state.breaker.openUntil
      state.breaker = afterOutcome(state.breaker, isBad, now, !fleetWide)
      if (state.breaker.openUntil > before) metrics?.count('lambent_async_breaker_opened_total')
    },
    free: () => Math.max(0, slotsNow(clock.monotonic()) - busy),
    isRoomy: () => isRoomy(slotsNow(clock.monotonic()), busy),
    capacity: () => (slots * 1000) / meanMs,
    startSlowly() {
      ramp = startRamp(clock.monotonic())
    },
  }
}
