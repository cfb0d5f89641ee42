/** Several cells in one process: each with its own store, queues, gate, poller and front end, on a virtual clock. */
import { serviceFailure } from '#contracts/errors.ts'
import type { InvocationRequest } from '#contracts/invocation.ts'
import { sleep } from '#kernel/clock.ts'
import { seededRandom } from '#kernel/random.ts'
import { createCellMap } from '#data-plane/cells/cell-map.ts'
import { createCellEvents, createCellFrontend } from '#data-plane/cells/cell-router.ts'
import { createCounting } from '#data-plane/counting/create-counting.ts'
import { createDispatchGate } from '#data-plane/events/dispatch-gate.ts'
import { createEventQueues } from '#data-plane/events/event-queues.ts'
import type { EventQueues } from '#data-plane/events/port.ts'
import { createFrontend } from '#data-plane/frontend/create-frontend.ts'
import type { StreamingFrontend } from '#data-plane/frontend/port.ts'
import { createAsyncEventPoller } from '#data-plane/pollers/async-events.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { createFastClock, type FastClock } from './fast-clock.ts'
import { aVersion } from './function-version.ts'

export interface Execution {
  readonly cell: string
  readonly account: string
  readonly requestId: string
  readonly afterMs: number
}

const SLOTS = 20
const RUN_MS = 20
const quiet = { debug() {}, info() {}, warn() {}, error: console.error }
const noMetrics = { count() {}, gauge() {}, observe() {} }

export function startCells(names: readonly string[], clock: FastClock = createFastClock()) {
  const random = seededRandom(3)
  const map = createCellMap(names)
  const queues = new Map<string, Pick<EventQueues, 'enqueue'>>()
  const frontends = new Map<string, StreamingFrontend>()
  const stores = new Map(names.map((name) => [name, createMemoryStore({ clock })]))
  const events = createCellEvents({ map, cells: queues })
  const frontend = createCellFrontend({ map, frontends })
  const executions: Execution[] = []
  const ends = new Map<string, () => Promise<void>>()

  const on = async (cell: string) => {
    const store = stores.get(cell)
    if (!store) throw new Error(`There is no cell ${cell}`)
    const own = createEventQueues({
      queueLog: store.queueLog,
      leases: store.leases,
      clock,
      random,
      queues: 8,
      sidelineQueues: 2,
      gate: createDispatchGate({ slots: SLOTS, clock }),
    })
    await own.start()
    const ownFrontend = createFrontend({
      catalog: { resolve: (id) => ({ ...aVersion(), ...id }), allowsRecursion: async () => false },
      counting: createCounting({ clock }),
      placement: {
        async invoke({ version, invocation }) {
          const { account } = version
          executions.push({ cell, account, requestId: invocation.requestId, afterMs: clock.monotonic() })
          await sleep(clock, RUN_MS)
          return { executedVersion: '1', payload: Buffer.from('null') }
        },
      },
      events,
      clock,
      random,
    })
    const poller = createAsyncEventPoller({
      queues: own,
      frontend: ownFrontend,
      clock,
      random,
      logger: quiet,
      metrics: noMetrics,
      concurrency: SLOTS,
      forward: events.forward,
    })
    await poller.start()
    queues.set(cell, own)
    frontends.set(cell, ownFrontend)
    ends.set(cell, async () => {
      await poller.stop()
      await own.stop()
    })
  }
  /** As when its machines lose their power: nothing of it answers. */
  const off = async (cell: string) => {
    const gone = async () => {
      throw serviceFailure(`The cell ${cell} does not answer`)
    }
    queues.set(cell, { enqueue: gone })
    frontends.set(cell, { invoke: gone, invokeStreaming: gone, dryRun: gone, enqueue: gone })
    await ends.get(cell)?.()
    ends.delete(cell)
  }
  const request = (account: string, requestId: string): InvocationRequest => ({
    id: { account, region: 'eu-west-1', name: 'f' },
    qualifier: undefined,
    requestId,
    payload: Buffer.from('{}'),
    logType: 'None',
  })
  return { clock, map, frontend, executions, on, off, request, random }
}
