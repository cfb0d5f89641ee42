import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { createSqsRig, type SqsRig } from '../../../test/support/sqs-service.ts'

async function nodes(t: TestContext) {
  const one = await createSqsRig()
  const two = await createSqsRig(one)
  t.after(async () => {
    await one.stop()
    await two.stop()
  })
  /** Time goes on until it is done. */
  const passing = async <Result>(pending: Promise<Result>): Promise<Result> => {
    let isDone = false
    void pending.then(
      () => (isDone = true),
      () => (isDone = true),
    )
    for (let turn = 0; turn < 500 && !isDone; turn++) await one.clock.advance(50)
    return await pending
  }
  return { one, two, passing }
}

test('sqs on two nodes: a queue goes to the node that is asked for it, with all that is known of its messages', async (t) => {
  const { one, two, passing } = await nodes(t)
  const url = await one.queue('q')
  for (const body of ['a', 'b', 'c']) await one.send(url, body)
  const [a, b] = await one.receive(url, { MaxNumberOfMessages: 2, VisibilityTimeout: 100 })
  assert.deepEqual(await passing(two.counts(url)), [1, 2, 0])
  // Handles are good on every node.
  await passing(two.call('DeleteMessage', { QueueUrl: url, ReceiptHandle: a.ReceiptHandle }))
  assert.deepEqual(await two.bodies(url), ['c'])
  assert.deepEqual(await passing(one.counts(url)), [0, 2, 0])
  await passing(one.call('DeleteMessage', { QueueUrl: url, ReceiptHandle: b.ReceiptHandle }))
  assert.deepEqual(await passing(one.counts(url)), [0, 1, 0])
})

test('sqs on two nodes: FIFO queues keep their order and their five minutes', async (t) => {
  const { one, two, passing } = await nodes(t)
  const url = await one.queue('q.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' })
  const group = { MessageGroupId: 'g' }
  const first = await one.send(url, '1', group)
  assert.equal((await passing(two.send(url, '1', group))).MessageId, first.MessageId)
  await two.send(url, '2', group)
  const [message] = await two.receive(url, { MaxNumberOfMessages: 1, VisibilityTimeout: 600 })
  assert.equal(message.Body, '1')
  assert.deepEqual(await passing(one.bodies(url)), [], 'the group is blocked here, too')
  await one.call('DeleteMessage', { QueueUrl: url, ReceiptHandle: message.ReceiptHandle })
  assert.equal((await passing(two.send(url, '1', group))).MessageId, first.MessageId)
  assert.deepEqual(await two.bodies(url), ['2'])
})

test('sqs on two nodes: both work on one queue at once, and nothing is lost or comes twice', async (t) => {
  const { one, two, passing } = await nodes(t)
  const url = await one.queue('q', { VisibilityTimeout: '3600' })
  const [sent, seen] = [new Set<string>(), new Set<string>()]
  /** As clients do with a queue that is moving. */
  const patiently = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await run()
      } catch (error) {
        if (attempt >= 20) throw error
      }
    }
  }
  const work = async (node: SqsRig, name: string) => {
    for (let round = 0; round < 15; round++) {
      const body = `${name}${round}`
      await patiently(() => node.send(url, body))
      sent.add(body)
      for (const { Body, ReceiptHandle } of await patiently(() => node.receive(url))) {
        assert.ok(!seen.has(Body), `${Body} was received before`)
        seen.add(Body)
        await patiently(() => node.call('DeleteMessage', { QueueUrl: url, ReceiptHandle }))
      }
    }
  }
  await passing(Promise.all([work(one, 'a'), work(two, 'b')]))
  for (const { Body } of await passing(patiently(() => one.receive(url)))) seen.add(Body)
  assert.deepEqual([...seen].toSorted(), [...sent].toSorted())
  assert.deepEqual((await passing(one.counts(url)))[0], 0)
})

test('sqs on two nodes: a queue that one deletes is gone from both, and its messages from the log', async (t) => {
  const { one, two, passing } = await nodes(t)
  const url = await one.queue('q')
  await one.send(url, 'a')
  await passing(two.call('DeleteQueue', { QueueUrl: url }))
  assert.match(await one.failure('SendMessage', { QueueUrl: url, MessageBody: 'b' }), /^QueueDoesNotExist/)
  await one.clock.advance(1_000)
  assert.equal((await one.store.queueLog.size(1000)).entries, 0)
  assert.deepEqual(await one.store.meta.list('sqs-remains/', '', 9), [])
})

test('sqs on two nodes: a task runs on one of them and is cancelled from either', async (t) => {
  const { one, two, passing } = await nodes(t)
  const letters = await one.queue('letters')
  await one.queue('other')
  const SourceArn = 'arn:aws:sqs:us-east-1:000000000000:letters'
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: 1 })
  await one.queue('q', { RedrivePolicy })
  for (let at = 0; at < 20; at++) await one.send(letters, String(at))
  const DestinationArn = 'arn:aws:sqs:us-east-1:000000000000:other'
  const slow = { SourceArn, DestinationArn, MaxNumberOfMessagesPerSecond: 1 }
  const { TaskHandle } = await one.call('StartMessageMoveTask', slow)
  await one.clock.advance(2_500)
  assert.match(await two.failure('StartMessageMoveTask', slow), /There is already a task running/)
  await passing(two.call('CancelMessageMoveTask', { TaskHandle }))
  await one.clock.advance(2_500)
  const { Results } = await two.call('ListMessageMoveTasks', { SourceArn })
  assert.equal(Results[0].Status, 'CANCELLED')
  assert.equal(Results[0].ApproximateNumberOfMessagesToMove, 20)
})
