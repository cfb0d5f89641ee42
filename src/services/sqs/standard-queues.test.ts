import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { createSqsRig } from '../../../test/support/sqs-service.ts'

const rig = async (t: TestContext) => {
  const one = await createSqsRig()
  t.after(() => one.stop())
  return one
}

test('sqs: what is sent is received, hidden while it is in flight, and gone when it is deleted', async (t) => {
  const { queue, send, receive, counts, call, clock } = await rig(t)
  const url = await queue('q')
  assert.equal(url, 'http://localhost:4566/000000000000/q')
  const sent = await send(url, 'hello')
  assert.equal(sent.MD5OfMessageBody, '5d41402abc4b2a76b9719d911017c592')
  assert.deepEqual(await counts(url), [1, 0, 0])
  const [message] = await receive(url, { MessageSystemAttributeNames: ['All'] })
  assert.equal(message.MessageId, sent.MessageId)
  assert.deepEqual(message.Attributes, {
    SenderId: '000000000000',
    ApproximateFirstReceiveTimestamp: String(clock.now()),
    ApproximateReceiveCount: '1',
    SentTimestamp: String(clock.now()),
  })
  assert.deepEqual(await counts(url), [0, 1, 0])
  assert.deepEqual(await receive(url), [])
  await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: message.ReceiptHandle })
  // Once more is no mistake.
  await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: message.ReceiptHandle })
  await clock.advance(31_000)
  assert.deepEqual([await receive(url), await counts(url)], [[], [0, 0, 0]])
})

test('sqs: a message that is not deleted comes back after its visibility timeout, the queue’s or its own', async (t) => {
  const { queue, send, receive, bodies, clock } = await rig(t)
  const url = await queue('q', { VisibilityTimeout: '7' })
  await send(url, 'a')
  await receive(url)
  await clock.advance(6_999)
  assert.deepEqual(await bodies(url), [])
  await clock.advance(1)
  const [again] = await receive(url, { VisibilityTimeout: 2, AttributeNames: ['ApproximateReceiveCount'] })
  assert.deepEqual(again.Attributes, { ApproximateReceiveCount: '2' })
  await clock.advance(2_000)
  assert.deepEqual(await bodies(url, { VisibilityTimeout: 0 }), ['a'])
  assert.deepEqual(await bodies(url), ['a'])
})

test('sqs: the visibility of one message can be changed, also after it has run out', async (t) => {
  const { queue, send, receive, bodies, call, failure, clock } = await rig(t)
  const url = await queue('q')
  await send(url, 'a')
  const [{ ReceiptHandle }] = await receive(url)
  const change = (VisibilityTimeout: number) => ({ QueueUrl: url, ReceiptHandle, VisibilityTimeout })
  await call('ChangeMessageVisibility', change(60))
  await clock.advance(59_000)
  assert.deepEqual(await bodies(url), [])
  await call('ChangeMessageVisibility', change(0))
  await call('ChangeMessageVisibility', change(10))
  assert.deepEqual(await bodies(url), [])
  await clock.advance(10_000)
  assert.match(
    await failure('ChangeMessageVisibility', change(43_200)),
    /Total VisibilityTimeout .* \[43200 seconds\]/,
  )
  assert.match(await failure('ChangeMessageVisibility', change(43_201)), /^InvalidParameterValueException/)
  assert.deepEqual(await bodies(url), ['a'])
  // The handle of an earlier reception.
  assert.match(await failure('ChangeMessageVisibility', change(5)), /^MessageNotInflight/)
  await call('DeleteMessage', { QueueUrl: url, ReceiptHandle })
  await clock.advance(31_000)
  const [last] = await receive(url)
  assert.equal(last.Body, 'a', 'an old handle deletes nothing')
  await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: last.ReceiptHandle })
  assert.match(
    await failure('ChangeMessageVisibility', { ...change(5), ReceiptHandle: last.ReceiptHandle }),
    /Message does not exist or is not available for visibility timeout change/,
  )
  assert.match(
    await failure('DeleteMessage', { QueueUrl: url, ReceiptHandle: 'x' }),
    /^ReceiptHandleIsInvalid/,
  )
})

