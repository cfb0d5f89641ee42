/** Starts that wait for their turn: one of each function version in turn, so that a burst of one delays no other. */
import type { Group } from '#data-plane/placement/groups.ts'

export interface StartQueue {
  add(group: Group): void
  /** Takes one start of the group out, because it begins or because nobody waits for it any more. */
  take(group: Group): void
  /** Takes all starts of the group out. */
  clear(group: Group): void
  /** Lets the others go first. */
  postpone(group: Group): void
  readonly next: Group | undefined
  /** How many function versions have starts in the queue. */
  readonly groups: number
}

export function createStartQueue(): StartQueue {
  const turn = new Set<Group>()
  return {
    add(group) {
      group.queued++
      turn.add(group)
    },
    take(group) {
      if (group.queued === 0) return
      group.queued--
      turn.delete(group)
      if (group.queued > 0) turn.add(group)
    },
    clear(group) {
      group.queued = 0
      turn.delete(group)
    },
    postpone(group) {
      if (turn.delete(group)) turn.add(group)
    },
    get next() {
      return turn.values().next().value
    },
    get groups() {
      return turn.size
    },
  }
}
