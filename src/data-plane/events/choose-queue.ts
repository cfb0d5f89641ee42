/** Which queue an event goes to: shuffle sharding, the less deep of the function's two queues on this node. */
import type { FunctionId } from '#contracts/arn.ts'
import type { Random } from '#kernel/random.ts'

export interface QueueChoice {
  /**
   * The queue to append to. `depthOf` is undefined for a queue that is another node's, whose place the function's next
   * one takes, and infinite for one that takes nothing now. Undefined when none of the function's queues takes anything.
   */
  choose(target: FunctionId, depthOf: (queue: number) => number | undefined): number | undefined
}

const MAX_CACHED_RANKS = 10_000

/** FNV-1a over UTF-16 units, then the finaliser of MurmurHash3, so that every bit of the text reaches every bit. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The queues by rendezvous weight, highest first: the first few stay the same for most keys when the number changes. */
export function rankQueues(key: string, queues: number): readonly number[] {
  return Array.from({ length: queues }, (_, queue) => ({ queue, weight: hash(`${key}/${queue}`) }))
    .toSorted((a, b) => b.weight - a.weight || a.queue - b.queue)
    .map(({ queue }) => queue)
}

/**
 * Two functions share both queues with a chance of 1 : queues × (queues − 1) / 2 of the node's queues, so a flooded function harms next to
 * nobody. Hashed by account and function, since many installations have one account only.
 */
export function createShuffleShards(options: {
  readonly queues: number
  readonly random: Random
  /** Queues of a function on each node. */
  readonly k?: number
  readonly salt?: string
}): QueueChoice {
  const { queues, random, k = 2, salt = '' } = options
  const ranks = new Map<string, Uint8Array>()
  const cached = (key: string) => {
    let rank = ranks.get(key)
    if (!rank) {
      if (ranks.size >= MAX_CACHED_RANKS) ranks.clear()
      ranks.set(key, (rank = Uint8Array.from(rankQueues(key, queues))))
    }
    return rank
  }
  return {
    choose({ account, region, name }, depthOf) {
      let best: { queue: number; depth: number } | undefined
      let left = k
      for (const queue of cached(`${salt}/${account}/${region}/${name}`)) {
        const depth = depthOf(queue)
        if (depth === undefined) continue
        const isFull = depth === Number.POSITIVE_INFINITY
        if (!isFull && (!best || depth < best.depth || (depth === best.depth && random.next() < 0.5))) {
          best = { queue, depth }
        }
        if (--left === 0) break
      }
      return best?.queue
    },
  }
}
