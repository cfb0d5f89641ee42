/**
 * The events of one queue that are in memory, in a lane for each function. Lanes are served in turn, so that the events
 * of one function never stand before those of another; within a lane the one that falls due first comes first.
 */
import { createDueHeap, type DueHeap } from '#queues/due-heap.ts'

/** What the offer of an event led to. */
export type Offered =
  /** It was taken. */
  | 'taken'
  /** It is not there any more, or was put aside: the next one of the lane is offered. */
  | 'gone'
  /** Nothing of this lane until `resume`. */
  | 'held'
  /** Nothing of any lane now. */
  | 'stop'
  /** Nothing of this lane before this time, wall-clock milliseconds. */
  | number

export interface FunctionLanes {
  /** There is nothing at all. */
  readonly isEmpty: boolean
  /** `isFresh`: it has just come. Returns the key as it is kept, so that nobody keeps a second copy. */
  push(key: string, at: number, id: bigint, isFresh: boolean): string
  /** Offers events that are due, lane by lane, until one is taken; false when none is. */
  next(now: number, offer: (id: bigint, at: number | undefined) => Offered): boolean
  /** What was held may be offered again. */
  resume(key: string): void
  /** When the next lane is due, wall-clock milliseconds; held ones are not. */
  nextDueAt(): number | undefined
  /** Its oldest event is behind: fresh ones are served before it (most of the time). */
  isBehind(key: string, now: number): boolean
}

interface Lane {
  readonly key: string
  readonly due: DueHeap
  /** Ids of events that came while the lane was behind, oldest first. */
  fresh: bigint[]
  turns: number
  state: 'ready' | 'waiting' | 'held'
  /** While waiting. */
  wakeAt: number
  notBefore: number
}

/** An event that has lain longer than this is backlog. */
const BACKLOG_AGE_MS = 60_000
const MAX_FRESH = 2_000
/** Every fourth event comes from the backlog while there are fresh ones, so that it does not wait for ever. */
const BACKLOG_TURN = 4
/** Ids begin with the milliseconds at which they were made. */
const ID_TIME_SHIFT = 20n

const ageOf = (id: bigint, now: number): number => now - Number(id >> ID_TIME_SHIFT)

export function createFunctionLanes(): FunctionLanes {
  const lanes = new Map<string, Lane>()
  /** In the order in which they are served. */
  const ready = new Set<Lane>()
  const waiting = createDueHeap<{ readonly at: number; readonly id: bigint; readonly lane: Lane }>()

  const isCurrent = ({ at, lane }: { readonly at: number; readonly lane: Lane }) =>
    lane.state === 'waiting' && lane.wakeAt === at && lanes.get(lane.key) === lane
  const place = (lane: Lane, now: number) => {
    const head = lane.due.peek()
    if (!head) {
      lanes.delete(lane.key)
      return
    }
    const at = Math.max(head.at, lane.notBefore)
    if (at <= now) {
      lane.state = 'ready'
      ready.add(lane)
      return
    }
    lane.state = 'waiting'
    lane.wakeAt = at
    waiting.push({ at, id: head.id, lane })
  }
  const wake = (now: number) => {
    for (;;) {
      const next = waiting.peek()
      if (!next || (next.at > now && isCurrent(next))) return
      waiting.pop()
      if (isCurrent(next)) place(next.lane, now)
    }
  }
  /** A fresh event instead of the old one at the head. */
  const freshInstead = (lane: Lane, headId: bigint, now: number): bigint | undefined => {
    if (lane.fresh.length === 0 || ageOf(headId, now) <= BACKLOG_AGE_MS) return undefined
    if (++lane.turns % BACKLOG_TURN === 0) return undefined
    return lane.fresh.shift()
  }
  /** True: taken. False: nothing of this lane now. */
  const serve = (
    lane: Lane,
    now: number,
    offer: (id: bigint, at: number | undefined) => Offered,
  ): Offered => {
    for (;;) {
      const head = lane.due.peek()
      if (!head || head.at > now) return 'gone'
      const fresh = freshInstead(lane, head.id, now)
      const answer = offer(fresh ?? head.id, fresh === undefined ? head.at : undefined)
      if (answer === 'taken' || answer === 'gone') {
        if (fresh === undefined) lane.due.pop()
      } else if (fresh !== undefined) lane.fresh.unshift(fresh)
      if (answer !== 'gone') return answer
    }
  }

  return {
    get isEmpty() {
      return lanes.size === 0
    },
    push(key, at, id, isFresh) {
      let lane = lanes.get(key)
      if (!lane) {
        lane = {
          key,
          due: createDueHeap(),
          fresh: [],
          turns: 0,
          state: 'waiting',
          wakeAt: Number.POSITIVE_INFINITY,
          notBefore: 0,
        }
        lanes.set(key, lane)
      }
      lane.due.push({ at, id })
      if (isFresh && lane.fresh.length < MAX_FRESH) lane.fresh.push(id)
      if (lane.state === 'waiting' && at < lane.wakeAt) {
        const wakeAt = Math.max(at, lane.notBefore)
        if (wakeAt < lane.wakeAt) {
          lane.wakeAt = wakeAt
          waiting.push({ at: wakeAt, id, lane })
        }
      }
      return lane.key
    },
    next(now, offer) {
      wake(now)
      for (const lane of ready) {
        ready.delete(lane)
        const answer = serve(lane, now, offer)
        if (answer === 'stop') {
          // It keeps its turn for when there is room.
          lane.state = 'ready'
          ready.add(lane)
          return false
        }
        if (answer === 'held') {
          lane.state = 'held'
          continue
        }
        if (typeof answer === 'number') lane.notBefore = answer
        place(lane, now)
        if (answer === 'taken') return true
      }
      return false
    },
    resume(key) {
      const lane = lanes.get(key)
      if (lane?.state !== 'held') return
      lane.state = 'ready'
      ready.add(lane)
    },
    nextDueAt() {
      if (ready.size > 0) return 0
      for (;;) {
        const next = waiting.peek()
        if (!next || isCurrent(next)) return next?.at
        waiting.pop()
      }
    },
    isBehind(key, now) {
      const head = lanes.get(key)?.due.peek()
      return head !== undefined && head.at <= now && ageOf(head.id, now) > BACKLOG_AGE_MS
    },
  }
}
