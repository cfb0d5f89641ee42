/** A virtual clock for simulations with millions of timers: runs by itself, and settles promises once for each instant. */
import type { Clock } from '#kernel/clock.ts'
import { createDueHeap } from '#queues/due-heap.ts'

export interface FastClock extends Clock {
  /** Runs everything that falls due until then. */
  runUntil(elapsedMs: number): Promise<void>
}

export function createFastClock(startMs = Date.UTC(2026, 0, 1)): FastClock {
  const timers = createDueHeap<{ readonly at: number; readonly id: bigint; run: (() => void) | undefined }>()
  let elapsed = 0
  let order = 0n
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    after(delayMs, run) {
      const timer = { at: elapsed + Math.max(0, delayMs), id: order++, run: run as (() => void) | undefined }
      timers.push(timer)
      return () => {
        timer.run = undefined
      }
    },
    async runUntil(untilMs) {
      await settle()
      for (;;) {
        const next = timers.peek()
        if (!next || next.at > untilMs) break
        // Most timers are cancelled before they run.
        if (!next.run) {
          timers.pop()
          continue
        }
        elapsed = Math.max(elapsed, next.at)
        for (let due = timers.peek(); due && due.at <= elapsed; due = timers.peek()) {
          timers.pop()
          due.run?.()
        }
        await settle()
      }
      elapsed = untilMs
      await settle()
    },
  }
}
