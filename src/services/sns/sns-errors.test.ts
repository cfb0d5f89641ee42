import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  ACCOUNT,
  CONTEXT,
  queue,
  refused,
  topicService,
  type Input,
} from '../../../test/support/topic-service.ts'

test('sns: says what is wrong as AWS does', async (t) => {
  const { open } = await topicService(t)
  const { service, send } = await open()
  const { TopicArn } = await send('CreateTopic', { Name: 'orders', Tags: [{ Key: 'k', Value: 'v' }] })
  const fifo = await send('CreateTopic', { Name: 'f.fifo', Attributes: { FifoTopic: 'true' } })
  const sub = await send('Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: queue('q') })
  const attributes = { AttributeName: 'RawMessageDelivery', AttributeValue: 'maybe' }
  const invalid = 'InvalidParameter'
  const bad = (DataType: string, value: Input) => ({
    TopicArn,
    Message: 'm',
    MessageAttributes: { attr1: { DataType, ...value } },
  })
  // All recorded from AWS.
  const cases: readonly (readonly [operation: string, input: Input, code: string, message: string])[] = [
    ['GetTopicAttributes', { TopicArn: `${TopicArn}x` }, 'NotFound', 'Topic does not exist'],
    [
      'GetTopicAttributes',
      { TopicArn: 'random' },
      invalid,
      'Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1',
    ],
    [
      'Publish',
      { TopicArn: '', Message: 'm' },
      invalid,
      'Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1',
    ],
    [
      'Publish',
      { TopicArn: TopicArn?.replace('us-east-1', 'us-west-2'), Message: 'm' },
      invalid,
      'Invalid parameter: TopicArn',
    ],
    ['Publish', { TopicArn: `${TopicArn}x`, Message: 'm' }, 'NotFound', 'Topic does not exist'],
    [
      'Publish',
      { TargetArn: `arn:aws:sns:us-east-1:${ACCOUNT}:endpoint/APNS/x/y`, Message: 'm' },
      invalid,
      'Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified',
    ],
    ['Publish', { TopicArn, Message: 'm', Subject: '' }, invalid, 'Invalid parameter: Subject'],
    ['Publish', { TopicArn, Message: '' }, invalid, 'Invalid parameter: Empty message'],
    ['Publish', { TopicArn, Message: 'x'.repeat(262_145) }, invalid, 'Invalid parameter: Message too long'],
    [
      'Publish',
      { TopicArn, Message: '{"a":1}', MessageStructure: 'json' },
      invalid,
      'Invalid parameter: Message Structure - No default entry in JSON message body',
    ],
    [
      'Publish',
      { TopicArn, Message: '{"default":1}', MessageStructure: 'json' },
      invalid,
      'Invalid parameter: Message Structure - No default entry in JSON message body',
    ],
    [
      'Publish',
      { TopicArn, Message: 'no', MessageStructure: 'json' },
      invalid,
      'Invalid parameter: Message Structure - JSON message body failed to parse',
    ],
    [
      'Publish',
      { TopicArn, Message: 'm', MessageDeduplicationId: 'd' },
      invalid,
      'Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type',
    ],
    [
      'Publish',
      { TopicArn: fifo['TopicArn'], Message: 'm' },
      invalid,
      'Invalid parameter: The MessageGroupId parameter is required for FIFO topics',
    ],
    [
      'Publish',
      { TopicArn: fifo['TopicArn'], Message: 'm', MessageGroupId: 'g' },
      invalid,
      'Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    ],
    [
      'Publish',
      { PhoneNumber: '+1a234', Message: 'm' },
      invalid,
      'Invalid parameter: PhoneNumber Reason: +1a234 is not valid to publish to',
    ],
    [
      'Publish',
      bad('String', {}),
      'ParameterValueInvalid',
      "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type 'String'.",
    ],
    [
      'Publish',
      bad('Number', { BinaryValue: Buffer.from('1') }),
      'ParameterValueInvalid',
      "The message attribute 'attr1' with type 'Number' must use field 'String'.",
    ],
    [
      'Publish',
      bad('Binary', { StringValue: '1' }),
      'ParameterValueInvalid',
      "The message attribute 'attr1' with type 'Binary' must use field 'Binary'.",
    ],
    [
      'Publish',
      bad('Invalid', { StringValue: '1' }),
      'ParameterValueInvalid',
      "The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.",
    ],
    [
      'PublishBatch',
      {
        TopicArn,
        PublishBatchRequestEntries: Array.from({ length: 11 }, (_, index) => ({
          Id: `${index}`,
          Message: 'm',
        })),
      },
      'TooManyEntriesInBatchRequest',
      'The batch request contains more entries than permissible.',
    ],
    [
      'PublishBatch',
      {
        TopicArn,
        PublishBatchRequestEntries: [
          { Id: '1', Message: 'm' },
          { Id: '1', Message: 'm' },
        ],
      },
      'BatchEntryIdsNotDistinct',
      'Two or more batch entries in the request have the same Id.',
    ],
    [
      'PublishBatch',
      {
        TopicArn,
        PublishBatchRequestEntries: [
          { Id: '1', Message: 'x'.repeat(200_000) },
          { Id: '2', Message: 'x'.repeat(100_000) },
        ],
      },
      'BatchRequestTooLong',
      'The length of all the messages put together is more than the limit.',
    ],
    ['CreateTopic', { Name: 'a:b' }, invalid, 'Invalid parameter: Topic Name'],
    ['CreateTopic', { Name: 'a'.repeat(257) }, invalid, 'Invalid parameter: Topic Name'],
    [
      'CreateTopic',
      {
        Name: 'orders',
        Tags: [
          { Key: 'k', Value: 'v' },
          { Key: 'l', Value: 'w' },
        ],
      },
      invalid,
      'Invalid parameter: Tags Reason: Topic already exists with different tags',
    ],
    [
      'CreateTopic',
      {
        Name: 'o',
        Tags: [
          { Key: 'k', Value: 'v' },
          { Key: 'k', Value: 'w' },
        ],
      },
      invalid,
      'Invalid parameter: Duplicated keys are not allowed.',
    ],
    [
      'SetTopicAttributes',
      { TopicArn, AttributeName: 'FifoTopic', AttributeValue: 'false' },
      invalid,
      'Invalid parameter: AttributeName',
    ],
    [
      'Subscribe',
      { TopicArn, Protocol: 'test-protocol', Endpoint: 'x' },
      invalid,
      'Invalid parameter: Amazon SNS does not support this protocol string: test-protocol',
    ],
    [
      'Subscribe',
      { TopicArn, Protocol: 'sqs', Endpoint: 'http://x/q' },
      invalid,
      'Invalid parameter: SQS endpoint ARN',
    ],
    [
      'Subscribe',
      { TopicArn, Protocol: 'sms', Endpoint: 'NAA+15551234567' },
      invalid,
      'Invalid SMS endpoint: NAA+15551234567',
    ],
    [
      'Subscribe',
      { TopicArn, Protocol: 'sqs', Endpoint: queue('q.fifo') },
      invalid,
      'Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics',
    ],
    [
      'Subscribe',
      { TopicArn: `${TopicArn}x`, Protocol: 'sqs', Endpoint: queue('q') },
      'NotFound',
      'Topic does not exist',
    ],
    [
      'Subscribe',
      { TopicArn, Protocol: 'sqs', Endpoint: queue('q'), Attributes: { RawMessageDelivery: 'wrongvalue' } },
      invalid,
      'Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [wrongvalue]. Must be true or false.',
    ],
    [
      'Subscribe',
      { TopicArn, Protocol: 'sqs', Endpoint: queue('q'), Attributes: { RawMessageDelivery: 'true' } },
      invalid,
      'Invalid parameter: Attributes Reason: Subscription already exists with different attributes',
    ],
    [
      'Subscribe',
      {
        TopicArn: fifo['TopicArn'],
        Protocol: 'sqs',
        Endpoint: queue('q.fifo'),
        Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queue('d') }) },
      },
      invalid,
      'Invalid parameter: Attributes Reason: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.',
    ],
    [
      'SetSubscriptionAttributes',
      { ...sub, ...attributes },
      invalid,
      'Invalid parameter: RawMessageDelivery: Invalid value [maybe]. Must be true or false.',
    ],
    [
      'SetSubscriptionAttributes',
      { ...sub, AttributeName: 'fake', AttributeValue: 'x' },
      invalid,
      'Invalid parameter: AttributeName',
    ],
    [
      'SetSubscriptionAttributes',
      { ...sub, AttributeName: 'FilterPolicyScope', AttributeValue: 'RandomValue' },
      invalid,
      'Invalid parameter: FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or MessageAttributes',
    ],
    [
      'SetSubscriptionAttributes',
      { ...sub, AttributeName: 'FilterPolicy', AttributeValue: '{"a":{"b":["c"]}}' },
      invalid,
      'Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy',
    ],
    [
      'SetSubscriptionAttributes',
      { ...sub, AttributeName: 'RedrivePolicy', AttributeValue: '{"deadLetterTargetArn":"fake"}' },
      invalid,
      'Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn',
    ],
    [
      'SetSubscriptionAttributes',
      { ...sub, AttributeName: 'RedrivePolicy', AttributeValue: '{invalidjson}' },
      invalid,
      "Invalid parameter: RedrivePolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to start field name\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]",
    ],
    [
      'GetSubscriptionAttributes',
      { SubscriptionArn: `${TopicArn}:not-a-uuid` },
      invalid,
      'Invalid parameter: SubscriptionId',
    ],
    [
      'GetSubscriptionAttributes',
      { SubscriptionArn: `${TopicArn}:00000000-0000-0000-0000-000000000000` },
      'NotFound',
      'Subscription does not exist',
    ],
    [
      'Unsubscribe',
      { SubscriptionArn: '' },
      invalid,
      'Invalid parameter: SubscriptionArn Reason: no value for required parameter',
    ],
    ['Unsubscribe', { SubscriptionArn: TopicArn }, invalid, 'Invalid parameter: SubscriptionId'],
    ['ConfirmSubscription', { TopicArn, Token: 'randomtoken' }, invalid, 'Invalid parameter: Token'],
    ['ConfirmSubscription', { TopicArn, Token: 'ab'.repeat(144) }, invalid, 'Invalid token'],
    [
      'ConfirmSubscription',
      { TopicArn: TopicArn?.replace('us-east-1', 'us-west-2'), Token: 'ab'.repeat(144) },
      invalid,
      'Invalid parameter: Topic',
    ],
  ]
  for (const [operation, input, code, message] of cases) {
    await assert.rejects(
      send(operation, input),
      refused(code, message),
      `${operation} ${JSON.stringify(input).slice(0, 200)}`,
    )
  }
  const stranger = { ...CONTEXT, account: '999988887777' }
  await assert.rejects(send('Publish', { TopicArn, Message: 'm' }, stranger), refused('AuthorizationError'))
  assert.deepEqual(
    await send('Unsubscribe', { SubscriptionArn: `${TopicArn}:00000000-0000-0000-0000-000000000000` }),
    {},
  )
  await service.stop()
})
