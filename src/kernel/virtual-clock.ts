import type { Clock } from '#kernel/clock.ts'

interface Pending {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** A clock that moves only when told to: the test's clock. Timers run in time order, then in the order they were set. */
export interface VirtualClock extends Clock {
  /** Moves time forward by `ms`, running every timer that falls due, and lets promises settle after each one. */
  advance(ms: number): Promise<void>
  /** How many timers are waiting. */
  readonly pendingTimers: number
}

export function createVirtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let elapsed = 0
  let order = 0
  let pending: Pending[] = []
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    after(delayMs, run) {
      const entry: Pending = { at: elapsed + Math.max(0, delayMs), order: order++, run }
      pending.push(entry)
      return () => {
        pending = pending.filter((other) => other !== entry)
      }
    },
    async advance(ms) {
      const until = elapsed + ms
      await settle()
      for (;;) {
        const due = pending
          .filter((entry) => entry.at <= until)
          .toSorted((a, b) => a.at - b.at || a.order - b.order)[0]
        if (!due) break
        pending = pending.filter((entry) => entry !== due)
        elapsed = Math.max(elapsed, due.at)
        due.run()
        await settle()
      }
      elapsed = until
      await settle()
    },
    get pendingTimers() {
      return pending.length
    },
  }
}
