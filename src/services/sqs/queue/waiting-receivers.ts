/** Receivers that wait for messages: woken when there are some, or when their time is over. */
import type { Clock } from '#kernel/clock.ts'

/** Receivers of one queue; those beyond are answered at once. */
const MAX_WAITING = 20_000

export interface WaitingReceivers {
  /** Resolves when it is woken, after `waitMs`, or when `signal` aborts. False: there is nothing to wait for. */
  wait(waitMs: number, signal: AbortSignal): Promise<boolean>
  /** Wakes one for each visible message, then sets the alarm for the next that becomes visible. */
  serve(visible: number, nextDueAt: number | undefined, alarm: () => void): void
  /** Wakes all of them for good. */
  dismiss(): void
}

export function createWaitingReceivers({ clock }: { readonly clock: Clock }): WaitingReceivers {
  const waiting = new Set<() => void>()
  let cancelAlarm = () => {}
  let isDismissed = false

  return {
    wait(waitMs, signal) {
      if (isDismissed || waiting.size >= MAX_WAITING) return Promise.resolve(false)
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          cancel()
          signal.removeEventListener('abort', wake)
          resolve(!isDismissed)
        }
        const cancel = clock.after(waitMs, wake)
        signal.addEventListener('abort', wake, { once: true })
        waiting.add(wake)
      })
    },
    serve(visible, nextDueAt, alarm) {
      cancelAlarm()
      cancelAlarm = () => {}
      let left = visible
      for (const wake of waiting) {
        if (left-- <= 0) break
        wake()
      }
      if (waiting.size === 0 || nextDueAt === undefined || isDismissed) return
      cancelAlarm = clock.after(Math.max(1, nextDueAt - clock.now()), alarm)
    },
    dismiss() {
      isDismissed = true
      cancelAlarm()
      for (const wake of waiting) wake()
    },
  }
}
