import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'

import {
  ACCOUNT,
  CONTEXT,
  queue,
  refused,
  topicService,
  type Answer,
  type Input,
} from '../../../test/support/topic-service.ts'

test('sns: a message goes to every queue and function whose filter lets it pass', async (t) => {
  const { clock, open, seen } = await topicService(t)
  const { service, send } = await open()
  const { TopicArn } = await send('CreateTopic', { Name: 'orders' })
  const to = (Protocol: string, Endpoint: string, Attributes: Input = {}) =>
    send('Subscribe', { TopicArn, Protocol, Endpoint, Attributes })
  await to('sqs', queue('all'))
  await to('sqs', queue('raw'), { RawMessageDelivery: 'true' })
  await to('sqs', queue('few'), { FilterPolicy: '{"kind":["other"]}' })
  const handler = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:handler`
  await to('lambda', handler)
  const { MessageId } = await send(
    'Publish',
    {
      TopicArn,
      Message: '{"default":"for all","lambda":"for functions"}',
      MessageStructure: 'json',
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'first' } },
    },
    { ...CONTEXT, traceId: 'Root=1-a;Lineage=1:b:0' },
  )
  await clock.advance(0)
  await t.waitFor(() => assert.equal(seen.length, 3))
  const by = (end: string) =>
    seen.find(({ input }) => Object.values(input as Answer).some((value) => value.toString().endsWith(end)))
  const inputOf = (end: string) => (by(end)?.input ?? {}) as Answer
  const actor = { servicePrincipal: 'sns.amazonaws.com', sourceArn: TopicArn, sourceAccount: ACCOUNT }
  assert.deepEqual(by('/all')?.as, actor)
  assert.deepEqual(by('/raw')?.input, {
    QueueUrl: `https://sqs.us-east-1.amazonaws.com/${ACCOUNT}/raw`,
    MessageBody: 'for all',
    MessageAttributes: { kind: { DataType: 'String', StringValue: 'first' } },
    MessageSystemAttributes: {
      AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-a;Lineage=1:b:0' },
    },
  })
  const envelope = JSON.parse(inputOf('/all')['MessageBody'] ?? '') as Answer
  assert.equal(envelope['MessageId'], MessageId)
  assert.equal(envelope['Message'], 'for all')
  const invoke = by(':handler')
  assert.deepEqual([invoke?.operation, invoke?.traceId], ['Invoke', 'Root=1-a;Lineage=1:b:0'])
  const input = invoke?.input as { readonly InvocationType: string; readonly Payload: Uint8Array }
  assert.equal(input.InvocationType, 'Event')
  assert.match(Buffer.from(input.Payload).toString(), /"Message":"for functions"/)
  await service.stop()
})

test('sns: an endpoint that fails is tried again as AWS does, then its dead-letter queue has the message', async (t) => {
  const { clock, open, failures, at, inputs } = await topicService(t)
  const { service, send } = await open()
  const { TopicArn } = await send('CreateTopic', { Name: 'orders' })
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queue('dead') })
  const Attributes = { RawMessageDelivery: 'true', RedrivePolicy }
  await send('Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: queue('busy'), Attributes })
  failures.set('busy', new LambdaError('InternalError', 'no', { status: 500 }))
  const from = clock.now()
  await send('Publish', { TopicArn, Message: 'again' })
  await clock.advance(150_000)
  const after = at.map((ms) => ms - from)
  assert.ok(after.length > 15, after.join())
  // At once four times, then a second each, then up to 20 s; the jitter shortens by a tenth at most.
  assert.ok((after[3] ?? 99) <= 5, after.join())
  for (const [index, least] of [
    [4, 900],
    [5, 1800],
  ] as const) {
    assert.ok((after[index] ?? 0) >= least && (after[index] ?? 0) <= least / 0.9 + 10, after.join())
  }
  const last = (after.at(-1) ?? 0) - (after.at(-2) ?? 0)
  assert.ok(last >= 18_000 && last <= 20_010, after.join())
  // What the endpoint itself refuses is not tried again.
  failures.set('busy', new LambdaError('AWS.SimpleQueueService.NonExistentQueue', 'gone', { status: 400 }))
  await clock.advance(25_000)
  assert.deepEqual(inputs().at(-1), {
    QueueUrl: `https://sqs.us-east-1.amazonaws.com/${ACCOUNT}/dead`,
    MessageBody: 'again',
  })
  const count = inputs().length
  await clock.advance(100_000)
  assert.equal(inputs().length, count)
  await service.stop()
})