test('sqs: delays, of a queue and of a message', async (t) => {
  const { queue, send, bodies, counts, clock } = await rig(t)
  const url = await queue('q', { DelaySeconds: '5' })
  await send(url, 'late')
  await send(url, 'now', { DelaySeconds: 0 })
  await send(url, 'later', { DelaySeconds: 900 })
  assert.deepEqual(await counts(url), [1, 0, 2])
  assert.deepEqual(await bodies(url), ['now'])
  await clock.advance(5_000)
  assert.deepEqual(await bodies(url), ['late'])
  await clock.advance(895_000)
  assert.deepEqual((await bodies(url)).toSorted(), ['late', 'later', 'now'])
})

test('sqs: a long poll ends with the first message, after its time, or when the client goes', async (t) => {
  const { queue, send, bodies, call, clock } = await rig(t)
  const url = await queue('q', { ReceiveMessageWaitTimeSeconds: '3' })
  const first = bodies(url, { WaitTimeSeconds: 20 })
  await clock.advance(19_000)
  await send(url, 'a', { DelaySeconds: 0 })
  assert.deepEqual(await first, ['a'])
  const asTheQueueSays = bodies(url)
  await clock.advance(3_000)
  assert.deepEqual(await asTheQueueSays, [])
  const gone = new AbortController()
  const left = call('ReceiveMessage', { QueueUrl: url, WaitTimeSeconds: 20 }, gone.signal)
  await clock.advance(1_000)
  gone.abort()
  assert.deepEqual(await left, {})
  await clock.advance(15_000)
  // One that becomes visible again wakes, too, and only one of those who wait.
  const [one, two] = [bodies(url, { WaitTimeSeconds: 20 }), bodies(url, { WaitTimeSeconds: 15 })]
  await clock.advance(30_000)
  assert.deepEqual([await one, await two].toSorted(), [[], ['a']])
})

test('sqs: what was received too often goes to the dead-letter queue, and says where it comes from', async (t) => {
  const { queue, send, receive, bodies, counts, call, clock } = await rig(t)
  const letters = await queue('letters')
  const arn = 'arn:aws:sqs:us-east-1:000000000000:letters'
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 2 })
  const url = await queue('q', { RedrivePolicy, VisibilityTimeout: '1' })
  await send(url, 'poison', { MessageAttributes: { k: { DataType: 'String', StringValue: 'v' } } })
  for (let reception = 0; reception < 2; reception++) {
    assert.deepEqual(await bodies(url), ['poison'])
    await clock.advance(1_000)
  }
  assert.deepEqual(await bodies(url), [])
  await clock.advance(1_000)
  assert.deepEqual(await counts(url), [0, 0, 0])
  const [letter] = await receive(letters, { AttributeNames: ['All'], MessageAttributeNames: ['All'] })
  assert.equal(letter.Body, 'poison')
  assert.equal(letter.Attributes.DeadLetterQueueSourceArn, 'arn:aws:sqs:us-east-1:000000000000:q')
  assert.equal(letter.Attributes.ApproximateReceiveCount, '1')
  assert.deepEqual(letter.MessageAttributes, { k: { DataType: 'String', StringValue: 'v' } })
  assert.deepEqual(await call('ListDeadLetterSourceQueues', { QueueUrl: letters }), { queueUrls: [url] })
})

test('sqs: messages older than the retention are gone, also those in a queue that nobody reads', async (t) => {
  const { queue, send, bodies, counts, call, clock } = await rig(t)
  const url = await queue('q', { MessageRetentionPeriod: '60' })
  await send(url, 'a')
  await clock.advance(50_000)
  await send(url, 'b')
  await clock.advance(10_000)
  assert.deepEqual(await bodies(url, { VisibilityTimeout: 0 }), ['b'])
  await call('SetQueueAttributes', { QueueUrl: url, Attributes: { MessageRetentionPeriod: '3600' } })
  await clock.advance(3_000_000)
  assert.deepEqual(await counts(url), [1, 0, 0])
  await clock.advance(700_000)
  assert.deepEqual(await counts(url), [0, 0, 0])
})

