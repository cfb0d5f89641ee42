import { decideKeep } from '#data-plane/placement/decide.ts'
import type { Slot } from '#data-plane/placement/groups.ts'
import type { PlacementPolicy } from '#data-plane/placement/policy.ts'
import type { Clock } from '#kernel/clock.ts'
import { createRecencyList } from '#kernel/recency-list.ts'
import { SECOND_MS } from '#kernel/units.ts'

/** Environments without an invocation: each function version's own, and all of them by how long they have been idle. */
export interface IdleEnvironments {
  add(slot: Slot, now: number): void
  /** Takes it out, because it is used or stopped. Does nothing when it is not idle. */
  remove(slot: Slot): void
  /** The one idle longest, whoever it belongs to. */
  readonly oldest: Slot | undefined
  readonly count: number
  /** Stops reclaiming. */
  close(): void
}

/** `stop` is called for each environment that has been idle too long. One timer serves all of them. */
export function createIdleEnvironments(options: {
  readonly clock: Clock
  readonly policy: PlacementPolicy
  readonly stop: (slot: Slot) => void
}): IdleEnvironments {
  const { clock, policy, stop } = options
  const byRecency = createRecencyList<Slot>()
  let count = 0
  let cancelTimer: (() => void) | undefined

  const sweep = () => {
    cancelTimer = undefined
    const now = clock.monotonic()
    for (let slot = byRecency.oldest; slot; slot = byRecency.oldest) {
      const times = { ageMs: now - slot.startedAt, idleMs: now - slot.idleSince }
      if (decideKeep({ ...times, retired: slot.group.retired }, policy) === 'keep') break
      stop(slot)
    }
    armTimer()
  }
  const armTimer = () => {
    if (cancelTimer || !byRecency.oldest) return
    // At least a second, so that environments that became idle one after the other share a sweep.
    const dueMs = byRecency.oldest.idleSince + policy.idleTimeoutMs - clock.monotonic()
    cancelTimer = clock.after(Math.max(SECOND_MS, dueMs), sweep)
  }

  return {
    add(slot, now) {
      slot.idleSince = now
      slot.group.idle.push(slot)
      byRecency.touch(slot)
      count++
      armTimer()
    },
    remove(slot) {
      // Nearly always the last one: the one used last is used first.
      const at = slot.group.idle.lastIndexOf(slot)
      if (at === -1) return
      slot.group.idle.splice(at, 1)
      byRecency.remove(slot)
      count--
    },
    get oldest() {
      return byRecency.oldest
    },
    get count() {
      return count
    },
    close() {
      cancelTimer?.()
      cancelTimer = undefined
    },
  }
}
