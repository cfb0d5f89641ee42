/**
 * Queues of the log that this process owns by lease, taken one by one as they are used, and the ids of their entries.
 *
 * The asynchronous events own a fixed set of queues whose numbers are part of their ids. Named queues come and go and have
 * any number, so their ids carry the number of a lane instead: a place among a few that a process holds by lease, too.
 */
import type { Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'
import { type Lease, type Leases, QUEUE_LEASE_KIND, type QueueLog } from '#store/port.ts'

import { createCommitLane, type CommitLane } from './commit-lane.ts'

/** Kind of the leases of lanes. */
const LANE_LEASE_KIND = 'log-ids'
/** Low bits of an id; those below the first lane belong to the queues of the asynchronous events. */
const LANE_BITS = 8n
const FIRST_LANE = 64
const LANES = 192
/** Numbers within one millisecond. */
const SEQUENCE_BITS = 12n
const MIN_RENEWAL_MS = 250
const MAX_RENEWAL_MS = 2_500
/** A lease is relied on until this long before it ends. */
const LEASE_MARGIN_MS = 500

export interface HeldQueues {
  /** Every write of held queues goes through it. */
  readonly lane: CommitLane
  /** Takes the queue, when nobody else has it; `onLost` is called when it has another owner, or may have. */
  hold(queue: number, onLost: () => void): Promise<boolean>
  release(queue: number): Promise<void>
  isHeld(queue: number): boolean
  /** A new id, greater than every one before; undefined while this process has no lane. */
  nextId(): bigint | undefined
  /** The id that is less than every one that is made at that time or later, and greater than those before. */
  idAt(nowMs: number): bigint
  /** Ids to come are greater than this one. */
  advancePast(id: bigint): void
  start(): Promise<void>
  /** Finishes what is being written, then gives everything back. */
  stop(): Promise<void>
}

export function createHeldQueues(options: {
  readonly queueLog: QueueLog
  readonly leases: Leases
  readonly clock: Clock
  readonly logger: Logger
}): HeldQueues {
  const { queueLog, leases, clock, logger } = options
  const held = new Map<number, { lease: Lease; readonly onLost: () => void }>()
  const taking = new Map<number, Promise<boolean>>()
  let ids: Lease | undefined
  let lastTick = 0n
  let cancel = () => {}
  let isStopped = false

  const isGood = (lease: Lease | undefined) =>
    lease !== undefined && clock.monotonic() < lease.until - LEASE_MARGIN_MS
  const isHeld = (queue: number) => isGood(held.get(queue)?.lease)
  const lane = createCommitLane({
    queueLog,
    epochOf: (queue) => (isHeld(queue) ? held.get(queue)?.lease.epoch : undefined),
  })

  const lanes = Array.from({ length: LANES }, (_, index) => String(FIRST_LANE + index))
  const takeLane = async () => {
    ids = (await leases.acquire(LANE_LEASE_KIND, 1, lanes))[0]
    if (!ids) logger.error('Every lane of log ids is taken: too many processes share this store')
  }
  const renew = async () => {
    // What is taken meanwhile is not lost.
    const before = [...held]
    const all = [...before.map(([, { lease }]) => lease), ...(ids ? [ids] : [])]
    const renewed = await leases.renew(all)
    const byKey = new Map(renewed.map((lease) => [`${lease.kind}/${lease.key}`, lease]))
    ids = ids && byKey.get(`${LANE_LEASE_KIND}/${ids.key}`)
    if (!ids) await takeLane()
    for (const [queue, mine] of before) {
      if (held.get(queue) !== mine) continue
      const lease = byKey.get(`${QUEUE_LEASE_KIND}/${queue}`)
      if (lease) {
        mine.lease = lease
        continue
      }
      held.delete(queue)
      logger.warn('The ownership of a queue was lost', { queue })
      mine.onLost()
    }
  }
  const renewLater = () => {
    const until = Math.min(...[...held.values()].map(({ lease }) => lease.until), ids?.until ?? Infinity)
    const quarterMs = (until - clock.monotonic()) / 4
    const afterMs = Math.min(MAX_RENEWAL_MS, Math.max(MIN_RENEWAL_MS, quarterMs))
    cancel = clock.after(afterMs, () => {
      renew()
        .catch((error: unknown) => logger.warn('The leases of queues could not be renewed', { error }))
        .finally(() => {
          if (!isStopped) renewLater()
        })
    })
  }
  const take = async (queue: number, onLost: () => void) => {
    const key = String(queue)
    await leases.define(QUEUE_LEASE_KIND, [key])
    const [lease] = await leases.acquire(QUEUE_LEASE_KIND, 1, [key])
    if (!lease) return false
    held.set(queue, { lease, onLost })
    return true
  }

  return {
    lane,
    isHeld,
    async hold(queue, onLost) {
      if (held.has(queue)) return isHeld(queue)
      let waiting = taking.get(queue)
      if (!waiting) {
        waiting = take(queue, onLost).finally(() => taking.delete(queue))
        taking.set(queue, waiting)
      }
      return await waiting
    },
    async release(queue) {
      const mine = held.get(queue)
      if (!mine) return
      held.delete(queue)
      await leases.release(mine.lease)
    },
    nextId() {
      if (!ids || !isGood(ids)) return undefined
      const now = BigInt(Math.floor(clock.now())) << SEQUENCE_BITS
      // Grows also when the clock steps back.
      lastTick = now > lastTick ? now : lastTick + 1n
      return (lastTick << LANE_BITS) | BigInt(ids.key)
    },
    idAt: (nowMs) => (BigInt(Math.floor(nowMs)) << SEQUENCE_BITS) << LANE_BITS,
    advancePast(id) {
      const tick = id >> LANE_BITS
      if (tick > lastTick) lastTick = tick
    },
    async start() {
      await leases.define(LANE_LEASE_KIND, lanes)
      await takeLane()
      renewLater()
    },
    async stop() {
      if (isStopped) return
      isStopped = true
      cancel()
      await lane.idle()
      const all = [...[...held.values()].map(({ lease }) => lease), ...(ids ? [ids] : [])]
      held.clear()
      ids = undefined
      await Promise.allSettled(all.map((lease) => leases.release(lease)))
    },
  }
}
