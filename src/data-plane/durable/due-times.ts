/** Which execution is due when: a binary heap in which a later time for an execution replaces the earlier one. */
export interface DueTimes<Value> {
  set(id: string, at: number, value: Value): void
  delete(id: string): void
  /** The earliest time, without taking it. */
  peek(): number | undefined
  /** Takes the earliest one that is due at `now`. */
  take(now: number): Value | undefined
  readonly size: number
}

interface Entry<Value> {
  readonly id: string
  readonly at: number
  readonly value: Value
}

export function createDueTimes<Value>(): DueTimes<Value> {
  const heap: Entry<Value>[] = []
  /** The entry of an execution that counts; others of it in the heap are left over. */
  const current = new Map<string, Entry<Value>>()
  const atOf = (index: number) => heap[index]?.at ?? Number.POSITIVE_INFINITY
  const swap = (a: number, b: number) => {
    const [left, right] = [heap[a], heap[b]]
    if (left && right) [heap[a], heap[b]] = [right, left]
  }
  const push = (entry: Entry<Value>) => {
    let at = heap.push(entry) - 1
    while (at > 0 && atOf(at) < atOf((at - 1) >>> 1)) {
      swap(at, (at - 1) >>> 1)
      at = (at - 1) >>> 1
    }
  }
  const pop = () => {
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    heap[0] = last
    for (let at = 0; ;) {
      const child = atOf(2 * at + 1) <= atOf(2 * at + 2) ? 2 * at + 1 : 2 * at + 2
      if (atOf(child) >= atOf(at)) return
      swap(at, child)
      at = child
    }
  }
  const first = () => {
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      if (current.get(top.id) === top) return top
      pop()
    }
    return undefined
  }
  return {
    set(id, at, value) {
      const before = current.get(id)
      if (before?.at === at) return
      const entry = { id, at, value }
      current.set(id, entry)
      push(entry)
      // Entries that were replaced are dropped when they come up, or all at once when they are the most.
      if (heap.length > 64 && heap.length > 4 * current.size) {
        heap.length = 0
        for (const kept of current.values()) push(kept)
      }
    },
    delete: (id) => void current.delete(id),
    peek: () => first()?.at,
    take(now) {
      const top = first()
      if (!top || top.at > now) return undefined
      pop()
      current.delete(top.id)
      return top.value
    },
    get size() {
      return current.size
    },
  }
}
