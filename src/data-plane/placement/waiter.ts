/** An invocation that waits: it is told when its time is over and when its client hangs up, until it leaves. */
import type { Waiter } from '#data-plane/placement/groups.ts'
import type { Clock } from '#kernel/clock.ts'

/** Starts the timer and listens to the request's signal; `leave` of the waiter ends both. */
export function createWaiter(
  parts: Pick<Waiter, 'request' | 'resolve' | 'reject'> & {
    readonly clock: Clock
    readonly maxWaitMs: number
    readonly onTimeout: () => void
    /** `reason` is the signal's. */
    readonly onAbort: (reason: unknown) => void
  },
): Waiter {
  const { request, resolve, reject, clock, maxWaitMs, onTimeout } = parts
  const { signal } = request
  const onAbort = () => parts.onAbort(signal?.reason)
  const cancelTimer = clock.after(maxWaitMs, onTimeout)
  signal?.addEventListener('abort', onAbort, { once: true })
  return {
    request,
    since: clock.monotonic(),
    resolve,
    reject,
    leave() {
      cancelTimer()
      signal?.removeEventListener('abort', onAbort)
    },
  }
}
