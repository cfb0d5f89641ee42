/** The newest starts of environments, with where their milliseconds went. */
import type { StartReport } from '#data-plane/worker/port.ts'

const MAX_STARTS = 200

export interface StartHistory {
  add(report: StartReport): void
  /** Newest first. */
  list(): readonly StartReport[]
}

export function createStartHistory(): StartHistory {
  const starts: StartReport[] = []
  return {
    add(report) {
      starts.push(report)
      if (starts.length > MAX_STARTS) starts.shift()
    },
    list: () => starts.toReversed(),
  }
}
