/** Asynchronous events on the real store: nothing acknowledged is lost, whatever ends the program. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { seededRandom } from '#kernel/random.ts'
import { createEventQueues } from '#data-plane/events/event-queues.ts'
import { createAsyncEventPoller } from '#data-plane/pollers/async-events.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

import { eventually } from '../conformance/store-harness.ts'

async function place(test: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'async-events-'))
  test.after(() => rm(directory, { recursive: true }))
  return directory
}

it('retries at one and two minutes go on where they were after a restart', async (test) => {
  const directory = await place(test)
  const clock = createVirtualClock()
  const begun = clock.now()
  const calls: [string, number][] = []
  const exhausted: string[] = []
  const logger = { debug() {}, info() {}, warn() {}, error: assert.fail }
  const metrics = { count() {}, gauge() {}, observe() {} }
  const boot = async () => {
    const store = await openSqliteStore({ directory, clock })
    const { queueLog, leases } = store
    const random = seededRandom(3)
    const queues = createEventQueues({ queueLog, leases, clock, random, logger })
    await queues.start()
    const poller = createAsyncEventPoller({
      queues,
      clock,
      random,
      logger,
      metrics,
      concurrency: 10,
      frontend: {
        async invoke({ requestId }) {
          calls.push([requestId, clock.now() - begun])
          return { executedVersion: '1', payload: Buffer.from('{}'), functionError: 'Unhandled' }
        },
      },
      deliveries: {
        async deliver({ event }) {
          exhausted.push(event.requestId)
        },
      },
    })
    await poller.start()
    const shutDown = async () => {
      await poller.drain(1000)
      await poller.stop()
      await queues.drain(1000)
      await queues.stop()
      await store.close()
    }
    return { queues, shutDown }
  }

  let program = await boot()
  await program.queues.enqueue({
    target: { account: '111122223333', region: 'eu-west-1', name: 'f' },
    qualifier: undefined,
    requestId: 'r1',
    payload: Buffer.from('{"n":1}'),
    acceptedAt: clock.now(),
    functionErrors: 0,
    attempts: 0,
  })
  await eventually(() => calls.length === 1, 'the first attempt')
  await program.shutDown()
  await clock.advance(30_000)
  program = await boot()
  assert.equal(program.queues.depth(), 1)
  await clock.advance(29_999)
  assert.equal(calls.length, 1)
  await clock.advance(1)
  await eventually(() => calls.length === 2, 'the first retry')
  await program.shutDown()
  program = await boot()
  await clock.advance(120_000)
  await eventually(() => exhausted.length === 1, 'the last retry')
  assert.deepEqual(calls, [
    ['r1', 0],
    ['r1', 60_000],
    ['r1', 180_000],
  ])
  await eventually(() => program.queues.depth() === 0, 'the event is deleted')
  await program.shutDown()
})

const writer = fileURLToPath(new URL('event-writer.ts', import.meta.url))

/** Runs the writer until it ends, or until `enough` of its output says that it is to be killed. */
async function runWriter(
  directory: string,
  mode: string,
  enough: (output: string) => boolean,
): Promise<string> {
  const child = spawn(process.execPath, ['--conditions=source', writer, directory, `run${mode}`, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (enough(output)) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return output
}

it('every event that was acknowledged before a kill -9 is executed, and its outcome told, by the next start', async (test) => {
  const directory = await place(test)
  const before = await runWriter(directory, 'write', (output) => output.length > 60_000)
  const after = await runWriter(directory, 'drain', () => false)
  const ids = (output: string, mark: string) =>
    output
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith(mark))
      .map((line) => line.slice(2))
  const acknowledged = ids(before, 'a ')
  const executions = [...ids(before, 'x '), ...ids(after, 'x ')]
  assert.ok(acknowledged.length > 500)
  const executed = new Set(executions)
  // Also of those that had been executed when it was killed, but not told yet.
  const told = new Set([...ids(before, 'd '), ...ids(after, 'd ')])
  assert.deepEqual(
    acknowledged.filter((id) => !told.has(id)),
    [],
  )
  assert.deepEqual(
    acknowledged.filter((id) => !executed.has(id)),
    [],
  )
  // Twice at most what was under way when it was killed: 20 running, and those whose removal was not stored yet.
  assert.ok(executions.length - executed.size <= 60, `${executions.length - executed.size} ran twice`)
})
