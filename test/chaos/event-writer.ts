/**
 * Child process of the event queues' crash test: enqueues and executes events until it is killed. Prints `a <id>` for
 * each event whose enqueue was acknowledged, `x <id>` before each execution and `d <id>` when its outcome was told; every
 * third one fails. Arguments: data directory, name of the run.
 */
import { writeSync } from 'node:fs'

import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'
import { createEventQueues } from '#data-plane/events/event-queues.ts'
import { createAsyncEventPoller } from '#data-plane/pollers/async-events.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

const [directory = '', run = '', mode = ''] = process.argv.slice(2)
const clock = systemClock
const logger = { debug() {}, info() {}, warn() {}, error: console.error }
const metrics = { count() {}, gauge() {}, observe() {} }
const { queueLog, leases } = await openSqliteStore({ directory, clock })
const queues = createEventQueues({ queueLog, leases, clock, random: systemRandom, logger })
await queues.start()

const poller = createAsyncEventPoller({
  queues,
  clock,
  random: systemRandom,
  logger,
  metrics,
  concurrency: 20,
  frontend: {
    async invoke({ requestId }) {
      writeSync(1, `x ${requestId}\n`)
      await new Promise((resolve) => setTimeout(resolve, 5))
      const failed = Number(requestId.split('-')[1]) % 3 === 0
      return {
        executedVersion: '$LATEST',
        payload: Buffer.from('null'),
        ...(failed && { functionError: 'Unhandled' }),
      }
    },
  },
  lookUpSettings: () => ({ maximumRetryAttempts: 0 }),
  deliveries: {
    async deliver({ event }) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      writeSync(1, `d ${event.requestId}\n`)
    },
  },
})
await poller.start()

if (mode === 'drain') {
  while (queues.depth() > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  process.exit(0)
}
let next = 0
const send = async () => {
  for (;;) {
    const requestId = `${run}-${next++}`
    await queues.enqueue({
      target: { account: '111122223333', region: 'eu-west-1', name: `f${next % 10}` },
      qualifier: undefined,
      requestId,
      payload: Buffer.alloc(1000, 'p'),
      acceptedAt: clock.now(),
      functionErrors: 0,
      attempts: 0,
    })
    writeSync(1, `a ${requestId}\n`)
  }
}
await Promise.all(Array.from({ length: 8 }, send))
