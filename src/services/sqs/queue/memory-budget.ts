/** What all open queues together keep in memory of their messages. Beyond it messages lie in the log alone. */
import { MIB } from '#kernel/units.ts'

export interface MemoryBudget {
  /** False when there is no room for the bytes. */
  take(bytes: number): boolean
  give(bytes: number): void
}

const MAX_BYTES = 128 * MIB

export function createMemoryBudget(maxBytes = MAX_BYTES): MemoryBudget {
  let used = 0
  return {
    take(bytes) {
      if (used + bytes > maxBytes) return false
      used += bytes
      return true
    },
    give(bytes) {
      used -= bytes
    },
  }
}
