/** Invocations of brief functions that wait a moment for an environment which is about to be free. */
import type { InvocationResult } from '#contracts/invocation.ts'
import type { Group, Waiter } from '#data-plane/placement/groups.ts'
import type { PlacementInvocation } from '#data-plane/placement/port.ts'
import { createWaiter } from '#data-plane/placement/waiter.ts'
import type { Clock } from '#kernel/clock.ts'

export interface Holding {
  /** Resolves with what `Waiter.resolve` is given, or with what `after` gives once `maxHoldMs` have passed. */
  hold(
    group: Group,
    request: PlacementInvocation,
    after: () => Promise<InvocationResult>,
  ): Promise<InvocationResult>
  /** Takes the one that is held longest; whoever calls it settles it. */
  next(group: Group): Waiter | undefined
  /** Rejects all of the group. */
  reject(group: Group, reason: unknown): void
  readonly length: number
}

export function createHolding(options: { readonly clock: Clock; readonly maxHoldMs: number }): Holding {
  const { clock, maxHoldMs } = options
  let length = 0
  const leave = (group: Group, waiter: Waiter) => {
    if (!group.held.delete(waiter)) return false
    length--
    waiter.leave()
    return true
  }
  const next = (group: Group) => {
    // The warm path asks after every invocation: a look at the size spares it an iterator.
    if (group.held.size === 0) return undefined
    const waiter = group.held.values().next().value
    if (waiter) leave(group, waiter)
    return waiter
  }
  return {
    hold: (group, request, after) =>
      new Promise((resolve, reject) => {
        const waiter = createWaiter({
          request,
          resolve,
          reject,
          clock,
          maxWaitMs: maxHoldMs,
          onTimeout: () => {
            if (leave(group, waiter)) resolve(after())
          },
          onAbort: (reason) => {
            if (leave(group, waiter)) reject(reason)
          },
        })
        group.held.add(waiter)
        length++
      }),
    next,
    reject(group, reason) {
      for (let waiter = next(group); waiter; waiter = next(group)) waiter.reject(reason)
    },
    get length() {
      return length
    },
  }
}
