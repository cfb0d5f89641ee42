import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { createSqsRig } from '../../../test/support/sqs-service.ts'

const rig = async (t: TestContext) => {
  const one = await createSqsRig()
  t.after(() => one.stop())
  return one
}
const ARN = 'arn:aws:sqs:us-east-1:000000000000'

test('queues: made once, or again as the same; anything else is refused in the words of AWS', async (t) => {
  const { queue, failure } = await rig(t)
  const make = (QueueName: string, Attributes = {}) => failure('CreateQueue', { QueueName, Attributes })
  const url = await queue('q', { DelaySeconds: '1' })
  assert.equal(await queue('q', { DelaySeconds: '1', VisibilityTimeout: '30' }), url)
  assert.equal(await queue('q'), url)
  assert.equal(
    await make('q', { DelaySeconds: '2' }),
    'QueueNameExists: A queue already exists with the same name and a different value for attribute DelaySeconds',
  )
  const badName =
    'InvalidParameterValueException: Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length'
  for (const name of ['', 'a b', 'x'.repeat(81), 'q.fifo', 'a/b']) assert.equal(await make(name), badName)
  assert.match(await make('q', { FifoQueue: 'true' }), /must end with .fifo suffix/)
  assert.equal(await make('n', { Foo: '1' }), 'InvalidAttributeName: Unknown Attribute Foo.')
  assert.equal(
    await make('n', { ContentBasedDeduplication: 'true' }),
    'InvalidAttributeName: Unknown Attribute ContentBasedDeduplication.',
  )
  for (const [name, value] of [
    ['VisibilityTimeout', '43201'],
    ['MaximumMessageSize', '1048577'],
    ['MessageRetentionPeriod', '59'],
    ['DelaySeconds', '-1'],
    ['ReceiveMessageWaitTimeSeconds', '21'],
    ['SqsManagedSseEnabled', 'yes'],
    ['Policy', '{'],
  ] as const) {
    assert.equal(
      await make('n', { [name]: value }),
      `InvalidAttributeValue: Invalid value for the parameter ${name}.`,
    )
  }
})

test('queues: attributes that are set, taken away, and can not be changed', async (t) => {
  const { queue, call, failure } = await rig(t)
  const url = await queue('q')
  const fifo = await queue('f.fifo', { FifoQueue: 'true' })
  const set = (QueueUrl: string, Attributes: object) =>
    failure('SetQueueAttributes', { QueueUrl, Attributes })
  const get = async (QueueUrl: string, ...AttributeNames: string[]) =>
    (await call('GetQueueAttributes', { QueueUrl, AttributeNames })).Attributes
  assert.equal(await set(url, { FifoQueue: 'true' }), 'InvalidAttributeName: Unknown Attribute FifoQueue.')
  assert.equal(
    await set(fifo, { FifoQueue: 'false' }),
    'InvalidAttributeValue: Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.',
  )
  await call('SetQueueAttributes', { QueueUrl: url, Attributes: { KmsMasterKeyId: 'key' } })
  assert.deepEqual(await get(url, 'KmsMasterKeyId', 'SqsManagedSseEnabled', 'KmsDataKeyReusePeriodSeconds'), {
    KmsMasterKeyId: 'key',
    KmsDataKeyReusePeriodSeconds: '300',
    SqsManagedSseEnabled: 'false',
  })
  assert.equal(
    await set(url, { SqsManagedSseEnabled: 'true' }),
    'InvalidAttributeName: You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.',
  )
  await call('SetQueueAttributes', { QueueUrl: url, Attributes: { KmsMasterKeyId: '' } })
  assert.deepEqual(await get(url, 'KmsMasterKeyId', 'SqsManagedSseEnabled'), { SqsManagedSseEnabled: 'true' })
  assert.equal(await get(url), undefined)
  assert.equal(
    await failure('GetQueueAttributes', { QueueUrl: url, AttributeNames: ['Foo'] }),
    'InvalidAttributeName: Unknown Attribute Foo.',
  )
  assert.equal(
    await set(fifo, { FifoThroughputLimit: 'perMessageGroupId' }),
    'InvalidAttributeValue: Invalid value for the parameter FifoThroughputLimit. Reason: The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.',
  )
})

