/** Environments that are kept initialised for a version: how many there are, what is missing, what is too much. */
import { decideKept } from '#data-plane/placement/decide.ts'
import type { Group, KeptEnvironments, Slot } from '#data-plane/placement/groups.ts'
import type { PlacementPolicy } from '#data-plane/placement/policy.ts'
import type { ReadyFailure, ReadyState, ReadyTarget } from '#data-plane/placement/port.ts'
import type { Clock } from '#kernel/clock.ts'
import { SECOND_MS } from '#kernel/units.ts'

export interface KeptPool {
  /** Sets what is wanted of the group; failures of the past are forgotten. */
  want(group: Group, target: Omit<ReadyTarget, 'version'>): void
  /** The next group that lacks an environment, in turn; undefined when none may start now. */
  readonly next: Group | undefined
  /** A start of the group begins; it ends in `arrived` or `failed`. */
  starting(group: Group): void
  arrived(slot: Slot): void
  failed(group: Group, failure: ReadyFailure): void
  /** The slot has no invocation: it becomes idle. False when it is one too many and has to be stopped. */
  rest(slot: Slot): boolean
  /** Takes the idle one used last; of those that run several invocations the one with the fewest. */
  take(group: Group): Slot | undefined
  /** The slot stops or is gone. Safe to call twice. */
  left(slot: Slot): void
  /** Stops all timers. */
  close(): void
}

/** Asked when none is idle. One that stops, or has ended, is none of them: it stays in the set for a moment. */
function leastBusy({ slots, target }: KeptEnvironments, places: number): Slot | undefined {
  let best: Slot | undefined
  if (target.count === 0) return undefined
  for (const slot of slots) {
    const { running, stopping, environment } = slot
    const isUsable = !stopping && environment.state === 'busy' && environment.initialised
    if (isUsable && running < places && !(best && best.running <= running)) best = slot
  }
  return best
}

/** `stop` ends an idle environment; `pump` begins the starts that `next` has. Neither may throw. */
export function createKeptPool(options: {
  readonly clock: Clock
  readonly policy: PlacementPolicy
  readonly stop: (slot: Slot) => void
  readonly pump: () => void
  /** Nothing is kept of the group any more. */
  readonly onEmpty: (group: Group) => void
}): KeptPool {
  const { clock, policy, stop, pump, onEmpty } = options
  const groups = new Set<Group>()
  /** Those of them that lack an environment which may start now, in turn. */
  const lacking = new Set<Group>()
  let startingNow = 0
  let closed = false

  const isAged = (slot: Slot, now: number) => now - slot.startedAt >= policy.maxAgeMs
  const decisionFor = (kept: KeptEnvironments, now: number) => {
    let aged = 0
    for (const slot of kept.slots) if (isAged(slot, now)) aged++
    return decideKept({
      wanted: kept.target.count,
      fresh: kept.slots.size - aged,
      aged,
      starting: kept.starting,
      failing: kept.failures > 0,
      retryDue: now >= kept.retryAt,
    })
  }

  const noteLack = (group: Group, kept: KeptEnvironments, now: number) => {
    if (decisionFor(kept, now).start > 0) lacking.add(group)
    else lacking.delete(group)
  }

  const tell = (kept: KeptEnvironments) => {
    const state: ReadyState = {
      wanted: kept.target.count,
      starting: kept.starting,
      ready: kept.slots.size,
      ...(kept.failure && { failure: kept.failure }),
    }
    const { told } = kept
    const isSame =
      told?.wanted === state.wanted &&
      told.starting === state.starting &&
      told.ready === state.ready &&
      told.failure === state.failure
    if (isSame) return
    kept.told = state
    kept.target.onChange?.(state)
  }

  /** When anything happens by itself: another attempt, or the next environment to reach its age. */
  const armTimer = (group: Group, kept: KeptEnvironments, now: number) => {
    kept.cancelTimer?.()
    kept.cancelTimer = undefined
    let dueAt = kept.failures > 0 && kept.retryAt > now ? kept.retryAt : Number.POSITIVE_INFINITY
    for (const slot of kept.slots) {
      const agedAt = slot.startedAt + policy.maxAgeMs
      if (agedAt > now) dueAt = Math.min(dueAt, agedAt)
    }
    if (dueAt === Number.POSITIVE_INFINITY) return
    // At least a second, so that environments that came one after the other share a sweep.
    kept.cancelTimer = clock.after(Math.max(SECOND_MS, dueAt - now), () => settle(group))
  }

  /** Brings the group towards what is wanted; called after everything that may have changed it. */
  const settle = (group: Group) => {
    const { kept } = group
    if (!kept || closed) return
    const now = clock.monotonic()
    // Those that have reached their age first, then those that were used longest ago.
    const spare = kept.idle.toSorted((a, b) => Number(isAged(b, now)) - Number(isAged(a, now)))
    for (const slot of spare.slice(0, decisionFor(kept, now).stop)) {
      remove(slot, kept)
      stop(slot)
    }
    tell(kept)
    armTimer(group, kept, now)
    noteLack(group, kept, now)
    if (kept.target.count === 0 && kept.slots.size + kept.starting === 0) {
      groups.delete(group)
      group.kept = undefined
      onEmpty(group)
    }
    pump()
  }

  const remove = (slot: Slot, kept: KeptEnvironments): boolean => {
    if (!kept.slots.delete(slot)) return false
    const at = kept.idle.lastIndexOf(slot)
    if (at !== -1) kept.idle.splice(at, 1)
    return true
  }

  return {
    want(group, target) {
      if (!group.kept && target.count === 0) return
      group.kept ??= {
        target,
        slots: new Set(),
        idle: [],
        starting: 0,
        failures: 0,
        failure: undefined,
        retryAt: 0,
        cancelTimer: undefined,
        told: undefined,
      }
      Object.assign(group.kept, { target, failures: 0, failure: undefined, retryAt: 0, told: undefined })
      groups.add(group)
      // Not from within the call: who asks may not be ready to hear of it.
      queueMicrotask(() => settle(group))
    },
    get next() {
      return startingNow < policy.maxStartingKept ? lacking.values().next().value : undefined
    },
    starting(group) {
      startingNow++
      if (!group.kept) return
      group.kept.starting++
      // Behind the others.
      lacking.delete(group)
      noteLack(group, group.kept, clock.monotonic())
      tell(group.kept)
    },
    arrived(slot) {
      startingNow--
      const { kept } = slot.group
      if (!kept) return
      kept.starting--
      kept.failures = 0
      kept.failure = undefined
      kept.slots.add(slot)
      settle(slot.group)
    },
    failed(group, failure) {
      startingNow--
      const { kept } = group
      if (!kept) return
      kept.starting--
      kept.failures++
      kept.failure = failure
      const pauseMs = policy.minKeptRetryMs * 2 ** (kept.failures - 1)
      kept.retryAt = clock.monotonic() + Math.min(policy.maxKeptRetryMs, pauseMs)
      settle(group)
    },
    rest(slot) {
      const { kept } = slot.group
      if (!kept?.slots.has(slot)) return false
      // The warm path: no more than a comparison.
      if (kept.slots.size > kept.target.count) return false
      kept.idle.push(slot)
      return true
    },
    take({ kept, places }) {
      const idle = kept?.idle.pop()
      return idle || !kept || places === 1 ? idle : leastBusy(kept, places)
    },
    left(slot) {
      const { kept } = slot.group
      if (kept && remove(slot, kept)) settle(slot.group)
    },
    close() {
      closed = true
      for (const { kept } of groups) kept?.cancelTimer?.()
      groups.clear()
      lacking.clear()
    },
  }
}
