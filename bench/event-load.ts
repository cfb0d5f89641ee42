/**
 * Child process of bench/events.ts: the event queues on the real store, with a function that takes no time. Prints one
 * line of JSON. Arguments: events waiting meanwhile, milliseconds of each measurement.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { AsyncEvent } from '#contracts/event.ts'
import type { InvocationResult } from '#contracts/invocation.ts'
import { systemClock as clock } from '#kernel/clock.ts'
import { systemRandom as random } from '#kernel/random.ts'
import { createDispatchGate } from '#data-plane/events/dispatch-gate.ts'
import { createEventQueues } from '#data-plane/events/event-queues.ts'
import { createAsyncEventPoller } from '#data-plane/pollers/async-events.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

export interface EventFigures {
  /** Rows a second that SQLite takes by itself, in transactions of 32: the floor. */
  readonly floorPerSecond: number
  readonly enqueuePerSecond: number
  readonly drainPerSecond: number
  /** Enqueue, run, remove; 32 at a time. */
  readonly cyclePerSecond: number
  /** CPU time of the whole process, threads included. */
  readonly cycleCpuMicroseconds: number
  readonly heapMiB: number
  /** Opening a store with that many events until the first of another function has run. */
  readonly openMs: number
  /** Events of the backlog itself, a second. */
  readonly backlogPerSecond: number
}

const [backlog = 0, durationMs = 1000] = process.argv.slice(2).map(Number)
const IN_FLIGHT = 32
const FILLERS = 512
const SLOTS = 64
const payload = Buffer.alloc(1024, 'p')
const directory = mkdtempSync(join(tmpdir(), 'lambent-events-bench-'))
const quiet = { debug() {}, info() {}, warn() {}, error: console.error }
const ok: InvocationResult = { executedVersion: '$LATEST', payload: Buffer.from('null') }

let count = 0
const event = (name: string): AsyncEvent => ({
  target: { account: '111122223333', region: 'eu-west-1', name },
  qualifier: undefined,
  requestId: `request-${count++}`,
  payload,
  acceptedAt: clock.now(),
  functionErrors: 0,
  attempts: 0,
})
const someFunction = () => `f${count % 100}`

async function open(run: (name: string, requestId: string) => Promise<InvocationResult>) {
  const store = await openSqliteStore({ directory: join(directory, 'store'), clock })
  const gate = createDispatchGate({ slots: SLOTS, clock })
  const { queueLog, leases } = store
  const queues = createEventQueues({ queueLog, leases, clock, random, sidelineQueues: 16, gate })
  await queues.start()
  const poller = createAsyncEventPoller({
    queues,
    clock,
    random,
    logger: quiet,
    metrics: { count() {}, gauge() {}, observe() {} },
    concurrency: SLOTS,
    frontend: { invoke: ({ id, requestId }) => run(id.name, requestId) },
  })
  const close = async () => {
    await poller.stop()
    await queues.stop()
    await store.close()
  }
  return { queues, poller, close }
}
/** How often `step` gets done, so many at a time. */
async function perSecond(inFlight: number, step: () => Promise<unknown>, until?: () => boolean) {
  const began = performance.now()
  let done = 0
  const isOver = until ?? (() => performance.now() - began >= durationMs)
  const loop = async () => {
    while (!isOver()) {
      await step()
      done++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  return { done, perSecond: (done * 1000) / (performance.now() - began) }
}

function measureFloor(): number {
  const database = new DatabaseSync(join(directory, 'floor.db'))
  database.exec(
    'pragma journal_mode = wal; pragma synchronous = full; create table t (id integer primary key, b blob)',
  )
  const insert = database.prepare('insert into t (b) values (?)')
  const began = performance.now()
  let rows = 0
  while (performance.now() - began < durationMs / 2) {
    database.exec('begin immediate')
    for (let n = 0; n < IN_FLIGHT; n++) insert.run(payload)
    database.exec('commit')
    rows += IN_FLIGHT
  }
  database.close()
  return (rows * 1000) / (performance.now() - began)
}

const ran = new Map<string, () => void>()
let isStuck = true
let backlogDone = 0
const run = async (name: string, requestId: string): Promise<InvocationResult> => {
  if (name === 'stuck') {
    if (isStuck) return await new Promise<InvocationResult>(() => {})
    backlogDone++
    return ok
  }
  ran.get(requestId)?.()
  ran.delete(requestId)
  return ok
}
const cycle = ({ queues }: Awaited<ReturnType<typeof open>>) => {
  const one = event(someFunction())
  const { promise, resolve } = Promise.withResolvers<void>()
  ran.set(one.requestId, resolve)
  return queues.enqueue(one).then(() => promise)
}

try {
  const floorPerSecond = measureFloor()
  let program = await open(run)
  const enqueued = await perSecond(IN_FLIGHT, () => program.queues.enqueue(event(someFunction())))
  const began = performance.now()
  await program.poller.start()
  while (program.queues.depth() > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  const drainPerSecond = (enqueued.done * 1000) / (performance.now() - began)

  let left = backlog
  await perSecond(
    FILLERS,
    () => program.queues.enqueue(event('stuck')),
    () => left-- <= 0,
  )
  await perSecond(IN_FLIGHT, () => cycle(program))
  const cpu = process.cpuUsage()
  const cycles = await perSecond(IN_FLIGHT, () => cycle(program))
  const { user, system } = process.cpuUsage(cpu)
  globalThis.gc?.()
  const heapMiB = process.memoryUsage().heapUsed / 1024 / 1024

  await program.close()
  const opening = performance.now()
  program = await open(run)
  await program.poller.start()
  await cycle(program)
  const openMs = performance.now() - opening
  isStuck = false
  await program.close()
  program = await open(run)
  // Past the slow start after an outage.
  if (backlog > 0) await new Promise((resolve) => setTimeout(resolve, 100))
  const draining = performance.now()
  await program.poller.start()
  const enough = Math.min(backlog, 20_000)
  while (backlogDone < enough && performance.now() - draining < 10 * durationMs)
    await new Promise((resolve) => setTimeout(resolve, 2))
  const backlogPerSecond = (backlogDone * 1000) / (performance.now() - draining)
  await program.close()

  const figures: EventFigures = {
    floorPerSecond,
    enqueuePerSecond: enqueued.perSecond,
    drainPerSecond,
    cyclePerSecond: cycles.perSecond,
    cycleCpuMicroseconds: (user + system) / cycles.done,
    heapMiB,
    openMs,
    backlogPerSecond,
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