test('queues: redrive policies name a queue of the same kind that is there and allows it', async (t) => {
  const { queue, call, failure } = await rig(t)
  const url = await queue('q')
  const letters = await queue('letters')
  await queue('f.fifo', { FifoQueue: 'true' })
  const set = async (policy: string | object) => {
    const text = typeof policy === 'string' ? policy : JSON.stringify(policy)
    const told = await failure('SetQueueAttributes', { QueueUrl: url, Attributes: { RedrivePolicy: text } })
    return told.replace(
      `InvalidParameterValueException: Value ${text} for parameter RedrivePolicy is invalid. `,
      '',
    )
  }
  const to = (deadLetterTargetArn: string, maxReceiveCount: unknown = 3) => ({
    deadLetterTargetArn,
    maxReceiveCount,
  })
  assert.equal(await set('x'), 'Reason: Redrive policy is not a valid JSON map.')
  assert.equal(
    await set({ maxReceiveCount: 1 }),
    'Reason: Redrive policy does not contain mandatory attribute: deadLetterTargetArn.',
  )
  assert.equal(await set(to('dummy')), 'Reason: Invalid value for deadLetterTargetArn.')
  assert.equal(
    await set(to(`${ARN}:letters`, 0)),
    'Reason: Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.',
  )
  assert.equal(await set(to(`${ARN}:nobody`)), 'Reason: Dead letter target does not exist.')
  assert.equal(
    await set(to(`${ARN}:f.fifo`)),
    'Reason: Dead-letter queue must be same type of queue as the source.',
  )
  assert.equal(
    await set(to('arn:aws:sqs:eu-west-1:000000000000:letters')),
    'Reason: Dead letter target owner should be same as the source.',
  )
  const allow = (RedriveAllowPolicy: object) =>
    call('SetQueueAttributes', {
      QueueUrl: letters,
      Attributes: { RedriveAllowPolicy: JSON.stringify(RedriveAllowPolicy) },
    })
  await allow({ redrivePermission: 'denyAll' })
  assert.match(await set(to(`${ARN}:letters`)), /does not allow/)
  await allow({ redrivePermission: 'byQueue', sourceQueueArns: [`${ARN}:q`] })
  assert.equal(await set(to(`${ARN}:letters`, '3')), 'no failure')
  await assert.rejects(allow({ redrivePermission: 'byQueue' }), /unsupported format/)
  assert.equal(await set(''), 'no failure')
})

test('queues: batches are refused as a whole for what is wrong with them as a whole', async (t) => {
  const { queue, call, failure } = await rig(t)
  const QueueUrl = await queue('q')
  const batch = (...Ids: string[]) =>
    failure('SendMessageBatch', { QueueUrl, Entries: Ids.map((Id) => ({ Id, MessageBody: 'b' })) })
  assert.equal(
    await batch(),
    'EmptyBatchRequest: There should be at least one SendMessageBatchRequestEntry in the request.',
  )
  assert.equal(
    await batch(...Array.from({ length: 20 }, (_, at) => String(at))),
    'TooManyEntriesInBatchRequest: Maximum number of entries per request are 10. You have sent 20.',
  )
  for (const id of ['', 'a:b', 'x'.repeat(81)])
    assert.match(await batch(id), /^InvalidBatchEntryId: A batch entry id can/)
  assert.equal(await batch('a', 'b', 'a'), 'BatchEntryIdsNotDistinct: Id a repeated.')
  const half = { MessageBody: 'x'.repeat(524_289) }
  assert.equal(
    await failure('SendMessageBatch', {
      QueueUrl,
      Entries: [
        { Id: '1', ...half },
        { Id: '2', ...half },
      ],
    }),
    'BatchRequestTooLong: Batch requests cannot be longer than 1048576 bytes. You have sent 1048578 bytes.',
  )
  const { Successful, Failed } = await call('SendMessageBatch', {
    QueueUrl,
    Entries: [
      { Id: 'good', MessageBody: 'b' },
      { Id: 'bad', MessageBody: 'b', DelaySeconds: 901 },
    ],
  })
  assert.deepEqual(
    Successful.map(({ Id }: { Id: string }) => Id),
    ['good'],
  )
  assert.deepEqual(Failed, [
    {
      Id: 'bad',
      SenderFault: true,
      Code: 'InvalidParameterValue',
      Message:
        'Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.',
    },
  ])
})

