import assert from 'node:assert/strict'
import { test } from 'node:test'

import { throttled } from '#contracts/errors.ts'
import type { InvocationRequest, InvocationResult } from '#contracts/invocation.ts'
import type { EventSourceMapping, MappingSettings } from '#contracts/mapping.ts'
import { seededRandom } from '#kernel/random.ts'
import { createSemaphore } from '#kernel/semaphore.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import type { QueueClient, QueueMessage } from './queue-client.ts'
import { startQueuePoller } from './queue-poller.ts'

const ARN = 'arn:aws:sqs:us-east-1:000000000000:q'
const message = (MessageId: string): QueueMessage => ({
  MessageId,
  ReceiptHandle: MessageId,
  Body: MessageId,
})

/** A queue that gives out what is put in, and waits for more when it is empty. */
function rig(settings: Partial<MappingSettings> = {}) {
  const clock = createVirtualClock()
  const waiting: QueueMessage[] = []
  const removed: string[] = []
  const said: string[] = []
  const faults: Error[] = []
  let wake = Promise.withResolvers<void>()
  let receiving = 0
  let calls = 0
  /** A service that does not wait for messages. */
  let impatient = false
  const client: QueueClient = {
    queueUrl: async () => 'url',
    visibilityTimeoutSeconds: async () => 30,
    async receive(_url, { max }, signal) {
      const fault = faults.shift()
      if (fault) throw fault
      receiving++
      calls++
      try {
        while (waiting.length === 0) {
          if (impatient) return []
          signal.throwIfAborted()
          const left = new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => resolve(), { once: true })
          })
          await Promise.race([wake.promise, left])
        }
        return waiting.splice(0, max)
      } finally {
        receiving--
      }
    },
    remove: async (_url, receipts) => {
      removed.push(...receipts)
      return []
    },
    close() {},
  }
  const requests: InvocationRequest[] = []
  let answer: () => Promise<InvocationResult> = async () => ({
    executedVersion: '1',
    payload: Buffer.from('null'),
  })
  const log = (_level: string) => (text: string) => void said.push(text)
  const mapping: EventSourceMapping = {
    account: '000000000000',
    region: 'us-east-1',
    uuid: 'u',
    source: { kind: 'sqs', arn: ARN, fifo: false },
    functionName: 'fn',
    settings: { batchSize: 10, ...settings },
    enabled: true,
    state: 'Enabled',
    stateTransitionReason: '',
    tags: {},
    generation: 'g',
    modifiedAt: 0,
  }
  const poller = startQueuePoller({
    mapping,
    arn: ARN,
    openFilters: async () => undefined,
    client,
    frontend: {
      invoke: async (request) => {
        requests.push(request)
        return await answer()
      },
    },
    places: createSemaphore({ places: 4 }),
    mostReceivers: 4,
    clock,
    random: seededRandom(1),
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    metrics: { count() {}, gauge() {}, observe() {} },
  })
  return {
    poller,
    clock,
    requests,
    removed,
    said,
    faults,
    get receiving() {
      return receiving
    },
    get calls() {
      return calls
    },
    becomeImpatient: () => (impatient = true),
    answer: (next: typeof answer) => (answer = next),
    put(...ids: string[]) {
      waiting.push(...ids.map(message))
      wake.resolve()
      wake = Promise.withResolvers<void>()
    },
    settle: async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    },
  }
}

test('queue poller: a batch is deleted after the function has taken it', async () => {
  const { poller, put, settle, requests, removed } = rig()
  put('a', 'b')
  await settle()
  assert.equal(requests.length, 1)
  assert.deepEqual(removed, ['a', 'b'])
  await poller.close()
})

test('queue poller: throttles are waited out, and given back before the messages become visible', async () => {
  const { poller, clock, put, settle, requests, removed, answer, said } = rig()
  let throttles = 2
  answer(async () => {
    if (throttles-- > 0) throw throttled('ConcurrentInvocationLimitExceeded')
    return { executedVersion: '1', payload: Buffer.from('null') }
  })
  put('a')
  await settle()
  clock.advance(250)
  await settle()
  clock.advance(500)
  await settle()
  assert.deepEqual([requests.length, removed], [3, ['a']])

  throttles = Number.POSITIVE_INFINITY
  put('b')
  for (let second = 0; second < 20; second++) {
    await settle()
    clock.advance(1_000)
  }
  assert.deepEqual(removed, ['a'])
  assert.ok(said.includes('A batch went back to its queue'))
  await poller.close()
})

test('queue poller: a service that is away is asked again, less and less often', async () => {
  const { poller, clock, put, settle, faults, removed, said } = rig()
  faults.push(new Error('away'), new Error('away'))
  await settle()
  put('a')
  await settle()
  for (const delayMs of [1_000, 2_000]) {
    assert.deepEqual(removed, [])
    clock.advance(delayMs)
    await settle()
  }
  assert.deepEqual(removed, ['a'])
  assert.equal(said.filter((text) => text === 'A queue could not be read').length, 2)
  await poller.close()
})

test('queue poller: closing waits for the batch in hand, destroying does not', async () => {
  const { poller, put, settle, answer, removed } = rig()
  const held = Promise.withResolvers<InvocationResult>()
  answer(() => held.promise)
  put('a')
  await settle()
  let isClosed = false
  const closed = poller.close().then(() => (isClosed = true))
  await settle()
  assert.equal(isClosed, false)
  held.resolve({ executedVersion: '1', payload: Buffer.from('null') })
  await closed
  assert.deepEqual(removed, ['a'])
  poller.destroy()
})

test('queue poller: more receivers while there are messages, within the concurrency of the mapping', async () => {
  const wide = rig({ batchSize: 1 })
  const narrow = rig({ batchSize: 1, maximumConcurrency: 2 })
  for (const one of [wide, narrow]) {
    one.put('a', 'b', 'c', 'd', 'e', 'f')
    await one.settle()
    assert.equal(one.removed.length, 6)
  }
  assert.deepEqual([wide.receiving, narrow.receiving], [4, 2])
  await wide.poller.close()
  await narrow.poller.close()
  assert.deepEqual([wide.receiving, narrow.receiving], [0, 0])
})

test('queue poller: a service that does not wait is not asked without end', async () => {
  const one = rig()
  one.becomeImpatient()
  for (let halfSecond = 0; halfSecond < 10; halfSecond++) {
    await one.settle()
    one.clock.advance(500)
  }
  assert.ok(one.calls >= 9 && one.calls <= 11, `${one.calls} calls in five seconds`)
  one.put('a')
  one.clock.advance(500)
  await one.settle()
  assert.deepEqual(one.removed, ['a'])
  await one.poller.close()
})
