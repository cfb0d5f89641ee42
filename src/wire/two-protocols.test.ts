/** One service, two protocols at one address: AWS JSON 1.0 and, of older clients, the query protocol. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'
import { createDoor } from '#wire/door.ts'
import { sqsModel } from '#wire/models/sqs.ts'
import type { OperationHandler } from '#wire/service.ts'

describe('two protocols', () => {
  let endpoint = ''
  let input: object = {}
  let reply: () => object = () => ({})
  const handler: OperationHandler<never, object> = async (given) => {
    input = given
    return reply()
  }
  const door = createDoor({
    services: [
      {
        model: sqsModel,
        handlers: Object.fromEntries(Object.keys(sqsModel.operations).map((name) => [name, handler])),
      },
    ],
    auth: { mode: 'off' },
    account: '000000000000',
    region: 'us-east-1',
    clock: systemClock,
    random: systemRandom,
    logger: { error() {} },
  })
  const server = createServer((request, response) => door(request, response))
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => server.close())

  const post = async (path: string, headers: Record<string, string>, body: string) => {
    const response = await fetch(`${endpoint}${path}`, { method: 'POST', headers, body })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  const json = (operation: string, body: object, path = '/') =>
    post(
      path,
      { 'x-amz-target': `AmazonSQS.${operation}`, 'content-type': 'application/x-amz-json-1.0' },
      JSON.stringify(body),
    )
  const form = (path: string, parameters: Record<string, string>) =>
    post(
      path,
      { 'content-type': 'application/x-www-form-urlencoded' },
      new URLSearchParams(parameters).toString(),
    )

  test('the header with the operation says JSON, its absence says query', async () => {
    reply = () => ({ QueueUrls: ['a', 'b'] })
    const first = await json('ListQueues', { MaxResults: 2 }, '/000000000000/q')
    assert.equal(first.headers.get('content-type'), 'application/x-amz-json-1.0')
    assert.deepEqual(JSON.parse(first.text), { QueueUrls: ['a', 'b'] })
    assert.deepEqual(input, { MaxResults: 2 })

    const second = await form('/?Version=2012-11-05&Action=ListQueues', {})
    assert.equal(second.headers.get('content-type'), 'text/xml')
    assert.match(
      second.text,
      /^<ListQueuesResponse xmlns="http:\/\/queue.amazonaws.com\/doc\/2012-11-05\/"><ListQueuesResult><QueueUrl>a<\/QueueUrl><QueueUrl>b<\/QueueUrl><\/ListQueuesResult><ResponseMetadata>/,
    )
  })

  test('flattened lists and maps of the query protocol, and the queue of the path', async () => {
    reply = () => ({
      Messages: [
        { Body: '<', Attributes: { SenderId: 'x' }, MessageAttributes: { k: { DataType: 'String' } } },
      ],
    })
    const answer = await form('/000000000000/q', {
      Action: 'SendMessageBatch',
      'SendMessageBatchRequestEntry.1.Id': 'one',
      'SendMessageBatchRequestEntry.1.MessageBody': 'body',
      'SendMessageBatchRequestEntry.1.MessageAttribute.1.Name': 'k',
      'SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType': 'Binary',
      'SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.BinaryValue': 'AAE=',
      'SendMessageBatchRequestEntry.2.Id': 'two',
      'SendMessageBatchRequestEntry.2.MessageBody': 'b',
      'SendMessageBatchRequestEntry.2.DelaySeconds': '7',
    })
    assert.equal(answer.status, 200)
    const attribute = { DataType: 'Binary', BinaryValue: Buffer.from([0, 1]) }
    assert.deepEqual(input, {
      QueueUrl: '/000000000000/q',
      Entries: [
        { Id: 'one', MessageBody: 'body', MessageAttributes: { k: attribute } },
        { Id: 'two', MessageBody: 'b', DelaySeconds: 7 },
      ],
    })
    const received = await form('/000000000000/q', { Action: 'ReceiveMessage', 'AttributeName.1': 'All' })
    assert.deepEqual(input, { QueueUrl: '/000000000000/q', AttributeNames: ['All'] })
    assert.match(
      received.text,
      /<Message><Body>&lt;<\/Body><Attribute><Name>SenderId<\/Name><Value>x<\/Value><\/Attribute><MessageAttribute><Name>k<\/Name><Value><DataType>String<\/DataType><\/Value><\/MessageAttribute><\/Message>/,
    )
  })

  test('an error has its older name too, and the query protocol that one alone', async () => {
    reply = () => {
      throw new LambdaError('PurgeQueueInProgress', 'wait')
    }
    const first = await json('PurgeQueue', { QueueUrl: 'q' })
    assert.equal(first.status, 403)
    assert.equal(
      first.headers.get('x-amzn-query-error'),
      'AWS.SimpleQueueService.PurgeQueueInProgress;Sender',
    )
    assert.deepEqual(JSON.parse(first.text), {
      __type: 'com.amazonaws.sqs#PurgeQueueInProgress',
      message: 'wait',
    })
    const second = await form('/000000000000/q', { Action: 'PurgeQueue' })
    assert.equal(second.status, 403)
    assert.match(
      second.text,
      /<Type>Sender<\/Type><Code>AWS.SimpleQueueService.PurgeQueueInProgress<\/Code><Message>wait<\/Message>/,
    )
    const absent = await json('PurgeQueue', {})
    assert.equal(absent.headers.get('x-amzn-query-error'), 'MissingParameter;Sender')
    assert.deepEqual(JSON.parse(absent.text), {
      __type: 'com.amazon.coral.service#MissingRequiredParameterException',
      message: 'The request must contain the parameter QueueUrl.',
    })
  })
})
