import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DEFAULT_SCALING } from '#contracts/capacity-provider.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import {
  capacityProviderKey,
  capacityProviderUseKey,
  functionScalingKey,
  versionKey,
} from '#contracts/keys.ts'
import { createManagedInstancesScaler } from '#data-plane/managed-instances/create-scaler.ts'
import type { ReadyState, ReadyTarget } from '#data-plane/placement/port.ts'
import type { Json } from '#kernel/json.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { aVersion, ID } from '../../../test/support/function-version.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const settle = async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
const managed = (change: Partial<FunctionVersion> = {}) =>
  aVersion({
    version: '1',
    memoryMiB: 2048,
    state: 'Pending',
    managedInstances: { capacityProvider: 'group', maxConcurrency: 10, memoryGiBPerVCpu: 2 },
    ...change,
  })
const between = (minEnvironments: number, maxEnvironments: number) => ({ minEnvironments, maxEnvironments })

const setup = async (maxVCpuCount = 100) => {
  const clock = createVirtualClock()
  const { meta } = createMemoryStore({ clock })
  const targets: ReadyTarget[] = []
  const peaks = new Map<string, number>()
  await meta.txn([{ key: capacityProviderKey(ID, 'group'), doc: { maxVCpuCount } }])
  const scaler = createManagedInstancesScaler({
    meta,
    placement: {
      keepReady: (target) => void targets.push(target),
      takePeak: ({ version }) => peaks.get(version) ?? 0,
    },
    clock,
    logger: quiet,
  })
  return {
    clock,
    meta,
    scaler,
    targets,
    peaks,
    counts: () => targets.map(({ count }) => count),
    async tell(state: Partial<ReadyState>) {
      await settle()
      const last = targets.at(-1)
      last?.onChange?.({ wanted: last.count, starting: 0, ready: 0, ...state })
    },
  }
}

test('scaler: resolves when the minimum is ready', async () => {
  const { scaler, tell, targets } = await setup()
  const applied = scaler.apply(managed(), between(2, 5))
  await tell({ starting: 2 })
  await tell({ ready: 2 })
  await applied
  assert.equal(targets.length, 1)
  assert.deepEqual([targets[0]?.count, targets[0]?.initializationType], [2, 'lambda-managed-instances'])
})

test('scaler: rejects with the code of what is wrong, and keeps nothing of a version that never came to be', async () => {
  for (const [kind, code] of [
    ['init', 'FunctionError.RuntimeInitError'],
    ['capacity', 'InsufficientCapacity'],
    ['platform', 'InternalError'],
  ] as const) {
    const { scaler, tell, counts } = await setup()
    const applied = scaler.apply(managed(), between(2, 5))
    const failed = assert.rejects(
      applied,
      (error: unknown) => error instanceof LambdaError && error.code === code && error.message === 'why',
    )
    await tell({ ready: 1, failure: { kind, message: 'why' } })
    await failed
    assert.deepEqual(counts(), [2, 0])
  }
})

test('scaler: of the default minimum fewer will do when there is no room, but at least what is required', async () => {
  const { scaler, tell } = await setup()
  const applied = scaler.apply(managed(), DEFAULT_SCALING, { required: 1 })
  await tell({ ready: 1, starting: 1, failure: { kind: 'capacity', message: 'full' } })
  await tell({ ready: 2, failure: { kind: 'capacity', message: 'full' } })
  await applied
})

test('scaler: the vCPUs of the provider bound all of its versions together', async () => {
  const { scaler, tell, counts } = await setup(3)
  const first = scaler.apply(managed(), between(2, 9))
  await tell({ ready: 2 })
  await first
  await assert.rejects(
    scaler.apply(managed({ version: '2' }), between(2, 2)),
    (error: unknown) => error instanceof LambdaError && error.code === 'CapacityProviderScalingLimitExceeded',
  )
  assert.deepEqual(counts(), [2])
})

test('scaler: follows the load, and lets go of what is calm for long', async () => {
  const { scaler, tell, counts, peaks, clock } = await setup()
  const applied = scaler.apply(managed(), between(1, 3))
  await tell({ ready: 1 })
  await applied
  peaks.set('1', 9)
  await clock.advance(1000)
  await settle()
  assert.deepEqual(counts(), [1, 2])
  peaks.set('1', 2)
  for (let second = 0; second < 61; second++) {
    await clock.advance(1000)
    await settle()
  }
  assert.deepEqual(counts(), [1, 2, 1])
})

test('scaler: none are wanted of a deactivated version', async () => {
  const { scaler, tell, counts } = await setup()
  const applied = scaler.apply(managed(), between(1, 1))
  await tell({ ready: 1 })
  await applied
  const off = scaler.apply(managed({ state: 'Deactivating' }), between(0, 0))
  await tell({ ready: 1 })
  await tell({ ready: 0 })
  await off
  assert.deepEqual(counts(), [1, 0])
  await scaler.apply(managed({ version: '2', state: 'Deactivating' }), between(0, 0))
})

test('scaler: keeps at the start what was kept when the program ended', async () => {
  const { scaler, meta, targets } = await setup()
  const put = async (version: FunctionVersion & { serving?: FunctionVersion }) => {
    const { version: number } = version
    await meta.txn([
      { key: versionKey(ID, number), doc: version as unknown as Json },
      { key: capacityProviderUseKey(ID, number, 'group'), doc: { ...ID, version: number } },
    ])
  }
  await put(managed({ state: 'Active' }))
  await put(managed({ state: 'Pending', version: '2' }))
  await put(managed({ state: 'Deactivated', version: '3' }))
  const serving = managed({ state: 'Active', version: '$LATEST.PUBLISHED', generation: 'before' })
  await put({ ...serving, generation: 'after', lastUpdateStatus: 'InProgress', serving })
  await meta.txn([
    {
      key: functionScalingKey(ID, '1'),
      doc: { ...ID, version: '1', requested: between(2, 2), applied: between(1, 1) },
    },
  ])
  await scaler.start()
  assert.deepEqual(
    targets.map(({ version, count }) => [version.version, version.generation, count]),
    [
      ['$LATEST.PUBLISHED', 'before', 3],
      ['1', 'g1', 1],
    ],
  )
  await scaler.stop()
})
