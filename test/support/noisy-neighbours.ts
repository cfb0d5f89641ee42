/**
 * Noisy neighbours against the real queues, gate and poller in virtual time: 500 tenants at 60 % of what the slots do,
 * and one more that floods them, whose calls hang, or that is throttled.
 */
import { throttled } from '#contracts/errors.ts'
import type { InvocationResult } from '#contracts/invocation.ts'
import { sleep } from '#kernel/clock.ts'
import { seededRandom } from '#kernel/random.ts'
import { createShuffleShards, type QueueChoice } from '#data-plane/events/choose-queue.ts'
import { createDispatchGate, openGate, type DispatchGate } from '#data-plane/events/dispatch-gate.ts'
import { createEventQueues } from '#data-plane/events/event-queues.ts'
import { createAsyncEventPoller } from '#data-plane/pollers/async-events.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { createFastClock } from './fast-clock.ts'

export type Noise = 'none' | 'flood' | 'slow' | 'throttled'

export interface NoisyScenario {
  readonly noise: Noise
  /** Of the capacity: how much more the noisy tenant sends, or would occupy. */
  readonly factor: number
  readonly noiseMs: number
  /** What is looked at after the noise has begun. */
  readonly watchMs: number
  readonly seed: number
  /** Left out: everything on. */
  readonly policy?: {
    readonly gate?: boolean
    readonly sidelines?: boolean
    /** Queues of a tenant; 0: one queue for all. */
    readonly k?: number
  }
}

export interface NoisyResult {
  /** Waits of the others' events until their first attempt. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Share of the others of whose events more than one in a hundred waited for more than a second. */
  readonly affected: number
  /** Events of the noisy tenant that ran, and attempts that came to nothing. */
  readonly noisyDone: number
  readonly wasted: number
  readonly events: number
}

const TENANTS = 500
const SLOTS = 50
const SERVICE_MS = 50
const CAPACITY = (SLOTS * 1000) / SERVICE_MS
const LOAD = 0.6
const HANG_MS = 10_000
const RESERVED = 0.05 * SLOTS
const WARM_UP_MS = 2_000
const NOISY = 'noisy'
const ACCOUNT = { account: '111122223333', region: 'eu-west-1' }

const ok: InvocationResult = { executedVersion: '$LATEST', payload: Buffer.from('null') }
const timedOut: InvocationResult = {
  executedVersion: '$LATEST',
  functionError: 'Unhandled',
  payload: Buffer.from(
    '{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 10.00 seconds"}',
  ),
}
const quietLogger = { debug() {}, info() {}, warn() {}, error: console.error }
const quietMetrics = { count() {}, gauge() {}, observe() {} }

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

export async function runNoisyNeighbours(scenario: NoisyScenario): Promise<NoisyResult> {
  const { noise, factor, noiseMs, watchMs, seed, policy = {} } = scenario
  const random = seededRandom(seed)
  const clock = createFastClock()
  const store = createMemoryStore({ clock })
  const gate: DispatchGate = policy.gate === false ? openGate : createDispatchGate({ slots: SLOTS, clock })
  const k = policy.k ?? 2
  const choice: QueueChoice = createShuffleShards({ queues: k === 0 ? 1 : 32, k: Math.max(1, k), random })
  const queues = createEventQueues({
    queueLog: store.queueLog,
    leases: store.leases,
    clock,
    random,
    queues: k === 0 ? 1 : 32,
    sidelineQueues: policy.sidelines === false ? 0 : 16,
    choice,
    gate,
    maxQueueDepth: 10_000_000,
  })
  const exponential = (meanMs: number) => -meanMs * Math.log(1 - random.next())

  const sent = new Map<string, number>()
  const waits: number[] = []
  const late = new Map<string, { events: number; late: number }>()
  let [noisyRunning, noisyDone, wasted, count] = [0, 0, 0, 0]
  const runNoisy = async (): Promise<InvocationResult> => {
    if (noise === 'throttled' && noisyRunning >= RESERVED) {
      wasted++
      throw throttled('ReservedFunctionConcurrentInvocationLimitExceeded')
    }
    noisyRunning++
    await sleep(clock, noise === 'slow' ? HANG_MS : exponential(SERVICE_MS))
    noisyRunning--
    noisyDone++
    return noise === 'slow' ? timedOut : ok
  }
  const poller = createAsyncEventPoller({
    queues,
    clock,
    random,
    logger: quietLogger,
    metrics: quietMetrics,
    concurrency: SLOTS,
    frontend: {
      async invoke({ id, requestId }) {
        if (id.name === NOISY) return await runNoisy()
        const waited = clock.monotonic() - (sent.get(requestId) ?? 0)
        sent.delete(requestId)
        waits.push(waited)
        const tenant = late.get(id.name) ?? { events: 0, late: 0 }
        tenant.events++
        if (waited > 1000) tenant.late++
        late.set(id.name, tenant)
        await sleep(clock, exponential(SERVICE_MS))
        return ok
      },
    },
  })
  const send = (name: string) => {
    const requestId = `r${count++}`
    if (name !== NOISY) sent.set(requestId, clock.monotonic())
    return queues.enqueue({
      target: { ...ACCOUNT, name },
      qualifier: undefined,
      requestId,
      payload: Buffer.from('{}'),
      acceptedAt: clock.now(),
      functionErrors: 0,
      attempts: 0,
    })
  }
  /** Poisson arrivals of one stream. */
  const stream = async (perSecond: number, fromMs: number, untilMs: number, name: () => string) => {
    await sleep(clock, fromMs)
    for (;;) {
      await sleep(clock, exponential(1000 / perSecond))
      if (clock.monotonic() >= untilMs) return
      void send(name())
    }
  }
  // Log-normal weights: a few tenants send most.
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  const sums: number[] = []
  for (let n = 0; n < TENANTS; n++) sums.push((sums.at(-1) ?? 0) + Math.exp(normal()))
  const anyTenant = () => {
    const lot = random.next() * (sums.at(-1) ?? 0)
    return `tenant-${sums.findIndex((sum) => sum > lot)}`
  }

  await queues.start()
  await poller.start()
  const untilMs = WARM_UP_MS + watchMs
  void stream(LOAD * CAPACITY, 0, untilMs, anyTenant)
  const noisyRate = noise === 'slow' ? (factor * SLOTS * 1000) / HANG_MS : factor * CAPACITY
  if (noise !== 'none') void stream(noisyRate, WARM_UP_MS, WARM_UP_MS + noiseMs, () => NOISY)
  await clock.runUntil(untilMs)

  // Those that still wait have waited at least until now.
  for (const at of sent.values()) waits.push(untilMs - at)
  const sorted = waits.toSorted((a, b) => a - b)
  const affected = [...late.values()].filter((tenant) => tenant.late > 0.01 * tenant.events).length
  await poller.stop()
  return {
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? 0,
    affected: affected / TENANTS,
    noisyDone,
    wasted,
    events: count,
  }
}
