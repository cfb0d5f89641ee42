/** The asynchronous event queues of one node: it owns some of them by lease, appends in groups, serves from memory. */
import type { AsyncEvent } from '#contracts/event.ts'
import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import { type Clock, sleep } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { EventLease, EventQueues, EventReceipt } from '#data-plane/events/port.ts'
import type { Logger, Metrics } from '#observability/port.ts'
import {
  type Lease,
  type Leases,
  QUEUE_LEASE_KIND,
  type QueueLog,
  StoreAway,
  StoreBusy,
} from '#store/port.ts'

import { createShuffleShards, type QueueChoice } from './choose-queue.ts'
import { createCommitLane, type LaneAnswer, type LaneWork } from '#queues/commit-lane.ts'
import { encodeHead } from './event-codec.ts'
import { openGate, type DispatchGate } from './dispatch-gate.ts'
import {
  createOwnedQueue,
  functionKeyOf,
  MAX_QUEUES,
  type OwnedQueue,
  type QueueWindow,
} from './owned-queue.ts'
import { createSidelines } from './sidelines.ts'

/** Longer than any function may run (5,400 s), so that a lease runs out only when its holder is broken. */
const LEASE_TIMEOUT_MS = 6_000_000
/** Events that one queue takes; a function has two queues of those that all share, and of its own it may fill one. */
const MAX_QUEUE_DEPTH = 200_000
const MAX_SIDELINE_DEPTH = 1_000_000
/** Found at the start, this many events are the backlog of an outage. */
const OUTAGE_DEPTH = 1_000
/** While no slot is free the queues are looked at this often, should nobody say that one is. */
const NO_SLOT_LOOK_MS = 250
/** Functions that are offered a slot again each time that one may be free for them. */
const MAX_RESUMED = 32
const MIN_RESUMED = 2
/** Leases are renewed after a quarter of their time, within these bounds, and given up this long before they end. */
const MIN_RENEWAL_MS = 250
const MAX_RENEWAL_MS = 2_500
const LEASE_MARGIN_MS = 500
const MAX_SETTLE_BACKOFF_MS = 5_000
/** For how long a queue that is to be handed over holds its events back for what still runs. */
const MAX_LEAVING_MS = 5_000
const STAYING_MS = 60_000
/** For how long a start waits for a first queue, where other nodes own them all. */
const FIRST_QUEUE_MS = 10_000

interface Owned {
  readonly state: OwnedQueue
  lease: Lease
  appending: number
  /** Monotonic milliseconds until which it takes and gives nothing new, so that it can be handed over. */
  leavesUntil: number | undefined
  /** Monotonic milliseconds until which it is not handed over. */
  staysUntil: number
}

interface Waiter {
  readonly max: number
  readonly resolve: (leases: readonly EventLease[]) => void
}

const queueFull = () =>
  new LambdaError('TooManyRequestsException', 'The queue of asynchronous events is full, try again later', {
    status: 429,
    members: { Reason: 'CallerRateLimitExceeded' },
    headers: { 'Retry-After': '1' },
  })

