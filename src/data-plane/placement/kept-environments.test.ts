import assert from 'node:assert/strict'
import { test } from 'node:test'

import { throttled } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { createPlacement } from '#data-plane/placement/create-placement.ts'
import { decideKept, type KeptState } from '#data-plane/placement/decide.ts'
import type { PlacementPolicy } from '#data-plane/placement/policy.ts'
import type { ReadyState } from '#data-plane/placement/port.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { createFakeWorker } from '../../../test/support/fake-worker.ts'
import { aVersion, ID } from '../../../test/support/function-version.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const metrics = { count() {}, gauge() {}, observe() {} }
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

const setup = (policy: Partial<PlacementPolicy> = {}, maxMemoryMiB = 100_000) => {
  const clock = createVirtualClock()
  const worker = createFakeWorker({ maxMemoryMiB })
  const placement = createPlacement({
    worker,
    clock,
    logger: quiet,
    metrics,
    policy: { maxStarting: 100, maxStartingKept: 10, ...policy },
  })
  const states: ReadyState[] = []
  const version = aVersion({ version: '1' })
  let requests = 0
  return {
    clock,
    worker,
    placement,
    states,
    version,
    last: () => states.at(-1),
    async keep(count: number, of: FunctionVersion = version) {
      placement.keepReady({
        version: of,
        count,
        initializationType: 'provisioned-concurrency',
        onChange: (state) => states.push(state),
      })
      await settle()
    },
    /** Lets all starts that are under way succeed. */
    async arrive(initialised = true) {
      for (const start of worker.starts.slice(worker.environments.length)) start.succeed(initialised)
      await settle()
    },
    send() {
      const invocation = { requestId: `r${requests++}`, payload: new Uint8Array(), invokedFunctionArn: 'arn' }
      placement.invoke({ version, invocation, logType: 'None' }).catch(() => {})
      return settle()
    },
  }
}

test('kept: as many as wanted are started, with their type, and said to be ready when they are', async () => {
  const { keep, arrive, worker, states, last } = setup()
  await keep(2)
  assert.deepEqual(
    worker.starts.map(({ type }) => type),
    ['provisioned-concurrency', 'provisioned-concurrency'],
  )
  assert.deepEqual(last(), { wanted: 2, starting: 2, ready: 0 })
  worker.starts[0]?.succeed()
  await settle()
  assert.deepEqual(last(), { wanted: 2, starting: 1, ready: 1 })
  worker.starts[1]?.succeed()
  await settle()
  assert.deepEqual(last(), { wanted: 2, starting: 0, ready: 2 })
  assert.equal(worker.environments.length, 2)
  const told = states.length
  await arrive()
  assert.equal(states.length, told, 'nothing is said twice')
})

test('kept: invocations use them first, spill over when all are busy, and come back to them', async () => {
  const { keep, arrive, send, worker } = setup()
  await keep(2)
  await arrive()
  await send()
  await send()
  await send()
  assert.deepEqual(
    worker.starts.map(({ type }) => type),
    ['provisioned-concurrency', 'provisioned-concurrency', 'on-demand'],
  )
  await arrive()
  const [first, second, third] = worker.environments
  assert.deepEqual([first?.log, second?.log, third?.log], [['r1'], ['r0'], ['r2']])
  for (const environment of worker.environments) environment.finish()
  await settle()
  await send()
  assert.equal(third?.log.length, 1, 'the idle on-demand environment is second choice')
})

test('kept: idleness does not end them, the on-demand one beside them goes', async () => {
  const { keep, arrive, send, worker, clock } = setup({ idleTimeoutMs: MINUTE_MS })
  await keep(1)
  await arrive()
  await send()
  await send()
  await arrive()
  for (const environment of worker.environments) environment.finish()
  await settle()
  await clock.advance(5 * MINUTE_MS)
  assert.deepEqual(
    worker.environments.map(({ state }) => state),
    ['idle', 'gone'],
  )
})

test('kept: one that dies, is reset or fails is replaced', async () => {
  const { keep, arrive, send, worker, last } = setup()
  await keep(1)
  await arrive()
  worker.environments[0]?.die()
  await settle()
  assert.equal(worker.starts.length, 2)
  assert.deepEqual(last(), { wanted: 1, starting: 1, ready: 0 })
  await arrive()

  await send()
  const second = worker.environments[1]
  if (second) second.initialised = false
  second?.finish()
  await settle()
  assert.equal(second?.state, 'gone')
  await arrive()

  await send()
  worker.environments[2]?.fail(new Error('broken'))
  await settle()
  await arrive()
  assert.equal(worker.environments.length, 4)
  assert.deepEqual(last(), { wanted: 1, starting: 0, ready: 1 })
})

test('kept: one that has lost its process while it was idle is replaced instead of used', async () => {
  const { keep, arrive, send, worker } = setup()
  await keep(2)
  await arrive()
  const last = worker.environments[1]
  if (last) last.initialised = false
  await send()
  assert.deepEqual(
    worker.environments.map(({ state }) => state),
    ['busy', 'gone'],
  )
  assert.equal(worker.starts.length, 3)
})