test('queues: attributes of messages, their digests (recorded), and which of them are received', async (t) => {
  const { queue, send, receive, failure } = await rig(t)
  const url = await queue('q', { VisibilityTimeout: '0' })
  const text = (StringValue: string, DataType = 'String') => ({ DataType, StringValue })
  const MessageAttributes = { Hello: text('There'), General: text('Kenobi'), 'Help.Me': text('Me') }
  const sent = await send(url, 'msg', { MessageAttributes })
  assert.equal(sent.MD5OfMessageBody, '6e2baaf3b97dbeef01c0043275f9a0e7')
  assert.equal(sent.MD5OfMessageAttributes, '4c360f3fdafd970e05fae2f149d997f5')
  for (const [names, digest] of [
    [['All'], '4c360f3fdafd970e05fae2f149d997f5'],
    [['.*'], '4c360f3fdafd970e05fae2f149d997f5'],
    [['Hello', 'General'], 'fca026605781cb4126a1e9044df24232'],
    [['Hello', 'Nobody'], 'a311262e065454b75da111d535b8dacd'],
    [['Hel.*'], '83fee93c1bcd8b9a5a923ffacdc636c7'],
    [['Nobody'], undefined],
    [[], undefined],
  ] as const) {
    const [message] = await receive(url, { MessageAttributeNames: names })
    assert.equal(message.MD5OfMessageAttributes, digest, names.join())
  }
  const refused = (name: string, value: object) =>
    failure('SendMessage', { QueueUrl: url, MessageBody: 'b', MessageAttributes: { [name]: value } })
  assert.equal(
    await refused('ErrorDetails', text('')),
    "InvalidParameterValueException: Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.",
  )
  assert.match(await refused('a b', text('x')), /The message attribute name 'a b' is invalid/)
  assert.match(await refused('n', text('x', 'Number')), /Can't cast the value/)
  assert.match(await refused('n', text('x', 'Other')), /invalid message attribute type/)
  assert.match(
    await failure('SendMessage', { QueueUrl: url, MessageBody: 'a\u0001' }),
    /^InvalidMessageContents/,
  )
  assert.match(
    await failure('SendMessage', { QueueUrl: url, MessageBody: 'x'.repeat(1_048_577) }),
    /Message must be shorter than 1048576 bytes/,
  )
})

test('queues: lists come in pages, for who asks for them', async (t) => {
  const { queue, call } = await rig(t)
  const urls: string[] = []
  for (const name of ['b', 'a', 'ab', 'c']) urls.push(await queue(name))
  const sorted = urls.toSorted()
  assert.deepEqual(await call('ListQueues', {}), { QueueUrls: sorted })
  assert.deepEqual(await call('ListQueues', { QueueNamePrefix: 'zz' }), {})
  const first = await call('ListQueues', { MaxResults: 3 })
  assert.deepEqual(first.QueueUrls, sorted.slice(0, 3))
  assert.deepEqual(await call('ListQueues', { MaxResults: 3, NextToken: first.NextToken }), {
    QueueUrls: sorted.slice(3),
  })
})

test('queues: a task moves dead letters at its rate, can be cancelled, and outlives a crash', async (t) => {
  const { queue, send, counts, call, failure, clock, crash, bodies } = await rig(t)
  const letters = await queue('letters')
  const other = await queue('other')
  const start = (more = {}) => ({ SourceArn: `${ARN}:letters`, ...more })
  const list = async () => (await call('ListMessageMoveTasks', { SourceArn: `${ARN}:letters` })).Results[0]
  assert.equal(
    await failure('StartMessageMoveTask', start()),
    'InvalidParameterValueException: Source queue must be configured as a Dead Letter Queue.',
  )
  assert.match(
    await failure('StartMessageMoveTask', { SourceArn: `${ARN}:nobody` }),
    /^ResourceNotFoundException/,
  )
  await queue('q', {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `${ARN}:letters`, maxReceiveCount: 1 }),
  })
  for (let at = 0; at < 6; at++) await send(letters, String(at))
  const slow = start({ DestinationArn: `${ARN}:other`, MaxNumberOfMessagesPerSecond: 2 })
  const { TaskHandle } = await call('StartMessageMoveTask', slow)
  assert.match(await failure('StartMessageMoveTask', slow), /There is already a task running/)
  await clock.advance(10)
  const {
    Status,
    ApproximateNumberOfMessagesMoved: moved,
    ApproximateNumberOfMessagesToMove: toMove,
  } = await list()
  assert.deepEqual([Status, moved, toMove], ['RUNNING', 2, 6])
  await call('CancelMessageMoveTask', { TaskHandle })
  await clock.advance(5_000)
  const cancelled = await list()
  assert.deepEqual([cancelled.Status, cancelled.TaskHandle], ['CANCELLED', undefined])
  assert.deepEqual(
    [await counts(letters), await counts(other)],
    [
      [4, 0, 0],
      [2, 0, 0],
    ],
  )
  assert.equal(
    await failure('CancelMessageMoveTask', { TaskHandle }),
    'ResourceNotFoundException: Task does not exist.',
  )
  assert.equal(
    await failure('CancelMessageMoveTask', { TaskHandle: 'x' }),
    'InvalidParameterValueException: Value for parameter TaskHandle is invalid.',
  )

  await call('StartMessageMoveTask', slow)
  await clock.advance(10)
  await crash()
  await clock.advance(5_000)
  assert.equal((await list()).Status, 'COMPLETED')
  assert.deepEqual((await bodies(other)).toSorted(), ['0', '1', '2', '3', '4', '5'])

  // Without a destination each goes to where it came from, and these came from nowhere.
  await send(letters, 'orphan')
  await call('StartMessageMoveTask', start())
  await clock.advance(10)
  const failed = await list()
  assert.deepEqual(
    [failed.Status, failed.FailureReason],
    ['FAILED', 'AWS.SimpleQueueService.NonExistentQueue'],
  )
})
