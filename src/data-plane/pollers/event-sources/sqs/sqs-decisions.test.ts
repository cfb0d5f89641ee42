import assert from 'node:assert/strict'
import { test } from 'node:test'

import { doneWith } from './batch-outcome.ts'
import { partsOf, traceOf } from './message-traces.ts'
import type { QueueMessage } from './queue-client.ts'
import { receiversAfter, throttleDelayMs } from './receivers.ts'
import { payloadsOf, recordOf } from './sqs-event.ts'

const message = (MessageId: string, Body = MessageId): QueueMessage => ({
  MessageId,
  ReceiptHandle: `receipt ${MessageId}`,
  Body,
})
const BATCH = [message('a'), message('b'), message('c')]
const done = (answer: unknown, reportsFailures = true) =>
  doneWith(
    BATCH,
    { payload: Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)) },
    reportsFailures,
  )
    .map(({ MessageId }) => MessageId)
    .join('')

test('queue batch: without reports the whole batch succeeds or fails', () => {
  assert.equal(done({ batchItemFailures: [{ itemIdentifier: 'a' }] }, false), 'abc')
  assert.equal(done('whatever', false), 'abc')
  const failed = { payload: Buffer.from('{}'), functionError: 'Unhandled' } as const
  assert.deepEqual(doneWith(BATCH, failed, false), [])
  assert.deepEqual(doneWith(BATCH, failed, true), [])
})

test('queue batch: nothing named is success', () => {
  for (const answer of ['', 'null', {}, { batchItemFailures: [] }, { batchItemFailures: null }]) {
    assert.equal(done(answer), 'abc', JSON.stringify(answer))
  }
  assert.equal(done({ batchItemFailures: [{ itemIdentifier: 'b' }] }), 'ac')
})

test('queue batch: what can not be understood is failure of all', () => {
  const odd = [
    '{',
    '"text"',
    '7',
    { batchItemFailures: 'b' },
    { batchItemFailures: [null] },
    { batchItemFailures: [{ itemIdentifier: '' }] },
    { batchItemFailures: [{ itemIdentifier: null }] },
    { batchItemFailures: [{ id: 'b' }] },
    { batchItemFailures: [{ itemIdentifier: 'unknown' }] },
  ]
  for (const answer of odd) assert.equal(done(answer), '', JSON.stringify(answer))
})

test('queue receivers: come with messages, leave with silence, halve when throttled', () => {
  const limits = { least: 1, most: 8 }
  let now = 1
  for (let round = 0; round < 20; round++) now = receiversAfter('messages', now, limits)
  assert.equal(now, 8)
  assert.equal(receiversAfter('throttled', 8, limits), 4)
  assert.equal(receiversAfter('throttled', 1, limits), 1)
  for (let round = 0; round < 20; round++) now = receiversAfter('nothing', now, limits)
  assert.equal(now, 1)
})

test('queue receivers: a throttled batch goes back before its messages can be seen by others', () => {
  assert.equal(throttleDelayMs(0, 0, 30_000), 250)
  assert.equal(throttleDelayMs(10, 0, 30_000), 5_000)
  assert.equal(throttleDelayMs(10, 11_000, 30_000), undefined)
  assert.equal(throttleDelayMs(0, 0, 0), undefined)
})

test('queue event: payloads stay within the limit and keep the order', () => {
  const records = ['a', 'b', 'c', 'd'].map((id) => {
    const one = message(id, 'x'.repeat(100))
    return { message: one, record: recordOf(one, 'arn:aws:sqs:eu-west-1:000000000000:q') }
  })
  const oneBytes = Buffer.byteLength(JSON.stringify(records[0]?.record))
  const parts = payloadsOf(records, 2 * oneBytes + 20)
  assert.deepEqual(
    parts.map((part) => part.messages.map(({ MessageId }) => MessageId).join('')),
    ['ab', 'cd'],
  )
  for (const { payload, messages } of parts) {
    assert.ok(payload.byteLength <= 2 * oneBytes + 20)
    const { Records } = JSON.parse(payload.toString()) as {
      Records: { messageId: string; awsRegion: string }[]
    }
    assert.deepEqual(
      Records.map(({ messageId, awsRegion }) => [messageId, awsRegion]),
      messages.map(({ MessageId }) => [MessageId, 'eu-west-1']),
    )
  }
  assert.deepEqual(payloadsOf([], 100), [])
})

test('queue traces: what goes round in circles is apart from the rest, and leads its own part', () => {
  const root = `Root=1-68e5e4a1-${'ab'.repeat(12)};Parent=${'0'.repeat(16)};Sampled=0`
  const traced = (id: string, header: string | undefined) => ({
    message: { ...message(id), ...(header !== undefined && { Attributes: { AWSTraceHeader: header } }) },
  })
  const plain = traced('a', undefined)
  const first = traced('b', `${root};Lineage=1:a87bd80c:0`)
  const loop = traced('c', `${root};Lineage=9:a87bd80c:2`)
  const longer = traced('d', `${root};Lineage=30:a87bd80c:15`)
  const all = [plain, first, loop, longer]
  assert.deepEqual(partsOf(all, false), [
    [plain, first],
    [loop, longer],
  ])
  assert.deepEqual(partsOf(all, true), [all])
  assert.deepEqual(partsOf([loop], false), [[loop]])
  assert.deepEqual(partsOf([plain], false), [[plain]])
  assert.deepEqual(partsOf([], false), [[]])
  const messages = all.map((item) => item.message)
  assert.equal(traceOf(messages), longer.message.Attributes?.AWSTraceHeader)
  assert.equal(traceOf(messages.slice(0, 2)), first.message.Attributes?.AWSTraceHeader)
  assert.equal(traceOf([plain.message]), undefined)
})