test('sns: what was published is delivered after a restart', async (t) => {
  const { clock, open, failures, bodies } = await topicService(t)
  const first = await open()
  const { TopicArn } = await first.send('CreateTopic', { Name: 'orders' })
  await first.send('Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: queue('q') })
  failures.set('q', new LambdaError('InternalError', 'no', { status: 500 }))
  const { MessageId } = await first.send('Publish', { TopicArn, Message: 'kept' })
  await first.service.stop()
  failures.clear()
  const second = await open()
  await clock.advance(1_000)
  await t.waitFor(() => assert.equal(bodies().at(-1)?.['MessageId'], MessageId))
  await second.service.stop()
})

test('sns: a FIFO topic knows a message again for five minutes, and keeps the order of a group', async (t) => {
  const { clock, open, failures, inputs } = await topicService(t)
  const first = await open()
  const { TopicArn } = await first.send('CreateTopic', {
    Name: 'orders.fifo',
    Attributes: { FifoTopic: 'true', ContentBasedDeduplication: 'true' },
  })
  const RawMessageDelivery = 'true'
  await first.send('Subscribe', {
    TopicArn,
    Protocol: 'sqs',
    Endpoint: queue('q.fifo'),
    Attributes: { RawMessageDelivery },
  })
  const send = (at: typeof first, Message: string) =>
    at.send('Publish', { TopicArn, Message, MessageGroupId: 'g' })
  failures.set('q.fifo', new LambdaError('InternalError', 'no', { status: 500 }))
  const one = await send(first, 'one')
  const [two, same] = await Promise.all([send(first, 'two'), send(first, 'two')])
  assert.deepEqual(two, same)
  assert.match(one['SequenceNumber'] ?? '', /^\d{20}$/)
  assert.ok(BigInt(one['SequenceNumber'] ?? 0) < BigInt(two['SequenceNumber'] ?? 0))
  await clock.advance(30_000)
  assert.ok(inputs().every(({ MessageBody }) => MessageBody === 'one'))
  await first.service.stop()
  const second = await open()
  await clock.advance(5_000)
  assert.deepEqual(await send(second, 'one'), one)
  const three = await send(second, 'three')
  failures.clear()
  const before = inputs().length
  await clock.advance(30_000)
  assert.deepEqual(
    inputs()
      .slice(before)
      .map(({ MessageBody }) => MessageBody),
    ['one', 'two', 'three'],
  )
  assert.equal(inputs().at(-1)?.['MessageGroupId'], 'g')
  assert.match(inputs().at(-1)?.['MessageDeduplicationId'] ?? '', /^[0-9a-f]{64}$/)
  await clock.advance(300_000)
  assert.notDeepEqual(await send(second, 'three'), three)
  await second.service.stop()
})

test('sns: shows attributes as AWS does, and ends what is deleted', async (t) => {
  const { open } = await topicService(t)
  const { service, send } = await open()
  const made = await send('CreateTopic', {
    Name: 'orders',
    Attributes: { FifoTopic: 'false', DisplayName: 'Orders' },
  })
  const { TopicArn } = made
  assert.deepEqual(await send('CreateTopic', { Name: 'orders' }), made)
  const sub = await send('Subscribe', {
    TopicArn,
    Protocol: 'sqs',
    Endpoint: queue('q'),
    Attributes: { FilterPolicyScope: 'MessageBody' },
  })
  const pending = await send('Subscribe', { TopicArn, Protocol: 'email', Endpoint: 'a@example.com' })
  assert.equal(pending['SubscriptionArn'], 'pending confirmation')
  const attributesOf = async () => {
    const answer = await send('GetSubscriptionAttributes', sub)
    return answer['Attributes'] as unknown as Answer
  }
  // Members recorded from AWS.
  assert.deepEqual(await attributesOf(), {
    ConfirmationWasAuthenticated: 'true',
    Endpoint: queue('q'),
    Owner: ACCOUNT,
    PendingConfirmation: 'false',
    Protocol: 'sqs',
    RawMessageDelivery: 'false',
    SubscriptionArn: sub['SubscriptionArn'],
    SubscriptionPrincipal: CONTEXT.principal.arn,
    TopicArn,
  })
  const set = (AttributeName: string, AttributeValue: string) =>
    send('SetSubscriptionAttributes', { ...sub, AttributeName, AttributeValue })
  await set('FilterPolicy', '{"a":{"b":["c"]}}')
  assert.equal((await attributesOf())['FilterPolicyScope'], 'MessageBody')
  await set('FilterPolicy', '{}')
  assert.equal((await attributesOf())['FilterPolicy'], undefined)
  const topicAttributes = (await send('GetTopicAttributes', { TopicArn }))['Attributes'] as unknown as Answer
  assert.deepEqual(Object.keys(topicAttributes).toSorted(), [
    'DisplayName',
    'EffectiveDeliveryPolicy',
    'Owner',
    'Policy',
    'SubscriptionsConfirmed',
    'SubscriptionsDeleted',
    'SubscriptionsPending',
    'TopicArn',
  ])
  assert.deepEqual(
    [topicAttributes['SubscriptionsConfirmed'], topicAttributes['SubscriptionsPending']],
    ['1', '1'],
  )
  await send('AddPermission', {
    TopicArn,
    Label: 'other',
    AWSAccountId: ['999988887777'],
    ActionName: ['Publish'],
  })
  const granted = (await send('GetTopicAttributes', { TopicArn }))['Attributes'] as unknown as Answer
  assert.match(
    granted['Policy'] ?? '',
    /"Sid":"other","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"SNS:Publish"/,
  )
  await send('DeleteTopic', { TopicArn })
  await send('DeleteTopic', { TopicArn })
  await assert.rejects(
    send('GetSubscriptionAttributes', sub),
    refused('NotFound', 'Subscription does not exist'),
  )
  assert.deepEqual((await send('ListSubscriptions', {}))['Subscriptions'], [])
  await service.stop()
})

test('sns: lists come in pages of a hundred', async (t) => {
  const { open } = await topicService(t)
  const { service, send } = await open()
  const { TopicArn } = await send('CreateTopic', { Name: 'many' })
  const names = Array.from({ length: 120 }, (_, index) => `q${index}`)
  for (const name of names) await send('Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: queue(name) })
  const pages = async (operation: string, input: Input) => {
    const first = await send(operation, input)
    const second = await send(operation, { ...input, NextToken: first['NextToken'] })
    assert.equal(second['NextToken'], undefined)
    return [first, second].map((page) => page['Subscriptions'] as unknown as readonly Answer[])
  }
  for (const [operation, input] of [
    ['ListSubscriptions', {}],
    ['ListSubscriptionsByTopic', { TopicArn }],
  ] as const) {
    const [first = [], second = []] = await pages(operation, input)
    assert.deepEqual([first.length, second.length], [100, 20], operation)
    const endpoints = new Set([...first, ...second].map(({ Endpoint }) => Endpoint))
    assert.deepEqual(endpoints, new Set(names.map(queue)))
  }
  await assert.rejects(send('ListTopics', { NextToken: '!' }), refused('InvalidParameter'))
  await service.stop()
})

test('sns: messages of a topic with a KMS key lie encrypted, and wait while the key can not be used', async (t) => {
  const { clock, store, failures, kms, open, bodies } = await topicService(t)
  const first = await open()
  const Attributes = { KmsMasterKeyId: 'alias/aws/sns' }
  const { TopicArn } = await first.send('CreateTopic', { Name: 'secret', Attributes })
  await first.send('Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: queue('q') })
  failures.set('q', new LambdaError('InternalError', 'no', { status: 500 }))
  const publish = (at: typeof first) => at.send('Publish', { TopicArn, Message: 'confidential' })
  const { MessageId } = await publish(first)
  await publish(first)
  assert.equal(kms.keysMade, 1)
  const [stored] = await store.queueLog.load(48, 0n, 1)
  assert.ok(stored && stored.payload.byteLength > 0)
  assert.doesNotMatch(Buffer.from(stored.payload).toString() + stored.head, /confidential/)
  await first.service.stop()
  failures.clear()
  kms.isDisabled = true
  const second = await open()
  await clock.advance(10_000)
  await assert.rejects(publish(second), refused('KMSDisabled'))
  const before = bodies().length
  kms.isDisabled = false
  await clock.advance(30_000)
  // Signing takes real time.
  await t.waitFor(() => {
    const after = bodies().slice(before)
    assert.ok(after.some((body) => body['MessageId'] === MessageId && body['Message'] === 'confidential'))
  })
  await second.service.stop()
})
