/** Lanes whose deliveries go one after the other: which of them is next, however often it is tried. */

export interface OrderedLanes {
  /** Ids of one lane come in growing order. */
  add(lane: string, id: bigint): void
  isFirst(lane: string, id: bigint): boolean
  /** The one that is first now, when this was. */
  remove(lane: string, id: bigint): bigint | undefined
  clear(): void
}

export function createOrderedLanes(): OrderedLanes {
  const lanes = new Map<string, bigint[]>()
  return {
    add(lane, id) {
      const ids = lanes.get(lane)
      if (ids) ids.push(id)
      else lanes.set(lane, [id])
    },
    isFirst: (lane, id) => lanes.get(lane)?.[0] === id,
    remove(lane, id) {
      const ids = lanes.get(lane)
      if (ids?.[0] !== id) return undefined
      ids.shift()
      if (ids.length === 0) lanes.delete(lane)
      return ids[0]
    },
    clear: () => lanes.clear(),
  }
}
