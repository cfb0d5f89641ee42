/** What falls due in the order of its time; a binary heap. */

export interface Due {
  /** Wall-clock milliseconds. */
  readonly at: number
  readonly id: bigint
}

export interface DueHeap<T extends Due = Due> {
  push(due: T): void
  peek(): T | undefined
  pop(): T | undefined
  readonly size: number
}

const before = (a: Due, b: Due) => a.at < b.at || (a.at === b.at && a.id < b.id)

export function createDueHeap<T extends Due = Due>(): DueHeap<T> {
  const heap: T[] = []
  const swap = (a: number, b: number) => {
    const [left, right] = [heap[a], heap[b]]
    if (left && right) [heap[a], heap[b]] = [right, left]
  }
  const isBefore = (a: number, b: number) => {
    const [left, right] = [heap[a], heap[b]]
    return left !== undefined && right !== undefined && before(left, right)
  }
  return {
    push(due) {
      let at = heap.push(due) - 1
      while (at > 0) {
        const parent = (at - 1) >>> 1
        if (!isBefore(at, parent)) break
        swap(at, parent)
        at = parent
      }
    },
    peek: () => heap[0],
    pop() {
      const first = heap[0]
      const last = heap.pop()
      if (first === undefined || last === undefined || heap.length === 0) return first
      heap[0] = last
      for (let at = 0; ;) {
        let least = at
        for (const child of [2 * at + 1, 2 * at + 2]) if (isBefore(child, least)) least = child
        if (least === at) return first
        swap(at, least)
        at = least
      }
    },
    get size() {
      return heap.length
    },
  }
}
