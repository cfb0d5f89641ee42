import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import type { FunctionVersion } from '#contracts/function.ts'
import type { SandboxDriver } from '#data-plane/sandbox/port.ts'
import { createWorker } from '#data-plane/worker/create-worker.ts'
import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'
import { createMemoryBlobs } from '#store/memory/memory-blobs.ts'

import { zipOf } from '../../../test/support/clients.ts'
import {
  createFakeGuest,
  extensionSessions,
  type FakeGuest,
  type GuestAction,
} from '../../../test/support/fake-guest.ts'
import { aVersion } from '../../../test/support/function-version.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A worker whose sandboxes hold fake guests, each playing `actions` in its only run. */
async function createRig(actions: readonly GuestAction[], create?: () => Promise<void>) {
  const directory = await mkdtemp(join(tmpdir(), 'lambent-worker-'))
  const blobs = createMemoryBlobs({ clock: systemClock })
  const zip = await zipOf({ 'index.js': '' })
  const blob = createHash('sha256').update(zip).digest('hex')
  await blobs.put(blob, zip)
  const guests: FakeGuest[] = []
  const driverCalls: string[] = []
  let newest: FakeGuest | undefined
  const driver = {
    report: {
      driver: 'oci',
      filesystem: { enforced: true },
      network: { enforced: true },
      images: { enforced: true },
    },
    async create() {
      await create?.()
      newest = createFakeGuest(systemClock, [actions])
      guests.push(newest)
      return newest.sandbox
    },
    sweep: () => Promise.resolve(driverCalls.push('sweep')),
    stop: () => Promise.resolve(void driverCalls.push('stop')),
  } as unknown as SandboxDriver
  const worker = createWorker({
    driver,
    sessions: {
      ...extensionSessions,
      framed: ({ control }) => {
        const guest = newest
        if (!guest || !control) throw new Error('No guest')
        return {
          ...guest.openSession(undefined as never),
          ready: Promise.resolve(),
          snapshot: () => assert.fail('nothing is kept here'),
          restore: () => assert.fail('nothing is kept here'),
        }
      },
      http: () => assert.fail('no HTTP here'),
      concurrent: () => assert.fail('no HTTP here'),
      credentials: () => assert.fail('nothing is kept here'),
    },
    blobs,
    packageKeys: { open: () => Promise.reject(new Error('Nothing is encrypted')) },
    environments: { open: async () => '{}' },
    logSink: { append() {} },
    metrics: { count() {}, gauge() {}, observe() {} },
    logger: silent,
    clock: systemClock,
    random: systemRandom,
    runtimes: {
      resolve: () =>
        Promise.resolve({
          version: '22.0.0',
          executable: '/usr/bin/node',
          lang: undefined,
          source: 'host' as const,
        }),
      add: () => assert.fail(),
      list: () => assert.fail(),
    },
    cacheDirectory: join(directory, 'cache'),
    clientsDirectory: '/clients',
    limits: { maxMemoryMiB: 300 },
  })
  await worker.start()
  return {
    worker,
    guests,
    driverCalls,
    version: (change: Partial<FunctionVersion> = {}) =>
      aVersion({ code: { blob, codeSha256: '', sizeBytes: zip.byteLength }, ...change }),
    async [Symbol.asyncDispose]() {
      await worker.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

test('worker: refuses what does not fit into its memory, and has room again after a stop', async () => {
  await using rig = await createRig([{ does: 'ready' }])
  const first = await rig.worker.startEnvironment(rig.version(), 'on-demand')
  await rig.worker.startEnvironment(rig.version(), 'on-demand')
  assert.deepEqual(rig.worker.capacity(), { memoryMiB: 256, maxMemoryMiB: 300, environments: 2 })
  await assert.rejects(rig.worker.startEnvironment(rig.version(), 'on-demand'), {
    code: 'TooManyRequestsException',
    status: 429,
  })
  await first.stop()
  assert.equal(rig.worker.capacity().memoryMiB, 128)
  await rig.worker.startEnvironment(rig.version(), 'on-demand')
})

test('worker: a start that fails gives back its memory and takes down what was made', async () => {
  await using rig = await createRig([], () => Promise.reject(new Error('no namespaces left')))
  await assert.rejects(rig.worker.startEnvironment(rig.version(), 'on-demand'), {
    code: 'ServiceException',
    status: 500,
    message: 'The execution environment could not be started: no namespaces left',
  })
  assert.deepEqual(rig.worker.capacity(), { memoryMiB: 0, maxMemoryMiB: 300, environments: 0 })
})

test('worker: names the runtimes and packages that it cannot run', async () => {
  await using rig = await createRig([{ does: 'ready' }])
  for (const change of [{ runtime: 'cobol1.x' }, { runtime: undefined }]) {
    await assert.rejects(rig.worker.startEnvironment(rig.version(change), 'on-demand'), {
      code: 'InvalidRuntimeException',
      status: 502,
    })
    await assert.rejects(rig.worker.prepare(rig.version(change)), { code: 'InvalidRuntimeException' })
  }
  const uri = `registry.example/app@sha256:${'0'.repeat(64)}`
  const image = rig.version({ packageType: 'Image', image: { uri, resolvedUri: uri } })
  const noImages = { code: 'ServiceException', message: /Container images cannot be run here: / }
  await assert.rejects(rig.worker.startEnvironment(image, 'on-demand'), noImages)
  await assert.rejects(rig.worker.prepare(image), noImages)
  await rig.worker.prepare(rig.version())
})

test('worker: stop ends the environments and the starts under way, then the driver', async () => {
  await using rig = await createRig([{ does: 'take', ms: 60_000 }])
  const starting = assert.rejects(rig.worker.startEnvironment(rig.version(), 'on-demand'), {
    code: 'ServiceException',
  })
  while (rig.guests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await rig.worker.stop()
  await starting
  assert.deepEqual(rig.worker.capacity(), { memoryMiB: 0, maxMemoryMiB: 300, environments: 0 })
  assert.ok(rig.guests[0]?.calls.includes('destroy'))
  assert.deepEqual(rig.driverCalls, ['sweep', 'stop'])
  await assert.rejects(rig.worker.startEnvironment(rig.version(), 'on-demand'), { code: 'ServiceException' })
})

test('worker: drain waits for the invocation that runs, and takes no new start', async () => {
  await using rig = await createRig([
    { does: 'ready' },
    { does: 'next' },
    { does: 'take', ms: 20 },
    { does: 'answer', text: '1' },
  ])
  const environment = await rig.worker.startEnvironment(rig.version(), 'on-demand')
  const answer = environment.invoke(
    { requestId: 'r', payload: Buffer.from('1'), deadlineMs: 0, invokedFunctionArn: '' },
    { logType: 'None' },
  )
  await rig.worker.drain(5000)
  assert.equal(environment.state, 'idle')
  assert.equal(Buffer.from((await answer).payload).toString(), '1')
  await assert.rejects(rig.worker.startEnvironment(rig.version(), 'on-demand'), { code: 'ServiceException' })
})
