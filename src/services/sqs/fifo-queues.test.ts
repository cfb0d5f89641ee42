import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { createSqsRig, type SqsRig } from '../../../test/support/sqs-service.ts'

const rig = async (t: TestContext) => {
  const one = await createSqsRig()
  t.after(() => one.stop())
  return one
}
const fifo = (one: SqsRig, attributes: Readonly<Record<string, string>> = {}) =>
  one.queue('q.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true', ...attributes })
const group = (MessageGroupId: string, more: object = {}) => ({ MessageGroupId, ...more })

test('fifo: a group is blocked while a message of it is in flight, other groups are not', async (t) => {
  const one = await rig(t)
  const { send, receive, bodies, call, clock } = one
  const url = await fifo(one)
  for (const body of ['a1', 'a2', 'a3']) await send(url, body, group('a'))
  await send(url, 'b1', group('b'))
  const [a1] = await receive(url, { MaxNumberOfMessages: 1 })
  assert.equal(a1.Body, 'a1')
  assert.deepEqual(await bodies(url), ['b1'])
  assert.deepEqual(await bodies(url), [])
  await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: a1.ReceiptHandle })
  // As many of one group as there are, in their order.
  const rest = await receive(url)
  assert.deepEqual(
    rest.map(({ Body }) => Body),
    ['a2', 'a3'],
  )
  await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: rest[1].ReceiptHandle })
  await send(url, 'a4', group('a'))
  assert.deepEqual(await bodies(url), [])
  await clock.advance(30_000)
  assert.deepEqual((await bodies(url)).toSorted(), ['a2', 'a4', 'b1'])
})

test('fifo: sequence numbers grow, and every attribute of a message is told', async (t) => {
  const one = await rig(t)
  const url = await fifo(one)
  const first = await one.send(url, 'x', group('a', { MessageDeduplicationId: 'd1' }))
  const second = await one.send(url, 'y', group('a'))
  assert.match(first.SequenceNumber, /^\d{20}$/)
  assert.ok(first.SequenceNumber < second.SequenceNumber)
  const [x] = await one.receive(url, { AttributeNames: ['All'] })
  const { SequenceNumber, MessageDeduplicationId, MessageGroupId } = x.Attributes
  assert.deepEqual(
    [SequenceNumber, MessageDeduplicationId, MessageGroupId],
    [first.SequenceNumber, 'd1', 'a'],
  )
})

test('fifo: a duplicate within five minutes is answered like the first and not stored, deleted or not', async (t) => {
  const one = await rig(t)
  const { send, receive, bodies, call, clock, counts } = one
  const url = await fifo(one)
  const [first, second] = await Promise.all([send(url, 'x', group('a')), send(url, 'x', group('b'))])
  assert.deepEqual([first.MessageId, first.SequenceNumber], [second.MessageId, second.SequenceNumber])
  assert.deepEqual(await counts(url), [1, 0, 0])
  const [x] = await receive(url)
  await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: x.ReceiptHandle })
  await clock.advance(299_000)
  assert.equal((await send(url, 'x', group('a'))).MessageId, first.MessageId)
  assert.deepEqual(await bodies(url), [])
  await clock.advance(2_000)
  assert.notEqual((await send(url, 'x', group('a'))).MessageId, first.MessageId)
  assert.deepEqual(await bodies(url), ['x'])
})

test('fifo: the five minutes survive a crash, of messages that are there and of those that are not', async (t) => {
  const one = await rig(t)
  const { send, receive, counts, call, crash, clock, store } = one
  const url = await fifo(one)
  const gone = await send(url, 'gone', group('a'))
  const here = await send(url, 'here', group('b'))
  const [message] = await receive(url, { MaxNumberOfMessages: 1 })
  await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: message.ReceiptHandle })
  await crash()
  for (const before of [gone, here]) {
    const again = await send(url, before === gone ? 'gone' : 'here', group('c'))
    assert.deepEqual([again.MessageId, again.SequenceNumber], [before.MessageId, before.SequenceNumber])
  }
  assert.deepEqual(await counts(url), [1, 0, 0])
  // What is remembered for those that are gone does not stay for ever.
  assert.equal((await store.queueLog.size(1001)).entries, 1)
  await clock.advance(400_000)
  assert.equal((await store.queueLog.size(1001)).entries, 0)
})

test('fifo: with the scope of message groups a duplicate is one within its group', async (t) => {
  const one = await rig(t)
  const url = await fifo(one, {
    DeduplicationScope: 'messageGroup',
    FifoThroughputLimit: 'perMessageGroupId',
  })
  for (const name of ['a', 'b', 'a']) await one.send(url, 'same', group(name))
  assert.deepEqual(await one.bodies(url), ['same', 'same'])
})

