/** Time as a port: everything that waits or stamps takes a `Clock`, so that tests run in virtual time. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. May step; never use it to measure a duration. */
  now(): number
  /** Monotonic milliseconds with a fraction, from an arbitrary origin. Never steps; use it for durations and deadlines. */
  monotonic(): number
  /**
   * Calls `run` once after `delayMs`. Returns a function that cancels it (and does nothing if it already ran).
   * The timer does not keep the process alive.
   */
  after(delayMs: number, run: () => void): () => void
}

/** Longest delay that a Node timer takes (2^31 - 1 ms); a longer one would fire at once. */
const MAX_TIMER_MS = 2_147_483_647

/** The real clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), MAX_TIMER_MS))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Resolves after `delayMs` on `clock`; rejects with the signal's reason when `signal` aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    const onAbort = () => {
      cancel()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
