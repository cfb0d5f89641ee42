/** Which delivery is next: those that are due, lane after lane, no more of one lane at a time than its share. */

export interface ReadyLanes {
  add(lane: string, id: bigint): void
  /** The next one, which then counts as running in its lane; undefined when none may run. */
  take(): { readonly lane: string; readonly id: bigint } | undefined
  /** Told when one of the lane has ended. */
  done(lane: string): void
  clear(): void
}

export function createReadyLanes(maxPerLane: number): ReadyLanes {
  const ready = new Map<string, bigint[]>()
  const running = new Map<string, number>()
  return {
    add(lane, id) {
      const waiting = ready.get(lane)
      if (waiting) waiting.push(id)
      else ready.set(lane, [id])
    },
    take() {
      for (const [lane, waiting] of ready) {
        const now = running.get(lane) ?? 0
        if (now >= maxPerLane) continue
        const id = waiting.shift()
        // To the end, so that every lane gets its turn.
        ready.delete(lane)
        if (waiting.length > 0) ready.set(lane, waiting)
        if (id === undefined) continue
        running.set(lane, now + 1)
        return { lane, id }
      }
      return undefined
    },
    done(lane) {
      const left = (running.get(lane) ?? 1) - 1
      if (left === 0) running.delete(lane)
      else running.set(lane, left)
    },
    clear() {
      ready.clear()
    },
  }
}
