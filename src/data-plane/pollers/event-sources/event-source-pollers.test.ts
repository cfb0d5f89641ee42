import assert from 'node:assert/strict'
import { test } from 'node:test'

import { mappingKey } from '#contracts/keys.ts'
import type { EventSourceMapping } from '#contracts/mapping.ts'
import type { Json } from '#kernel/json.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import { createEventSourcePollers } from './event-source-pollers.ts'

const SCOPE = { account: '000000000000', region: 'us-east-1' }
const mapping = (uuid: string, more: Partial<EventSourceMapping> = {}): EventSourceMapping => ({
  ...SCOPE,
  uuid,
  source: { kind: 'sqs', arn: 'arn:aws:sqs:us-east-1:000000000000:q', fifo: false },
  functionName: 'fn',
  settings: { batchSize: 10 },
  enabled: true,
  state: 'Enabled',
  stateTransitionReason: 'USER_INITIATED',
  tags: {},
  generation: 'one',
  modifiedAt: 0,
  ...more,
})

function rig() {
  const clock = createVirtualClock()
  const { meta } = createMemoryStore({ clock })
  const happened: string[] = []
  /** While set, closing waits for it. */
  let hold: PromiseWithResolvers<void> | undefined
  const pollers = createEventSourcePollers({
    meta,
    kinds: {
      sqs({ uuid, generation }) {
        happened.push(`start ${uuid} ${generation}`)
        return {
          async close() {
            await hold?.promise
            happened.push(`close ${uuid} ${generation}`)
          },
          destroy: () => void happened.push(`destroy ${uuid} ${generation}`),
        }
      },
    },
    clock,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  })
  return {
    pollers,
    happened,
    hold: () => (hold = Promise.withResolvers<void>()),
    write: async (doc: EventSourceMapping) => {
      await meta.txn([{ key: mappingKey(doc, doc.uuid), doc: doc as unknown as Json }])
    },
    remove: async (uuid: string) => {
      await meta.txn([{ key: mappingKey(SCOPE, uuid), doc: null }])
    },
  }
}

test('event sources: stored mappings are polled from the start, those that are off or of other kinds are not', async () => {
  const { pollers, happened, write } = rig()
  await write(mapping('a'))
  await write(mapping('b', { enabled: false, state: 'Disabled' }))
  await write(mapping('c', { source: { kind: 'dynamodb', arn: 'x' } }))
  await write(mapping('d', { state: 'Creating' }))
  await write(mapping('e', { state: 'Deleting' }))
  await pollers.start()
  await pollers.apply(mapping('d'))
  assert.deepEqual(happened, ['start a one', 'start d one'])
  assert.equal(pollers.polled, 2)
  await pollers.stop()
})

test('event sources: a new generation begins when the old one has let go; a new state alone changes nothing', async () => {
  const { pollers, happened, write, hold, remove } = rig()
  await pollers.start()
  await write(mapping('a', { state: 'Creating' }))
  await write(mapping('a'))
  await pollers.apply(mapping('a'))
  assert.deepEqual(happened, ['start a one'])

  const held = hold()
  const updating = mapping('a', { state: 'Updating', generation: 'two' })
  await write(updating)
  let isApplied = false
  const applied = pollers.apply(updating).then(() => (isApplied = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([isApplied, happened.length], [false, 1])
  held.resolve()
  await applied
  assert.deepEqual(happened.slice(1), ['close a one', 'start a two'])

  const deleting = mapping('a', { state: 'Deleting', generation: 'three' })
  await write(deleting)
  await pollers.apply(deleting)
  await remove('a')
  assert.deepEqual(happened.slice(3), ['close a two'])
  assert.equal(pollers.polled, 0)
  await pollers.stop()
})

test('event sources: draining closes, stopping destroys, and nothing begins afterwards', async () => {
  const { pollers, happened, write } = rig()
  await pollers.start()
  await write(mapping('a'))
  await pollers.apply(mapping('a'))
  await pollers.drain(1000)
  await write(mapping('b'))
  await pollers.stop()
  await pollers.apply(mapping('b'))
  assert.deepEqual(happened, ['start a one', 'close a one', 'destroy a one'])
})
