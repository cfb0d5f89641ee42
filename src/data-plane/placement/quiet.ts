/** Knows when no invocation is under way, and tells whoever waits for that. */
import type { Clock } from '#kernel/clock.ts'

export interface Quiet {
  begins(): void
  ends(): void
  /** Looks again, because fewer wait. */
  note(): void
  /** Resolves when nothing is under way and nothing waits, or when `deadlineMs` have passed. */
  wait(deadlineMs: number): Promise<void>
}

/** `waiting` counts the invocations that have not begun. */
export function createQuiet(options: { readonly clock: Clock; readonly waiting: () => number }): Quiet {
  const { clock, waiting } = options
  const listeners = new Set<() => void>()
  let inFlight = 0
  const note = () => {
    if (inFlight + waiting() > 0) return
    for (const done of listeners) done()
    listeners.clear()
  }
  return {
    begins() {
      inFlight++
    },
    ends() {
      inFlight--
      note()
    },
    note,
    wait: (deadlineMs) =>
      new Promise((resolve) => {
        const cancel = clock.after(deadlineMs, () => {
          listeners.delete(done)
          resolve()
        })
        const done = () => {
          cancel()
          resolve()
        }
        listeners.add(done)
        note()
      }),
  }
}
