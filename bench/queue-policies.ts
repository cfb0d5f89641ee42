/**
 * The classic ways to share queues, as a small discrete-event model, so that there is something to compare with: first
 * in, first out within each queue, work-conserving slots that serve the queues in turn, and nothing else.
 */
import { seededRandom } from '#kernel/random.ts'
import { createDueHeap } from '#queues/due-heap.ts'
import { rankQueues } from '#data-plane/events/choose-queue.ts'

import type { Noise } from '../test/support/noisy-neighbours.ts'

export interface ModelResult {
  readonly p99Ms: number
  readonly maxMs: number
  readonly affected: number
}

const TENANTS = 500
const SLOTS = 50
const SERVICE_MS = 50
const CAPACITY = (SLOTS * 1000) / SERVICE_MS
const HANG_MS = 10_000
const RETRY_MS = 1_000

/** A queue that is read from the front without moving the rest. */
interface Fifo {
  items: { readonly tenant: number; readonly at: number }[]
  from: number
}
type Happening =
  | { readonly kind: 'arrives'; readonly tenant: number; readonly since: number }
  | { readonly kind: 'ends'; readonly tenant: number }

export function simulatePolicy(options: {
  readonly policy: 'single queue' | 'random queue' | 'hash, one queue' | 'shuffle, best of two'
  readonly noise: Noise
  readonly factor: number
  readonly noiseMs: number
  readonly watchMs: number
  readonly seed: number
}): ModelResult {
  const { policy, noise, factor, noiseMs, watchMs, seed } = options
  const random = seededRandom(seed)
  const count = policy === 'single queue' ? 1 : 32
  const queues: Fifo[] = Array.from({ length: count }, () => ({ items: [], from: 0 }))
  const depthOf = (queue: number) => {
    const { items, from } = queues[queue] ?? { items: [], from: 0 }
    return items.length - from
  }
  const exponential = (meanMs: number) => -meanMs * Math.log(1 - random.next())
  const choose = (tenant: number): number => {
    if (policy === 'single queue') return 0
    if (policy === 'random queue') return Math.floor(random.next() * count)
    const ranks = rankQueues(`t${tenant}`, count)
    const [first = 0, second = first] = policy === 'hash, one queue' ? ranks.slice(0, 1) : ranks
    return depthOf(second) < depthOf(first) ? second : first
  }
  const happenings = createDueHeap<{ readonly at: number; readonly id: bigint; readonly what: Happening }>()
  let order = 0n
  const schedule = (at: number, what: Happening) => happenings.push({ at, id: order++, what })

  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  const sums: number[] = []
  for (let n = 0; n < TENANTS; n++) sums.push((sums.at(-1) ?? 0) + Math.exp(normal()))
  for (let at = 0; at < watchMs; at += exponential(1000 / (0.6 * CAPACITY))) {
    const lot = random.next() * (sums.at(-1) ?? 0)
    schedule(at, { kind: 'arrives', tenant: sums.findIndex((sum) => sum > lot), since: at })
  }
  const perSecond = noise === 'slow' ? (factor * SLOTS * 1000) / HANG_MS : factor * CAPACITY
  if (noise !== 'none') {
    for (let at = 0; at < noiseMs; at += exponential(1000 / perSecond))
      schedule(at, { kind: 'arrives', tenant: TENANTS, since: at })
  }

  const waits: number[] = []
  const late = Array.from({ length: TENANTS }, () => ({ events: 0, late: 0 }))
  const note = (tenant: number, waited: number) => {
    waits.push(waited)
    const of = late[tenant]
    if (!of) return
    of.events++
    if (waited > 1000) of.late++
  }
  let [turn, free, throttledRunning] = [0, SLOTS, 0]
  const dispatch = (now: number) => {
    for (let empty = 0; free > 0 && empty < count; turn = (turn + 1) % count) {
      const queue = queues[turn]
      const item = queue?.items[queue.from]
      if (!queue || !item) {
        empty++
        continue
      }
      empty = 0
      queue.from++
      if (queue.from > 10_000) {
        queue.items = queue.items.slice(queue.from)
        queue.from = 0
      }
      const { tenant, at } = item
      if (tenant < TENANTS) note(tenant, now - at)
      else if (noise === 'throttled') {
        if (throttledRunning >= 0.05 * SLOTS) {
          schedule(now + RETRY_MS, { kind: 'arrives', tenant, since: at })
          continue
        }
        throttledRunning++
      }
      free--
      const meanMs = tenant === TENANTS && noise === 'slow' ? undefined : SERVICE_MS
      schedule(now + (meanMs === undefined ? HANG_MS : exponential(meanMs)), { kind: 'ends', tenant })
    }
  }
  for (let next = happenings.pop(); next && next.at < watchMs; next = happenings.pop()) {
    const { what, at } = next
    if (what.kind === 'arrives')
      queues[choose(what.tenant)]?.items.push({ tenant: what.tenant, at: what.since })
    else {
      free++
      if (what.tenant === TENANTS && noise === 'throttled') throttledRunning--
    }
    dispatch(at)
  }
  for (const { items, from } of queues)
    for (const { tenant, at } of items.slice(from)) if (tenant < TENANTS) note(tenant, watchMs - at)
  const sorted = waits.toSorted((a, b) => a - b)
  return {
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    maxMs: sorted.at(-1) ?? 0,
    affected: late.filter((of) => of.late > 0.01 * of.events).length / TENANTS,
  }
}