test('fifo: what a message needs, in the words of AWS', async (t) => {
  const one = await rig(t)
  const plain = await one.queue('plain.fifo', { FifoQueue: 'true' })
  const send = (more: object) => one.failure('SendMessage', { QueueUrl: plain, MessageBody: 'x', ...more })
  const needsId =
    'InvalidParameterValueException: The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly'
  const needsGroup = 'The request must contain the parameter MessageGroupId.'
  assert.equal(await send(group('a')), needsId)
  assert.equal(
    await send({ MessageDeduplicationId: 'd' }),
    `MissingRequiredParameterException: ${needsGroup}`,
  )
  assert.equal(
    await send(group('a', { MessageDeduplicationId: 'd', DelaySeconds: 2 })),
    'InvalidParameterValueException: Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.',
  )
  const Entries = [{ Id: '1', MessageBody: 'x', MessageDeduplicationId: 'd' }]
  assert.equal(
    await one.failure('SendMessageBatch', { QueueUrl: plain, Entries }),
    `InvalidParameterValueException: ${needsGroup}`,
  )
})

test('fifo: a handle is good as long as the message is hidden, and no longer', async (t) => {
  const one = await rig(t)
  const url = await fifo(one, { VisibilityTimeout: '5' })
  await one.send(url, 'x', group('a'))
  const [{ ReceiptHandle }] = await one.receive(url)
  await one.clock.advance(5_000)
  assert.equal(
    await one.failure('DeleteMessage', { QueueUrl: url, ReceiptHandle }),
    `InvalidParameterValueException: Value ${ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
  )
  assert.deepEqual(await one.bodies(url), ['x'])
})

test('fifo: an attempt to receive that is repeated gets the same messages, as long as nothing was done to them', async (t) => {
  const one = await rig(t)
  const url = await fifo(one)
  for (const body of ['1', '2']) await one.send(url, body, group('a'))
  const attempt = { ReceiveRequestAttemptId: 'attempt', MaxNumberOfMessages: 2 }
  const first = await one.receive(url, attempt)
  const again = await one.receive(url, attempt)
  assert.deepEqual(again, first)
  assert.deepEqual(await one.bodies(url), [])
  await one.call('DeleteMessage', { QueueUrl: url, ReceiptHandle: first[0].ReceiptHandle })
  assert.deepEqual(await one.receive(url, attempt), [])
})

test('fifo: dead letters leave their group in order', async (t) => {
  const one = await rig(t)
  const letters = await one.queue('letters.fifo', { FifoQueue: 'true' })
  const arn = 'arn:aws:sqs:us-east-1:000000000000:letters.fifo'
  const url = await fifo(one, {
    VisibilityTimeout: '1',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 1 }),
  })
  for (const body of ['1', '2', '3']) await one.send(url, body, group('a'))
  assert.deepEqual(await one.bodies(url, { MaxNumberOfMessages: 2 }), ['1', '2'])
  await one.clock.advance(1_000)
  assert.deepEqual(await one.bodies(url), [])
  await one.clock.advance(10)
  assert.deepEqual(await one.bodies(url), ['3'])
  assert.deepEqual(await one.bodies(letters), ['1', '2'])
})

test('fifo: many consumers that fail at times see every group in its order', async (t) => {
  const one = await rig(t)
  const { send, receive, call, clock } = one
  const url = await fifo(one, { VisibilityTimeout: '1' })
  const groups = ['a', 'b', 'c', 'd', 'e']
  for (let at = 0; at < 40; at++) for (const name of groups) await send(url, `${name}${at}`, group(name))
  const seen = new Map<string, number[]>(groups.map((name) => [name, []]))
  let turn = 0
  const consume = async () => {
    const messages = await receive(url, { MaxNumberOfMessages: 3 })
    for (const { Body, ReceiptHandle } of messages) {
      // Every seventh is dropped with all that follow: they come back after their time.
      if (++turn % 7 === 0) return
      seen.get(Body[0])?.push(Number(Body.slice(1)))
      await call('DeleteMessage', { QueueUrl: url, ReceiptHandle })
    }
  }
  for (let round = 0; round < 200; round++) {
    await Promise.all([consume(), consume(), consume()])
    await clock.advance(250)
  }
  const inOrder = Array.from({ length: 40 }, (_, at) => at)
  for (const name of groups) assert.deepEqual(seen.get(name), inOrder)
})
