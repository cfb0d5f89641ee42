import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import { createPlacement } from '#data-plane/placement/create-placement.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { createFakeWorker } from '../../../test/support/fake-worker.ts'
import { aVersion, ID } from '../../../test/support/function-version.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const metrics = { count() {}, gauge() {}, observe() {} }
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
const version = aVersion({
  version: '1',
  managedInstances: { capacityProvider: 'group', maxConcurrency: 2, memoryGiBPerVCpu: 2 },
})

async function setup(count: number) {
  const worker = createFakeWorker({ concurrent: true })
  const placement = createPlacement({ worker, clock: createVirtualClock(), logger: quiet, metrics })
  const keep = async (wanted: number) => {
    placement.keepReady({ version, count: wanted, initializationType: 'lambda-managed-instances' })
    await settle()
    for (const start of worker.starts.slice(worker.environments.length)) start.succeed()
    await settle()
  }
  await keep(count)
  let requests = 0
  const send = () => {
    const invocation = { requestId: `r${requests++}`, payload: new Uint8Array(), invokedFunctionArn: 'arn' }
    return placement.invoke({ version, invocation, logType: 'None' })
  }
  const throttledNow = () =>
    assert.rejects(send(), (error: unknown) => error instanceof LambdaError && error.status === 429)
  return { worker, placement, keep, send, throttledNow }
}

test('managed: invocations are spread, several in each environment, and one too many is refused', async () => {
  const { worker, send, throttledNow } = await setup(2)
  const results = Promise.all([send(), send(), send(), send()])
  await settle()
  assert.deepEqual(
    worker.environments.map(({ log }) => log),
    [
      ['r1', 'r2'],
      ['r0', 'r3'],
    ],
  )
  await throttledNow()
  assert.equal(worker.starts.length, 2, 'nothing starts for an invocation')
  for (const environment of worker.environments) {
    environment.finish()
    environment.finish()
  }
  assert.equal((await results).length, 4)
})

test('managed: without an environment everything is refused', async () => {
  const { throttledNow, worker } = await setup(0)
  await throttledNow()
  assert.equal(worker.starts.length, 0)
})

test('managed: one that is to go ends after its last invocation', async () => {
  const { worker, send, keep, throttledNow } = await setup(1)
  const results = Promise.all([send(), send()])
  await settle()
  await keep(0)
  const [environment] = worker.environments
  environment?.finish()
  await settle()
  assert.equal(environment?.state, 'busy')
  await throttledNow()
  environment?.finish()
  await results
  await settle()
  assert.equal(environment?.state, 'gone')
})

test('managed: an environment that has no room for an id goes on', async () => {
  const { worker, send } = await setup(1)
  const refused = assert.rejects(send(), LambdaError)
  await settle()
  worker.environments[0]?.fail(new LambdaError('TooManyRequestsException', 'Rate Exceeded.', { status: 429 }))
  await refused
  worker.environments[0]?.finish()
  await settle()
  const next = send()
  await settle()
  worker.environments[0]?.finish()
  await next
  assert.equal(worker.environments[0]?.stops, 0)
})

test('managed: the peak counts what was refused, and begins anew when it was asked', async () => {
  const { placement, send, throttledNow, worker } = await setup(1)
  const results = Promise.all([send(), send()])
  await settle()
  await throttledNow()
  assert.equal(placement.takePeak(version), 3)
  assert.equal(placement.takePeak(version), 2)
  worker.environments[0]?.finish()
  worker.environments[0]?.finish()
  await results
  assert.equal(placement.takePeak(version), 2)
  assert.equal(placement.takePeak(version), 0)
  placement.retire({ id: ID, version: '1' })
})
