import { serviceFailure, throttled } from '#contracts/errors.ts'
import type { InvocationResult } from '#contracts/invocation.ts'
import type { Group, Waiter } from '#data-plane/placement/groups.ts'
import type { PlacementInvocation } from '#data-plane/placement/port.ts'
import type { StartQueue } from '#data-plane/placement/start-queue.ts'
import { createWaiter } from '#data-plane/placement/waiter.ts'
import type { Clock } from '#kernel/clock.ts'

/** What Lambda answers when it can't provide another environment. */
export const noRoom = () => throttled('ConcurrentInvocationLimitExceeded')

/** There will never be room for one of this size. */
export const neverFits = (memoryMiB: number, maxMemoryMiB: number) =>
  serviceFailure(
    `The function needs ${memoryMiB} MB of memory; this host gives environments ${maxMemoryMiB} MB in all`,
  )

/** Invocations without an environment, in order of arrival for each function version. */
export interface WaitingLine {
  /** Resolves with what `Waiter.resolve` is given; rejects when the client hangs up or `maxWaitMs` have passed. */
  wait(group: Group, request: PlacementInvocation): Promise<InvocationResult>
  /** Takes the next in line out; whoever calls it settles it. */
  next(group: Group): Waiter | undefined
  /** Rejects the `count` that have waited longest. */
  reject(group: Group, count: number, reason: unknown): void
  readonly length: number
}

/** `onLeft` is called after a waiter of the group was rejected. */
export function createWaitingLine(options: {
  readonly clock: Clock
  readonly maxWaitMs: number
  readonly queue: StartQueue
  readonly onLeft: (group: Group) => void
}): WaitingLine {
  const { clock, maxWaitMs, queue, onLeft } = options
  let length = 0

  const leave = (group: Group, waiter: Waiter) => {
    if (!group.waiters.delete(waiter)) return false
    length--
    waiter.leave()
    // Starts that have not begun are dropped when nobody is left to wait for them; those under way become idle.
    while (group.queued > 0 && group.queued + group.starting > group.waiters.size) queue.take(group)
    return true
  }
  const next = (group: Group) => {
    const waiter = group.waiters.values().next().value
    if (waiter) leave(group, waiter)
    return waiter
  }

  return {
    wait: (group, request) =>
      new Promise((resolve, reject) => {
        const giveUp = (reason: unknown) => {
          if (!leave(group, waiter)) return
          reject(reason)
          onLeft(group)
        }
        const waiter = createWaiter({
          request,
          resolve,
          reject,
          clock,
          maxWaitMs,
          onTimeout: () => giveUp(noRoom()),
          onAbort: giveUp,
        })
        group.waiters.add(waiter)
        length++
      }),
    next,
    reject(group, count, reason) {
      for (let left = count; left > 0; left--) next(group)?.reject(reason)
      onLeft(group)
    },
    get length() {
      return length
    },
  }
}