test('kept: one that has reached its age stays until another has taken its place', async () => {
  const { keep, arrive, worker, clock, last } = setup({ maxAgeMs: 10 * MINUTE_MS })
  await keep(1)
  await arrive()
  await clock.advance(11 * MINUTE_MS)
  assert.equal(worker.starts.length, 2)
  assert.equal(worker.environments[0]?.state, 'idle')
  assert.equal(last()?.ready, 1)
  await arrive()
  assert.deepEqual(
    worker.environments.map(({ state }) => state),
    ['gone', 'idle'],
  )
})

test('kept: lowering stops idle ones at once and busy ones after their invocation', async () => {
  const { keep, arrive, send, worker } = setup()
  await keep(3)
  await arrive()
  await send()
  await send()
  await keep(1)
  assert.deepEqual(
    worker.environments.map(({ state }) => state),
    ['gone', 'busy', 'busy'],
  )
  await keep(0)
  worker.environments[1]?.finish()
  worker.environments[2]?.finish()
  await settle()
  assert.deepEqual(
    worker.environments.map(({ state }) => state),
    ['gone', 'gone', 'gone'],
  )
  assert.equal(worker.starts.length, 3)
})

test('kept: an init that fails is said, tried again ever more rarely, one at a time, until it succeeds', async () => {
  const { keep, arrive, worker, clock, last } = setup({
    minKeptRetryMs: MINUTE_MS,
    maxKeptRetryMs: 4 * MINUTE_MS,
  })
  await keep(2)
  await arrive(false)
  assert.deepEqual(last(), {
    wanted: 2,
    starting: 0,
    ready: 0,
    failure: { kind: 'init', message: 'The initialisation of the function failed' },
  })
  assert.deepEqual(
    worker.environments.map(({ state }) => state),
    ['gone', 'gone'],
  )
  await clock.advance(MINUTE_MS)
  assert.equal(worker.starts.length, 2, 'two failures, twice the pause')
  await clock.advance(MINUTE_MS)
  assert.equal(worker.starts.length, 3)
  await arrive()
  assert.equal(worker.starts.length, 4, 'the rest follows')
  await arrive()
  assert.deepEqual(last(), { wanted: 2, starting: 0, ready: 2 })
})

test('kept: asking once more tries again at once', async () => {
  const { keep, arrive, worker } = setup()
  await keep(1)
  await arrive(false)
  await keep(1)
  assert.equal(worker.starts.length, 2)
})

test('kept: they take the place of idle on-demand environments, and say so when there is no room', async () => {
  const { keep, arrive, send, worker, last, placement } = setup({}, 256)
  await send()
  await arrive()
  worker.environments[0]?.finish()
  await settle()
  await keep(2)
  assert.equal(worker.environments[0]?.state, 'gone')
  await arrive()
  assert.equal(last()?.ready, 2)
  await keep(1, aVersion({ version: '2' }))
  assert.equal(last()?.failure?.kind, 'capacity')
  await placement.stop()
})

test('kept: the worker that has no room is believed', async () => {
  const { keep, worker, last } = setup()
  await keep(1)
  worker.starts[0]?.fail(throttled('ConcurrentInvocationLimitExceeded'))
  await settle()
  assert.equal(last()?.failure?.kind, 'capacity')
})

test('kept: a retired version keeps nothing', async () => {
  const { keep, arrive, worker, placement, last } = setup()
  await keep(1)
  await arrive()
  placement.retire({ id: ID, version: '1' })
  await settle()
  assert.equal(worker.environments[0]?.state, 'gone')
  assert.equal(last()?.wanted, 0)
  assert.equal(worker.starts.length, 1)
})

test('kept: only some start at the same time, and an invocation goes first', async () => {
  const { keep, send, worker } = setup({ maxStarting: 3, maxStartingKept: 2 })
  await keep(5)
  assert.equal(worker.starts.length, 2)
  await send()
  assert.equal(worker.starts.at(-1)?.type, 'on-demand')
  worker.starts[0]?.succeed()
  await settle()
  assert.equal(worker.environments[0]?.state, 'busy', 'whoever waits takes what comes first')
  assert.equal(worker.starts.length, 4)
})

const state: KeptState = { wanted: 2, fresh: 0, aged: 0, starting: 0, failing: false, retryDue: true }
const CASES: readonly [string, Partial<KeptState>, { start: number; stop: number }][] = [
  ['nothing is there', {}, { start: 2, stop: 0 }],
  ['one starts', { starting: 1 }, { start: 1, stop: 0 }],
  ['all are there', { fresh: 2 }, { start: 0, stop: 0 }],
  ['one too many', { fresh: 3 }, { start: 0, stop: 1 }],
  ['one is aged', { fresh: 1, aged: 1 }, { start: 1, stop: 0 }],
  ['one is aged and replaced', { fresh: 2, aged: 1 }, { start: 0, stop: 1 }],
  ['the last attempt failed', { failing: true, retryDue: false }, { start: 0, stop: 0 }],
  ['another attempt is due', { failing: true }, { start: 1, stop: 0 }],
  ['another attempt is under way', { failing: true, starting: 1 }, { start: 0, stop: 0 }],
  ['nothing is wanted any more', { wanted: 0, fresh: 1, aged: 1, failing: true }, { start: 0, stop: 2 }],
]
for (const [name, part, expected] of CASES) {
  test(`kept decision: ${name}`, () => assert.deepEqual(decideKept({ ...state, ...part }), expected))
}
