import assert from 'node:assert/strict'
import { test } from 'node:test'

import { throttled, type LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { InvocationResult } from '#contracts/invocation.ts'
import { createPlacement } from '#data-plane/placement/create-placement.ts'
import { createFakeWorker } from '../../../test/support/fake-worker.ts'
import type { PlacementPolicy } from '#data-plane/placement/policy.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { aVersion, ID } from '../../../test/support/function-version.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const metrics = { count() {}, gauge() {}, observe() {} }
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

const setup = (policy: Partial<PlacementPolicy> = {}, maxMemoryMiB?: number) => {
  const clock = createVirtualClock()
  const worker = createFakeWorker(maxMemoryMiB === undefined ? {} : { maxMemoryMiB })
  const placement = createPlacement({
    worker,
    clock,
    logger: quiet,
    metrics,
    policy: { maxStarting: 100, ...policy },
  })
  let requests = 0
  const start = (n: number) => {
    const found = worker.starts[n]
    assert.ok(found, `start ${n} has begun`)
    return found
  }
  const environment = (n: number) => {
    const found = worker.environments[n]
    assert.ok(found, `environment ${n} is there`)
    return found
  }
  /** Sends an invocation and notes how it ends. */
  const send = (version: FunctionVersion, signal?: AbortSignal, tenantId?: string) => {
    const requestId = `r${requests++}`
    const outcome: { result?: InvocationResult; error?: LambdaError } = {}
    const invocation = {
      requestId,
      payload: new Uint8Array(),
      invokedFunctionArn: 'arn',
      ...(tenantId !== undefined && { tenantId }),
    }
    placement.invoke({ version, invocation, logType: 'None', ...(signal ? { signal } : {}) }).then(
      (result) => (outcome.result = result),
      (error: LambdaError) => (outcome.error = error),
    )
    return outcome
  }
  /** One environment that has run its first invocation, r0, and is idle. */
  const warm = async (version: FunctionVersion) => {
    send(version)
    await settle()
    start(0).succeed()
    await settle()
    environment(0).finish()
    await settle()
  }
  return { clock, worker, placement, start, environment, send, warm }
}

test('placement: the first invocation starts an environment, the next reuses it', async () => {
  const { clock, worker, start, environment, send } = setup()
  const version = aVersion()
  const first = send(version)
  await clock.advance(700)
  start(0).succeed()
  await settle()
  assert.equal(environment(0).running?.deadlineMs, clock.now() + 3000, 'waiting does not count')
  environment(0).finish()
  await settle()
  assert.equal(first.result?.executedVersion, '$LATEST')
  const second = send(version)
  await settle()
  environment(0).finish()
  await settle()
  assert.ok(second.result)
  assert.equal(worker.starts.length, 1)
  assert.deepEqual(environment(0).log, ['r0', 'r1'])
})

test('placement: the environment used last is used first', async () => {
  const { start, environment, send } = setup()
  const version = aVersion()
  for (const _ of [0, 1, 2]) send(version)
  await settle()
  for (const n of [0, 1, 2]) start(n).succeed()
  await settle()
  for (const n of [0, 2, 1]) {
    environment(n).finish()
    await settle()
  }
  send(version)
  await settle()
  assert.deepEqual(
    [0, 1, 2].map((n) => environment(n).log.length),
    [1, 2, 1],
  )
})

test('placement: a freed environment is taken before the new one, which becomes idle', async () => {
  const { worker, start, environment, send, placement } = setup()
  const version = aVersion()
  send(version)
  await settle()
  start(0).succeed()
  await settle()
  send(version)
  await settle()
  assert.equal(worker.starts.length, 2)
  environment(0).finish()
  await settle()
  assert.deepEqual(environment(0).log, ['r0', 'r1'])
  start(1).succeed()
  await settle()
  assert.deepEqual(
    placement.environments().map((e) => e.state),
    ['busy', 'idle'],
  )
  send(version)
  await settle()
  assert.deepEqual(environment(1).log, ['r2'])
  assert.equal(worker.starts.length, 2)
})

test('placement: a start that nobody waits for any more is taken over by the next invocation', async () => {
  const { worker, start, environment, send } = setup()
  const version = aVersion()
  send(version)
  await settle()
  start(0).succeed()
  await settle()
  send(version)
  await settle()
  environment(0).finish()
  await settle()
  send(version)
  await settle()
  assert.equal(worker.starts.length, 2, 'the second start is still under way and is enough')
  start(1).succeed()
  await settle()
  assert.deepEqual(environment(1).log, ['r2'])
})

test('placement: those who wait are served in order of arrival', async () => {
  const { start, environment, send } = setup()
  const version = aVersion()
  for (const _ of [0, 1, 2]) send(version)
  await settle()
  start(2).succeed()
  await settle()
  environment(0).finish()
  await settle()
  environment(0).finish()
  await settle()
  assert.deepEqual(environment(0).log, ['r0', 'r1', 'r2'])
})

test('placement: a client that hangs up while it waits leaves what arrives late to others', async () => {
  const { start, environment, send, placement } = setup()
  const version = aVersion()
  const controller = new AbortController()
  const gone = send(version, controller.signal)
  await settle()
  controller.abort(new Error('hung up'))
  await settle()
  assert.match(String(gone.error), /hung up/)
  start(0).succeed()
  await settle()
  assert.deepEqual(
    placement.environments().map((e) => e.state),
    ['idle'],
  )
  send(version)
  await settle()
  assert.deepEqual(environment(0).log, ['r1'])
})

test('placement: a client that hung up before it came starts nothing', async () => {
  const { worker, send } = setup()
  const outcome = send(aVersion(), AbortSignal.abort(new Error('early')))
  await settle()
  assert.match(String(outcome.error), /early/)
  assert.equal(worker.starts.length, 0)
})

test('placement: a failed start fails one of those who wait, not all', async () => {
  const { start, environment, send } = setup()
  const version = aVersion()
  const outcomes = [send(version), send(version)]
  await settle()
  start(0).fail(new Error('no such runtime'))
  await settle()
  assert.match(String(outcomes[0]?.error), /no such runtime/)
  assert.equal(outcomes[1]?.error, undefined)
  start(1).succeed()
  await settle()
  environment(0).finish()
  await settle()
  assert.ok(outcomes[1]?.result)
})

test('placement: a failed start fails nobody when the invocation has found another environment', async () => {
  const { start, environment, send } = setup()
  const version = aVersion()
  send(version)
  await settle()
  start(0).succeed()
  await settle()
  const second = send(version)
  await settle()
  environment(0).finish()
  await settle()
  start(1).fail(new Error('late'))
  environment(0).finish()
  await settle()
  assert.ok(second.result)
})

test('placement: an environment whose invocation fails by our fault is never used again', async () => {
  const { worker, start, environment, send } = setup()
  const version = aVersion()
  const outcome = send(version)
  await settle()
  start(0).succeed()
  await settle()
  environment(0).fail(new Error('socket broke'))
  await settle()
  assert.deepEqual([outcome.error?.code, outcome.error?.status], ['ServiceException', 500])
  assert.equal(environment(0).stops, 1)
  send(version)
  await settle()
  assert.equal(worker.starts.length, 2)
})

test('placement: an environment that is gone after its invocation, or dies while idle, is forgotten', async () => {
  const { worker, start, environment, send, placement } = setup()
  const version = aVersion()
  send(version)
  await settle()
  start(0).succeed()
  await settle()
  environment(0).finish('gone')
  await settle()
  assert.equal(placement.environments().length, 0)
  send(version)
  await settle()
  start(1).succeed()
  await settle()
  environment(1).finish()
  await settle()
  environment(1).die()
  send(version)
  await settle()
  assert.equal(worker.starts.length, 3)
  assert.equal(placement.environments().length, 0)
})

test('placement: idle environments are stopped after the idle time, not before', async () => {
  const { clock, start, environment, send, placement } = setup({ idleTimeoutMs: 60_000 })
  const version = aVersion()
  send(version)
  await settle()
  start(0).succeed()
  await settle()
  environment(0).finish()
  await clock.advance(59_000)
  assert.equal(placement.environments().length, 1)
  send(version)
  await settle()
  environment(0).finish()
  await clock.advance(59_000)
  assert.equal(placement.environments().length, 1, 'use starts the time anew')
  await clock.advance(2_000)
  assert.equal(placement.environments().length, 0)
  assert.equal(environment(0).stops, 1)
  assert.equal(clock.pendingTimers, 0)
})

test('placement: an environment past its age takes no further invocation', async () => {
  const { clock, worker, start, environment, send } = setup({ maxAgeMs: 1000 })
  const version = aVersion()
  send(version)
  await settle()
  start(0).succeed()
  await settle()
  await clock.advance(1500)
  environment(0).finish()
  await settle()
  assert.equal(environment(0).stops, 1)
  send(version)
  await settle()
  assert.equal(worker.starts.length, 2)
})

test('placement: versions and generations never share an environment', async () => {
  const { worker, start, environment, send } = setup()
  send(aVersion())
  await settle()
  start(0).succeed()
  await settle()
  environment(0).finish()
  await settle()
  send(aVersion({ version: '1' }))
  send(aVersion({ generation: 'g2' }))
  send(aVersion({ name: 'other' }))
  await settle()
  assert.equal(worker.starts.length, 4)
  send(aVersion({ state: 'Active', revisionId: 'another document of the same generation' }))
  await settle()
  assert.deepEqual(environment(0).log, ['r0', 'r4'])
})

test('placement: retiring stops idle environments at once and busy ones after their invocation', async () => {
  const { start, environment, send, placement } = setup()
  const version = aVersion()
  const outcomes = [send(version), send(version)]
  await settle()
  start(0).succeed()
  start(1).succeed()
  await settle()
  environment(0).finish()
  await settle()
  placement.retire({ id: ID, version: '$LATEST', keepGeneration: 'g1' })
  await settle()
  assert.equal(environment(0).stops, 0, 'this generation is the valid one')
  placement.retire({ id: ID, version: '$LATEST', keepGeneration: 'g2' })
  await settle()
  assert.deepEqual([environment(0).stops, environment(1).stops], [1, 0])
  environment(1).finish()
  await settle()
  assert.equal(environment(1).stops, 1)
  assert.ok(outcomes[1]?.result)
  assert.equal(placement.environments().length, 0)
})

test('placement: an environment that arrives after its function was deleted is stopped, or serves who waits', async () => {
  const { start, environment, send, placement } = setup()
  const version = aVersion()
  const controller = new AbortController()
  const served = send(version)
  send(version, controller.signal)
  await settle()
  controller.abort(new Error('hung up'))
  placement.retire({ id: ID })
  start(0).succeed()
  await settle()
  start(1).succeed()
  await settle()
  assert.equal(environment(1).stops, 1)
  environment(0).finish()
  await settle()
  assert.ok(served.result)
  assert.equal(placement.environments().length, 0)
})

test('placement: only so many start at the same time, each function in its turn', async () => {
  const { worker, start, send } = setup({ maxStarting: 1 })
  const a = aVersion({ name: 'a' })
  for (const _ of [0, 1, 2]) send(a)
  send(aVersion({ name: 'b' }))
  await settle()
  assert.deepEqual(
    worker.starts.map((s) => s.version.name),
    ['a'],
  )
  for (let n = 0; n < 3; n++) {
    start(n).succeed()
    await settle()
  }
  assert.deepEqual(
    worker.starts.map((s) => s.version.name),
    ['a', 'a', 'b', 'a'],
  )
})

test('placement: a queued start is dropped when nobody waits for it', async () => {
  const { worker, start, environment, send } = setup({ maxStarting: 1 })
  const version = aVersion()
  send(version)
  send(version)
  await settle()
  start(0).succeed()
  environment(0)
  await settle()
  assert.equal(worker.starts.length, 2, 'the second start begins when the first has ended')
  send(version)
  await settle()
  environment(0).finish()
  await settle()
  environment(0).finish()
  await settle()
  start(1).succeed()
  await settle()
  assert.equal(worker.starts.length, 2)
})

test('placement: whoever waits too long is throttled', async () => {
  const { clock, start, environment, send, placement } = setup({ maxWaitMs: 5000 })
  const outcome = send(aVersion())
  await clock.advance(5001)
  assert.deepEqual([outcome.error?.code, outcome.error?.status], ['TooManyRequestsException', 429])
  start(0).succeed()
  await settle()
  assert.equal(environment(0).log.length, 0)
  assert.equal(placement.environments().length, 1)
})

test('placement: too many waiting for one version are throttled at once', async () => {
  const { send } = setup({ maxWaitingPerVersion: 2 })
  const version = aVersion()
  const outcomes = [send(version), send(version), send(version)]
  await settle()
  assert.deepEqual(
    outcomes.map((o) => o.error?.status),
    [undefined, undefined, 429],
  )
})

test('placement: without memory the environment idle longest makes room, whoever it belongs to', async () => {
  const { worker, start, environment, send } = setup({}, 400)
  const [a, b, c] = ['a', 'b', 'c'].map((name) => aVersion({ name, memoryMiB: 200 }))
  assert.ok(a && b && c)
  worker.slowStop = true
  for (const [n, version] of [a, b].entries()) {
    send(version)
    await settle()
    start(n).succeed()
    await settle()
    environment(n).finish()
    await settle()
  }
  send(a)
  await settle()
  environment(0).finish()
  await settle()
  send(c)
  send(c)
  await settle()
  assert.deepEqual([environment(0).stops, environment(1).stops], [0, 1], 'b was used before a')
  assert.equal(worker.starts.length, 2, 'nothing starts before the memory is free')
  environment(1).die()
  await settle()
  assert.equal(worker.starts.length, 3)
  assert.equal(environment(0).stops, 1, 'the second one needs room too')
  environment(0).die()
  await settle()
  assert.equal(worker.starts.length, 4)
})

test('placement: one that does not fit now lets smaller ones pass, and starts when something becomes idle', async () => {
  const { worker, start, environment, send } = setup({}, 500)
  send(aVersion({ name: 'busy', memoryMiB: 300 }))
  await settle()
  start(0).succeed()
  await settle()
  send(aVersion({ name: 'big', memoryMiB: 400 }))
  send(aVersion({ name: 'small', memoryMiB: 100 }))
  await settle()
  assert.deepEqual(
    worker.starts.map((s) => s.version.name),
    ['busy', 'small'],
  )
  environment(0).finish()
  await settle()
  assert.deepEqual(
    worker.starts.map((s) => s.version.name),
    ['busy', 'small', 'big'],
  )
})

test('placement: one that can never fit is refused at once', async () => {
  const { worker, send } = setup({}, 500)
  const outcome = send(aVersion({ memoryMiB: 501 }))
  await settle()
  assert.equal(outcome.error?.code, 'ServiceException')
  assert.equal(worker.starts.length, 0)
})

test('placement: a worker without room is tried again when an idle environment has made room', async () => {
  const { worker, start, environment, send } = setup()
  send(aVersion({ name: 'a' }))
  await settle()
  start(0).succeed()
  await settle()
  environment(0).finish()
  await settle()
  worker.slowStop = true
  const outcome = send(aVersion({ name: 'b' }))
  await settle()
  start(1).fail(throttled('ConcurrentInvocationLimitExceeded'))
  await settle()
  assert.equal(environment(0).stops, 1)
  assert.equal(worker.starts.length, 2)
  environment(0).die()
  await settle()
  start(2).fail(throttled('ConcurrentInvocationLimitExceeded'))
  await settle()
  assert.equal(outcome.error?.status, 429, 'nothing is left to reclaim')
})

test('placement: at the cap on environments an idle one gives its place', async () => {
  const { worker, start, environment, send } = setup({ maxEnvironments: 1 })
  send(aVersion({ name: 'a' }))
  await settle()
  start(0).succeed()
  await settle()
  send(aVersion({ name: 'b' }))
  await settle()
  assert.equal(worker.starts.length, 1)
  environment(0).finish()
  await settle()
  assert.equal(worker.starts.length, 2)
  assert.equal(environment(0).stops, 1)
})

test('placement: a full host with many idle environments keeps room for the next one', async () => {
  const { worker, start, environment, send } = setup({ minIdleForRoomAhead: 3 }, 4 * 128)
  for (let n = 0; n < 4; n++) {
    send(aVersion({ name: `f${n}`, memoryMiB: 128 }))
    await settle()
    start(n).succeed()
    await settle()
    environment(n).finish()
    await settle()
  }
  // With the fourth the host was full, and three were idle: the one used longest ago has gone.
  assert.deepEqual(
    [0, 1, 2, 3].map((n) => environment(n).stops),
    [1, 0, 0, 0],
  )
  send(aVersion({ name: 'next', memoryMiB: 128 }))
  await settle()
  assert.equal(worker.starts.length, 5)
  assert.equal(environment(1).stops, 0, 'the next one did not have to wait for another to go')
})

test('placement: drain waits for what runs, takes nothing new, and gives up at its deadline', async () => {
  const { clock, start, environment, send, placement } = setup()
  const version = aVersion()
  send(version)
  await settle()
  start(0).succeed()
  await settle()
  let drained = 0
  void placement.drain(10_000).then(() => drained++)
  void placement.drain(50).then(() => drained++)
  const late = send(version)
  await clock.advance(60)
  assert.equal(late.error?.code, 'ServiceException')
  assert.equal(drained, 1)
  environment(0).finish()
  await settle()
  assert.equal(drained, 2)
})

test('placement: stop rejects those who wait and stops environments, also those that arrive later', async () => {
  const { start, environment, send, placement } = setup()
  const version = aVersion()
  send(version)
  await settle()
  start(0).succeed()
  await settle()
  const waiting = send(version)
  await settle()
  await placement.stop()
  await settle()
  assert.equal(waiting.error?.code, 'ServiceException')
  assert.equal(environment(0).stops, 1)
  start(1).succeed()
  await settle()
  assert.equal(environment(1).stops, 1)
  await placement.stop()
})

test('placement: with a thousand functions idle a warm invocation asks the worker for nothing', async () => {
  const { worker, start, environment, send, placement } = setup({ maxStarting: 2000 })
  const versions = Array.from({ length: 1000 }, (_, n) => aVersion({ name: `f${n}` }))
  for (const version of versions) send(version)
  await settle()
  for (let n = 0; n < 1000; n++) start(n).succeed()
  await settle()
  for (let n = 0; n < 1000; n++) environment(n).finish()
  await settle()
  let asked = 0
  const { capacity } = worker
  worker.capacity = () => {
    asked++
    return capacity()
  }
  for (const version of versions) send(version)
  await settle()
  assert.equal(asked, 0)
  assert.equal(worker.starts.length, 1000)
  assert.equal(placement.environments().filter((e) => e.state === 'busy').length, 1000)
})

test('placement: of a brief function no more than so many run at once; the next takes the first that is free', async () => {
  const { worker, environment, send, clock, warm } = setup({ maxRunningBrief: 1, maxHoldMs: 10 })
  const version = aVersion()
  await warm(version)
  const [second, third] = [send(version), send(version)]
  await settle()
  assert.deepEqual(environment(0).log, ['r0', 'r1'], 'the third is held')
  environment(0).finish()
  await settle()
  assert.ok(second.result)
  assert.deepEqual(environment(0).log, ['r0', 'r1', 'r2'])
  environment(0).finish()
  await settle()
  assert.ok(third.result)
  assert.equal(worker.starts.length, 1)
  await clock.advance(100)
  assert.equal(worker.starts.length, 1, 'the timer of what was held is gone')
})

test('placement: an invocation that was held too long gets an environment of its own', async () => {
  const { worker, start, environment, send, clock, warm } = setup({ maxRunningBrief: 1, maxHoldMs: 10 })
  const version = aVersion()
  await warm(version)
  send(version)
  const held = send(version)
  await clock.advance(9)
  assert.equal(worker.starts.length, 1)
  await clock.advance(1)
  assert.equal(worker.starts.length, 2)
  start(1).succeed()
  await settle()
  environment(1).finish()
  await settle()
  assert.ok(held.result)
})

test('placement: whoever hangs up while held is gone, and stop rejects the others', async () => {
  const { placement, send, warm } = setup({ maxRunningBrief: 1, maxHoldMs: 10 })
  const version = aVersion()
  await warm(version)
  send(version)
  const client = new AbortController()
  const gone = send(version, client.signal)
  const left = send(version)
  await settle()
  client.abort(new Error('hung up'))
  await settle()
  assert.equal(gone.error?.message, 'hung up')
  await placement.stop()
  await settle()
  assert.equal(left.error?.code, 'ServiceException')
})

test('placement: a function starts no more than its scaling rate allows, whatever the version; others are not concerned', async () => {
  const { clock, worker, send } = setup({ scalingBurst: 3, scalingPerSecond: 1 })
  const one = aVersion({ version: '1' })
  const outcomes = [one, aVersion({ version: '2' }), one, one].map((version) => send(version))
  await settle()
  assert.equal(worker.starts.length, 3)
  assert.deepEqual(
    outcomes.map(({ error }) => error?.members['Reason']),
    [undefined, undefined, undefined, 'ConcurrentInvocationLimitExceeded'],
  )
  send(aVersion({ name: 'other' }))
  await settle()
  assert.equal(worker.starts.length, 4)
  await clock.advance(1000)
  send(one)
  const refused = send(one)
  await settle()
  assert.equal(worker.starts.length, 5)
  assert.equal(refused.error?.status, 429)
  await clock.advance(60_000)
  for (let n = 0; n < 4; n++) send(one)
  await settle()
  assert.equal(worker.starts.length, 8, 'what was not used does not add up')
})

test('placement: an environment that is there needs no start, however fast they come', async () => {
  const { worker, environment, send, warm } = setup({ scalingBurst: 1, scalingPerSecond: 0 })
  const version = aVersion()
  await warm(version)
  for (let n = 0; n < 5; n++) {
    const outcome = send(version)
    await settle()
    environment(0).finish()
    await settle()
    assert.ok(outcome.result)
  }
  assert.equal(worker.starts.length, 1)
})

test('placement: tenants of one version never meet in an environment, and retire with it', async () => {
  const { worker, placement, start, environment, send } = setup()
  const version = aVersion({ tenantIsolation: 'PER_TENANT' })
  const blue = send(version, undefined, 'blue')
  await settle()
  start(0).succeed()
  await settle()
  environment(0).finish()
  await settle()
  assert.ok(blue.result)
  // The idle environment of blue is not for green; the next of blue runs there at once.
  send(version, undefined, 'green')
  await settle()
  assert.equal(worker.starts.length, 2)
  send(version, undefined, 'blue')
  await settle()
  assert.equal(environment(0).running?.tenantId, 'blue')
  start(1).succeed()
  await settle()
  assert.equal(environment(1).running?.tenantId, 'green')
  environment(0).finish()
  environment(1).finish()
  await settle()
  placement.retire({ id: ID })
  await settle()
  assert.deepEqual(
    worker.environments.map(({ state }) => state),
    ['gone', 'gone'],
  )
})