test('sqs: a purge empties the queue, once a minute, and stays one after a crash', async (t) => {
  const { queue, send, bodies, receive, counts, call, failure, clock, crash, store } = await rig(t)
  const url = await queue('q')
  for (const body of ['a', 'b', 'c']) await send(url, body)
  await receive(url, { MaxNumberOfMessages: 1 })
  await call('PurgeQueue', { QueueUrl: url })
  await send(url, 'new')
  assert.deepEqual(await counts(url), [1, 0, 0])
  assert.equal(
    await failure('PurgeQueue', { QueueUrl: url }),
    'PurgeQueueInProgress: Only one PurgeQueue operation on q is allowed every 60 seconds.',
  )
  await crash()
  assert.deepEqual(await bodies(url, { VisibilityTimeout: 0 }), ['new'])
  assert.equal((await store.queueLog.size(1000)).entries, 1)
  await clock.advance(60_000)
  await call('PurgeQueue', { QueueUrl: url })
  assert.deepEqual(await counts(url), [0, 0, 0])
})

test('sqs: a crash loses nothing that was acknowledged, neither messages nor deletions', async (t) => {
  const { queue, send, receive, bodies, counts, call, crash } = await rig(t)
  const url = await queue('q')
  for (const body of ['a', 'b', 'c']) await send(url, body, { DelaySeconds: 0 })
  const [a, b] = await receive(url, { MaxNumberOfMessages: 2 })
  await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: a.ReceiptHandle })
  await crash()
  // What was in flight is visible early, and its handle still good.
  assert.deepEqual(await counts(url), [2, 0, 0])
  await call('DeleteMessage', { QueueUrl: url, ReceiptHandle: b.ReceiptHandle })
  assert.deepEqual(await bodies(url), ['c'])
})

test('sqs: a restart keeps what is in flight hidden, and its count', async (t) => {
  const { queue, send, receive, counts, clock, restart } = await rig(t)
  const url = await queue('q')
  await send(url, 'a')
  await receive(url)
  await restart()
  assert.deepEqual(await counts(url), [0, 1, 0])
  await clock.advance(30_000)
  const [again] = await receive(url, { AttributeNames: ['ApproximateReceiveCount'] })
  assert.equal(again.Attributes.ApproximateReceiveCount, '2')
})

test('sqs: a queue that was deleted leaves nothing, and one of its name begins empty', async (t) => {
  const { queue, send, bodies, call, failure, clock, store } = await rig(t)
  const url = await queue('q')
  await send(url, 'a')
  await call('DeleteQueue', { QueueUrl: url })
  assert.equal(
    await failure('SendMessage', { QueueUrl: url, MessageBody: 'b' }),
    'QueueDoesNotExist: The specified queue does not exist.',
  )
  await clock.advance(1)
  assert.deepEqual((await store.queueLog.size(1000)).entries, 0)
  assert.deepEqual(await store.meta.list('sqs-remains/', '', 9), [])
  await queue('q')
  assert.deepEqual(await bodies(url), [])
})

test('sqs: a backlog beyond what is kept in memory comes out whole and in order', async (t) => {
  const { queue, call, receive, restart } = await rig(t)
  const url = await queue('q')
  const bodies: string[] = []
  for (let at = 0; at < 3_000; at += 10) {
    const Entries = Array.from({ length: 10 }, (_, index) => ({
      Id: String(index),
      MessageBody: `${at + index} ${'x'.repeat(100)}`,
    }))
    bodies.push(...Entries.map(({ MessageBody }) => MessageBody))
    await call('SendMessageBatch', { QueueUrl: url, Entries })
  }
  await restart()
  const found: string[] = []
  for (;;) {
    const messages = await receive(url)
    if (messages.length === 0) break
    found.push(...messages.map(({ Body }) => Body))
    const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
    const { Failed } = await call('DeleteMessageBatch', { QueueUrl: url, Entries })
    assert.deepEqual(Failed, [])
  }
  assert.deepEqual(found, bodies)
})

test('sqs: who waits for messages of a queue that is deleted is answered at once', async (t) => {
  const { queue, call, clock } = await rig(t)
  const url = await queue('q')
  const waiting = call('ReceiveMessage', { QueueUrl: url, WaitTimeSeconds: 20 })
  await clock.advance(1_000)
  await call('DeleteQueue', { QueueUrl: url })
  assert.deepEqual(await waiting, {})
})