export function createEventQueues(options: {
  readonly queueLog: QueueLog
  readonly leases: Leases
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  readonly metrics?: Metrics
  /** Queues of the cell; the same on every node and never changed while events are stored. */
  readonly queues?: number
  /** Queues beside them that a noisy function gets to itself; fixed as they are. */
  readonly sidelineQueues?: number
  readonly choice?: QueueChoice
  /** Left out: whoever asks gets what is due. */
  readonly gate?: DispatchGate
  /** How many nodes share the queues now; left out: this is the only one. */
  readonly nodes?: () => number
  readonly leaseTimeoutMs?: number
  readonly maxQueueDepth?: number
  readonly window?: QueueWindow
}): EventQueues {
  const { queueLog, leases, clock, random, logger, metrics, window } = options
  const { leaseTimeoutMs = LEASE_TIMEOUT_MS, maxQueueDepth = MAX_QUEUE_DEPTH, gate = openGate } = options
  const { queues: shared = 32, sidelineQueues = 0 } = options
  const queues = shared + sidelineQueues
  if (!(shared >= 1 && queues <= MAX_QUEUES))
    throw new RangeError(`There are 1 to ${MAX_QUEUES} queues, not ${queues}`)
  const keys = Array.from({ length: queues }, (_, queue) => String(queue))
  /** Each shared out by itself, so that every node has some of both. */
  const groups = [keys.slice(0, shared), keys.slice(shared)]
  const choice = options.choice ?? createShuffleShards({ queues: shared, random })
  const sidelines = createSidelines({
    queues: Array.from({ length: sidelineQueues }, (_, n) => shared + n),
    clock,
    capacity: gate.capacity,
  })
  /** Functions that wait for others to leave slots, the longest first. */
  const crowded = new Set<string>()
  const owned = new Map<number, Owned>()
  const waiters = new Set<Waiter>()
  const stopping = new AbortController()
  let running = false
  let turn = 0
  let cancelHousekeeping = () => {}
  let cancelWake = () => {}
  let idle: (() => void) | undefined

  /** The queue, while the lease may be relied on. */
  const held = (queue: number) => {
    const mine = owned.get(queue)
    return mine && clock.monotonic() < mine.lease.until - LEASE_MARGIN_MS ? mine : undefined
  }
  /** The queue, while it takes and gives events. */
  const serving = (queue: number) => {
    const mine = held(queue)
    return mine?.leavesUntil === undefined ? mine : undefined
  }
  const lane = createCommitLane({ queueLog, epochOf: (queue) => held(queue)?.state.epoch })
  const depth = () => [...owned.values()].reduce((sum, { state }) => sum + state.depth, 0)
  const leasedCount = () => [...owned.values()].reduce((sum, { state }) => sum + state.leased, 0)
  const report = () => metrics?.gauge('lambent_async_events', depth())

  const discard = ({ state }: Owned) => {
    owned.delete(state.queue)
    sidelines.lost(state.queue)
    state.discard()
  }
  const lose = (queue: number) => {
    const mine = owned.get(queue)
    if (!mine) return
    discard(mine)
    logger?.warn('The ownership of a queue was lost', { queue, epoch: mine.state.epoch })
  }

  const resume = (key: string) => {
    for (const { state } of owned.values()) state.resume(key)
  }
  const resumeCrowded = () => {
    if (crowded.size === 0 || gate.free() === 0) return
    // One after the other also while there is little room: those of an account take turns.
    const some = gate.isRoomy() ? MAX_RESUMED : MIN_RESUMED
    for (const key of [...crowded].slice(0, some)) {
      crowded.delete(key)
      resume(key)
    }
  }
  /** Up to `max` due events, one queue after the other, beginning where the last call ended. */
  const collect = (max: number): readonly EventLease[] => {
    const taken: EventLease[] = []
    let empty = 0
    resumeCrowded()
    while (taken.length < max && empty < queues) {
      const mine = serving(turn)
      const next = mine?.state.take()
      turn = (turn + 1) % queues
      if (!mine || !next) {
        empty++
        continue
      }
      empty = 0
      taken.push({
        event: next.event,
        receipt: { queue: mine.state.queue, id: next.id, epoch: mine.state.epoch },
      })
    }
    return taken
  }
  /** Serves those who wait, then sets the alarm for the next event that falls due. */
  const pump = () => {
    cancelWake()
    if (!running) return
    for (const waiter of waiters) {
      const taken = collect(waiter.max)
      if (taken.length === 0) break
      waiters.delete(waiter)
      waiter.resolve(taken)
    }
    if (waiters.size === 0) return
    if (gate.free() === 0) {
      cancelWake = clock.after(NO_SLOT_LOOK_MS, pump)
      return
    }
    let nextDueAt = Number.POSITIVE_INFINITY
    for (const { state } of owned.values()) nextDueAt = Math.min(nextDueAt, state.nextDueAt() ?? nextDueAt)
    if (nextDueAt < Number.POSITIVE_INFINITY) {
      // At least a millisecond: what is due but can't be taken (a lapsed lease) must not spin.
      cancelWake = clock.after(Math.max(1, nextDueAt - clock.now()), pump)
    }
  }
  const dismissWaiters = () => {
    for (const waiter of waiters) waiter.resolve([])
    waiters.clear()
  }

  const own = async (lease: Lease) => {
    const queue = Number(lease.key)
    const state = createOwnedQueue({
      queue,
      epoch: lease.epoch,
      queueLog,
      clock,
      leaseTimeoutMs,
      window,
      logger,
      gate,
      onReady: pump,
      onFreed: resume,
      onCrowded: (key) => crowded.add(key),
      onRemoved: sidelines.done,
    })
    try {
      await state.open()
    } catch (error) {
      logger?.error('A queue could not be opened and is tried again', { queue, error })
      state.discard()
      await leases.release(lease)
      return
    }
    owned.set(queue, { state, lease, appending: 0, leavesUntil: undefined, staysUntil: 0 })
    pump()
  }
  /**
   * Hands over the queues above this node's share, those with the least under way first. What runs is settled by the owner
   * alone, so a queue leaves when nothing of it runs; one that can't for a while serves on.
   */
  const giveBack = async (mine: readonly Owned[], surplus: number) => {
    const now = clock.monotonic()
    const underWay = ({ state, appending }: Owned) => state.leased + appending
    const leaving = mine
      .filter((one) => now >= one.staysUntil)
      .toSorted((a, b) => underWay(a) - underWay(b))
      .slice(0, Math.max(0, surplus))
    for (const one of mine) if (!leaving.includes(one)) one.leavesUntil = undefined
    for (const one of leaving) {
      if (underWay(one) === 0) {
        discard(one)
        await leases.release(one.lease)
      } else if (one.leavesUntil !== undefined && one.leavesUntil < now) {
        one.leavesUntil = undefined
        one.staysUntil = now + STAYING_MS
      } else one.leavesUntil ??= now + MAX_LEAVING_MS
    }
  }
  const lookAfterLeases = async () => {
    const renewed = await leases.renew([...owned.values()].map(({ lease }) => lease))
    const byKey = new Map(renewed.map((lease) => [lease.key, lease]))
    for (const [queue, mine] of owned) {
      const lease = byKey.get(mine.lease.key)
      if (lease && lease.epoch === mine.state.epoch) mine.lease = lease
      else lose(queue)
    }
    for (const group of groups) {
      const share = Math.ceil(group.length / Math.max(1, options.nodes?.() ?? 1))
      const mine = group.flatMap((key) => owned.get(Number(key)) ?? [])
      await giveBack(mine, mine.length - share)
      if (mine.length >= share) continue
      // Queues of other components have leases of the same kind.
      const fresh = await leases.acquire(QUEUE_LEASE_KIND, share - mine.length, group)
      await Promise.all(fresh.map(own))
    }
  }
  const housekeeping = async () => {
    try {
      await lookAfterLeases()
      for (const { state } of owned.values()) {
        const expired = state.expireLeases()
        if (expired > 0)
          logger?.error('Events were leased too long and come back', { queue: state.queue, expired })
      }
      report()
      pump()
    } catch (error) {
      logger?.warn('The leases of the queues could not be renewed', { error })
    }
    // Goes on while draining: what is in flight can only be settled by the owner.
    if (stopping.signal.aborted) return
    const until = Math.min(...[...owned.values()].map(({ lease }) => lease.until))
    const quarterMs = (until - clock.monotonic()) / 4
    const afterMs = Math.min(MAX_RENEWAL_MS, Math.max(MIN_RENEWAL_MS, quarterMs))
    cancelHousekeeping = clock.after(afterMs, () => void housekeeping())
  }

  const queueFor = (event: AsyncEvent, key: string, depthOf: (queue: number) => number | undefined) => {
    const room = (queue: number) => {
      const load = depthOf(queue)
      return load === Number.POSITIVE_INFINITY ? undefined : load
    }
    const own = sidelines.queueFor(key, room)
    if (own === undefined || !serving(own)) return choice.choose(event.target, depthOf)
    // When it is full the function has had enough: it does not fall back on those that all share.
    return room(own) === undefined ? undefined : own
  }
  const append = async (queue: number, event: AsyncEvent): Promise<LaneAnswer> => {
    const mine = serving(queue)
    if (!mine) return 'fenced'
    const { state } = mine
    const id = state.nextId()
    const visibleAt = clock.now()
    mine.appending++
    try {
      const entry = { id, queue, visibleAt, head: encodeHead(event), payload: event.payload }
      const answer = await lane.submit({ kind: 'append', entry })
      if (answer === 'committed') state.appended(id, visibleAt, event)
      return answer
    } finally {
      mine.appending--
    }
  }
  /** Writes until it is written or the queue is somebody else's: a settled event must not come back by our doing. */
  const settle = async ({ queue, id, epoch }: EventReceipt, work: LaneWork): Promise<boolean> => {
    const mine = owned.get(queue)
    // An old receipt: the queue changed hands, and its new owner decides about the event.
    if (mine?.state.epoch !== epoch || !mine.state.beginSettling(id)) return false
    for (let backoffMs = 100; ; backoffMs = Math.min(2 * backoffMs, MAX_SETTLE_BACKOFF_MS)) {
      try {
        const answer = await lane.submit(work)
        if (answer === 'committed') return true
        lose(queue)
        return false
      } catch (error) {
        logger?.warn('The outcome of an event could not be stored and is tried again', { queue, error })
        await sleep(clock, backoffMs, stopping.signal)
      }
    }
  }
  const afterSettling = () => {
    if (idle && leasedCount() === 0) idle()
    pump()
  }

  return {
    async start() {
      if (stopping.signal.aborted) throw new Error('Stopped queues do not start again')
      if (running) return
      await leases.define(QUEUE_LEASE_KIND, keys)
      running = true
      await housekeeping()
      const deadline = clock.monotonic() + (options.nodes ? FIRST_QUEUE_MS : 0)
      while (owned.size === 0 && clock.monotonic() < deadline) await sleep(clock, 50, stopping.signal)
      if (depth() > OUTAGE_DEPTH) gate.startSlowly()
    },
    async enqueue(given) {
      if (!running) throw serviceFailure('The queue of asynchronous events is not running')
      // A small view would keep the large buffer it came in alive for as long as the event waits.
      const whole = given.payload.byteLength === given.payload.buffer.byteLength
      const event = whole ? given : { ...given, payload: Uint8Array.from(given.payload) }
      const depthOf = (queue: number) => {
        const mine = serving(queue)
        if (!mine) return undefined
        const load = mine.state.depth + mine.appending
        const limit = queue < shared ? maxQueueDepth : Math.max(maxQueueDepth, MAX_SIDELINE_DEPTH)
        return load < limit ? load : Number.POSITIVE_INFINITY
      }
      const key = functionKeyOf(event.target)
      // Twice, since a queue may be found to have another owner just then.
      for (let attempt = 0; attempt < 2; attempt++) {
        const queue = queueFor(event, key, depthOf)
        if (queue === undefined) break
        const answer = await append(queue, event).catch((error: unknown) => {
          if (error instanceof StoreBusy) return 'full'
          // It may be stored, and then only who reads the queue anew knows of it.
          if (error instanceof StoreAway) lose(queue)
          logger?.error('An event could not be stored', { queue, error })
          throw serviceFailure('The event could not be stored', error)
        })
        if (answer === 'committed') {
          sidelines.arrived(key)
          metrics?.count('lambent_async_events_received_total')
          pump()
          return
        }
        if (answer === 'full') break
        lose(queue)
      }
      metrics?.count('lambent_async_events_refused_total')
      throw owned.size === 0 ? serviceFailure('No queue takes asynchronous events now') : queueFull()
    },
    lease(max, signal) {
      if (!running || signal.aborted || max < 1) return Promise.resolve([])
      return new Promise((resolve) => {
        const waiter: Waiter = {
          max,
          resolve(taken) {
            signal.removeEventListener('abort', onAbort)
            resolve(taken)
          },
        }
        const onAbort = () => {
          waiters.delete(waiter)
          waiter.resolve([])
        }
        signal.addEventListener('abort', onAbort, { once: true })
        waiters.add(waiter)
        pump()
      })
    },
    mayBegin: ({ queue, id, epoch }) => {
      const mine = owned.get(queue)
      if (mine?.state.epoch !== epoch || !mine.state.isLeased(id)) return false
      if (held(queue)) return true
      // The lease may be renewed yet.
      mine.state.giveBack(id)
      return false
    },
    async complete(receipt, outcome = 'ran') {
      const { queue, id } = receipt
      if (await settle(receipt, { kind: 'remove', queue, id })) owned.get(queue)?.state.removed(id, outcome)
      afterSettling()
    },
    async retry(receipt, visibleAt, event, outcome = 'none') {
      const { queue, id } = receipt
      const move = { queue, id, visibleAt, head: encodeHead(event) }
      if (await settle(receipt, { kind: 'move', move }))
        owned.get(queue)?.state.moved(id, visibleAt, event, outcome)
      afterSettling()
    },
    depth,
    get owned() {
      return owned.size
    },
    async drain(deadlineMs) {
      running = false
      dismissWaiters()
      const deadline = Promise.withResolvers<void>()
      const settled = Promise.withResolvers<void>()
      idle = settled.resolve
      if (leasedCount() === 0) settled.resolve()
      const cancel = clock.after(deadlineMs, deadline.resolve)
      await Promise.race([settled.promise.then(() => lane.idle()), deadline.promise])
      cancel()
    },
    async stop() {
      running = false
      cancelHousekeeping()
      cancelWake()
      dismissWaiters()
      if (stopping.signal.aborted) return
      stopping.abort(new Error('The event queues were stopped'))
      await lane.idle()
      const held = [...owned.values()]
      owned.clear()
      for (const { state } of held) state.discard()
      await Promise.allSettled(held.map(({ lease }) => leases.release(lease)))
    },
  }
}
