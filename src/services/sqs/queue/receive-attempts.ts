/** Receptions of FIFO queues by the id that their client gave them: asked again, they get the same messages again. */
import type { Clock } from '#kernel/clock.ts'
import { MINUTE_MS } from '#kernel/units.ts'

import type { Entry } from './entry.ts'
import type { MessageIndex } from './message-index.ts'

const REMEMBERED_MS = 5 * MINUTE_MS
const MAX_REMEMBERED = 10_000

export interface ReceiveAttempts {
  keep(attemptId: string, entries: readonly Entry[]): void
  /** The messages of that attempt; undefined when there was none, or any of them has been changed since. */
  find(attemptId: string, index: Pick<MessageIndex, 'get'>): readonly Entry[] | undefined
  clear(): void
}

interface Attempt {
  readonly untilMs: number
  readonly taken: readonly { readonly entry: Entry; readonly receipt: number | undefined }[]
}

export function createReceiveAttempts({ clock }: { readonly clock: Clock }): ReceiveAttempts {
  const attempts = new Map<string, Attempt>()
  return {
    keep(attemptId, entries) {
      attempts.delete(attemptId)
      const oldest = attempts.size >= MAX_REMEMBERED ? attempts.keys().next().value : undefined
      if (oldest !== undefined) attempts.delete(oldest)
      const taken = entries.map((entry) => ({ entry, receipt: entry.receipt }))
      attempts.set(attemptId, { untilMs: clock.monotonic() + REMEMBERED_MS, taken })
    },
    find(attemptId, index) {
      const attempt = attempts.get(attemptId)
      if (!attempt) return undefined
      const isWhole = attempt.taken.every(
        ({ entry, receipt }) =>
          index.get(entry.id) === entry && entry.state === 'inFlight' && entry.receipt === receipt,
      )
      if (isWhole && attempt.untilMs > clock.monotonic()) return attempt.taken.map(({ entry }) => entry)
      attempts.delete(attemptId)
      return undefined
    },
    clear: () => attempts.clear(),
  }
}
