/** Placement under thousands of random steps: whatever the order, nobody is lost and nothing is used twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { throttled } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { createPlacement } from '#data-plane/placement/create-placement.ts'
import type { ReadyState } from '#data-plane/placement/port.ts'
import { createFakeWorker } from '../../../test/support/fake-worker.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { aVersion, ID } from '../../../test/support/function-version.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const metrics = { count() {}, gauge() {}, observe() {} }
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

async function simulate(seed: number, steps: number) {
  const random = seededRandom(seed)
  const below = (n: number) => Math.floor(random.next() * n)
  const pick = <T>(list: readonly T[]): T | undefined => list[below(list.length)]
  const clock = createVirtualClock()
  const worker = createFakeWorker({ maxMemoryMiB: 1000 })
  worker.slowStop = true
  const policy = {
    maxStarting: 3,
    maxEnvironments: 6,
    maxWaitingPerVersion: 20,
    idleTimeoutMs: 5000,
    maxWaitMs: 20_000,
    maxAgeMs: 30_000,
    minKeptRetryMs: 2000,
  }
  const placement = createPlacement({ worker, clock, logger: quiet, metrics, policy })

  let generation = 0
  const versions = [128, 256, 512].map((memoryMiB, n) => aVersion({ name: `f${n}`, memoryMiB }))
  const pending = new Set<Promise<unknown>>()
  const outcomes = { served: 0, refused: 0 }
  const controllers: AbortController[] = []
  let handledStarts = 0
  const openStarts: (typeof worker.starts)[number][] = []

  const send = () => {
    const version = pick(versions)
    if (!version) return
    const controller = new AbortController()
    controllers.push(controller)
    const invocation = { requestId: 'r', payload: new Uint8Array(), invokedFunctionArn: 'arn' }
    const ended = placement.invoke({ version, invocation, logType: 'None', signal: controller.signal }).then(
      () => outcomes.served++,
      () => outcomes.refused++,
    )
    pending.add(ended)
    void ended.then(() => pending.delete(ended))
  }
  /** What placement has said last of each version that is to be kept ready. */
  const kept = new Map<FunctionVersion, ReadyState | undefined>()
  const keep = (count: number) => {
    const version = pick(versions)
    if (!version) return
    kept.set(version, undefined)
    const onChange = (state: ReadyState) => void kept.set(version, state)
    placement.keepReady({ version, count, initializationType: 'provisioned-concurrency', onChange })
  }
  const collectStarts = () => {
    for (; handledStarts < worker.starts.length; handledStarts++) {
      const start = worker.starts[handledStarts]
      if (start) openStarts.push(start)
    }
  }
  const endStart = (succeed: boolean) => {
    const start = openStarts.splice(below(openStarts.length), 1)[0]
    if (!start) return
    if (succeed) start.succeed(start.type === 'on-demand' || random.next() < 0.9)
    else
      start.fail(random.next() < 0.5 ? new Error('broken') : throttled('ConcurrentInvocationLimitExceeded'))
  }
  const running = () => worker.environments.filter((e) => e.running)
  const check = () => {
    const alive = worker.environments.filter((e) => e.state !== 'gone')
    const promised = [...alive, ...openStarts].reduce((sum, { version }) => sum + version.memoryMiB, 0)
    assert.ok(promised <= 1000, `${promised} MiB are promised`)
    assert.ok(alive.length + openStarts.length <= 6)
    assert.ok(openStarts.length <= 3)
    for (const state of kept.values()) assert.ok((state?.ready ?? 0) + (state?.starting ?? 0) <= 6)
  }

  for (let step = 0; step < steps; step++) {
    const dice = random.next()
    if (dice < 0.35) send()
    else if (dice < 0.6) endStart(random.next() < 0.8)
    else if (dice < 0.8) pick(running())?.finish(random.next() < 0.85 ? 'idle' : 'gone')
    else if (dice < 0.83) pick(running())?.fail(new Error('socket broke'))
    else if (dice < 0.88) pick(worker.environments.filter((e) => e.state === 'stopping'))?.die()
    else if (dice < 0.9) pick(worker.environments.filter((e) => e.state === 'idle'))?.die()
    else if (dice < 0.94) pick(controllers)?.abort(new Error('hung up'))
    else if (dice < 0.96) {
      const n = below(versions.length)
      const old = versions[n]
      if (old) versions[n] = aVersion({ ...old, generation: `g${++generation + 1}` })
      placement.retire({
        id: { ...ID, name: `f${n}` },
        version: '$LATEST',
        keepGeneration: versions[n]?.generation ?? '',
      })
    } else if (dice < 0.97) keep(below(3))
    else await clock.advance(below(3000))
    await settle()
    collectStarts()
    check()
  }

  // Let everything come to its end.
  worker.slowStop = false
  for (let round = 0; pending.size > 0 && round < 500; round++) {
    for (const environment of worker.environments) {
      if (environment.state === 'stopping') environment.die()
      else if (environment.running) environment.finish()
    }
    collectStarts()
    endStart(true)
    await settle()
  }
  assert.equal(pending.size, 0, 'everybody was answered')
  // What is to be kept and has room comes, and is what was said.
  for (const version of kept.keys()) {
    placement.keepReady({ version, count: 0, initializationType: 'provisioned-concurrency' })
  }
  const last = versions[0] ?? aVersion()
  let said: ReadyState | undefined
  const onChange = (state: ReadyState) => (said = state)
  placement.keepReady({ version: last, count: 2, initializationType: 'provisioned-concurrency', onChange })
  for (let round = 0; said?.ready !== 2 && round < 100; round++) {
    await settle()
    for (const environment of worker.environments) if (environment.state === 'stopping') environment.die()
    collectStarts()
    while (openStarts.length > 0) openStarts.pop()?.succeed()
    await clock.advance(1000)
  }
  assert.deepEqual(said, { wanted: 2, starting: 0, ready: 2 })
  await placement.drain(1000)
  await placement.stop()
  collectStarts()
  while (openStarts.length > 0) endStart(true)
  await settle()
  assert.deepEqual(placement.environments(), [])
  assert.ok(worker.environments.every((e) => e.state === 'gone'))
  assert.equal(clock.pendingTimers, 0)
  return outcomes
}

test('placement: no order of events loses an invocation, overfills the host or leaves anything behind', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { served, refused } = await simulate(seed, 600)
    assert.ok(served > 50 && refused > 0, `seed ${seed}: ${served} served, ${refused} refused`)
  }
})
