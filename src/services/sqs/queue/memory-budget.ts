/** What all open queues together keep in memory of their messages. Beyond it messages lie in the log alone. */
import { MIB } from '#kernel/units.ts'

export interface MemoryBudget {
  /** Nothing more than has to be is known of any queue. */
  readonly isFull: boolean
  /** Whether there is room or not. */
  add(bytes: number): void
  /** False when there is no room for the bytes. */
  take(bytes: number): boolean
  give(bytes: number): void
}

const MAX_BYTES = 128 * MIB

export function createMemoryBudget(maxBytes = MAX_BYTES): MemoryBudget {
  let used = 0
  return {
    get isFull() {
      return used >= maxBytes
    },
    add(bytes) {
      used += bytes
    },
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
