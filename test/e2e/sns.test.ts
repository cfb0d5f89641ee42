/** Topics through real clients: to queues, functions and HTTP endpoints, in order, to dead-letter queues, over a crash. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { verify, X509Certificate } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import {
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishBatchCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns'
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
  type Message,
} from '@aws-sdk/client-sqs'

import {
  createFunction,
  errorOf,
  eventually,
  lambdaClient,
  logMessages,
  logsClient,
} from '../support/clients.ts'
import { startHttpEndpoint, type Posted } from '../support/http-endpoint.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'

const ACCOUNT = '000000000000'
const queueArn = (name: string) => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`
const functionArn = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`
const json = (text: string | undefined) => JSON.parse(text ?? '{}') as Record<string, string>

function clientsOf({ endpoint }: Pick<Program, 'endpoint'>) {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const common = { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 }
  const sns = new SNSClient(common)
  const sqs = new SQSClient(common)
  const url = (name: string) => `${endpoint}/${ACCOUNT}/${name}`
  return {
    sns,
    async topic(Name: string, Attributes: Record<string, string> = {}) {
      return (await sns.send(new CreateTopicCommand({ Name, Attributes }))).TopicArn ?? ''
    },
    async queue(QueueName: string, Attributes: Record<string, string> = {}) {
      await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
      return queueArn(QueueName)
    },
    async subscribe(
      TopicArn: string,
      Protocol: string,
      Endpoint: string,
      Attributes: Record<string, string> = {},
    ) {
      const input = { TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true }
      return (await sns.send(new SubscribeCommand(input))).SubscriptionArn ?? ''
    },
    /** Messages with at least `count` different bodies, which are then gone from the queue. */
    async receive(name: string, count: number): Promise<readonly Message[]> {
      const found: Message[] = []
      await eventually(`${count} messages in ${name}`, async () => {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: url(name),
            MaxNumberOfMessages: 10,
            WaitTimeSeconds: 1,
            MessageAttributeNames: ['All'],
            MessageSystemAttributeNames: ['All'],
          }),
        )
        found.push(...Messages)
        if (Messages.length > 0) {
          const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }))
          await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url(name), Entries }))
        }
        // Deliveries are at least once.
        return new Set(found.map(({ Body }) => Body)).size >= count ? true : undefined
      })
      return found
    },
  }
}

describe('SNS', () => {
  let program: Program
  let clients: ReturnType<typeof clientsOf>
  before(async () => {
    program = await startProgram()
    clients = clientsOf(program)
  })
  after(() => program.stop())

  test('queues get envelopes whose signature holds, or raw messages, as filters say', async () => {
    const TopicArn = await clients.topic('to-queues', {
      SignatureVersion: '2',
      KmsMasterKeyId: 'alias/aws/sns',
    })
    await clients.subscribe(TopicArn, 'sqs', await clients.queue('plain'))
    await clients.subscribe(TopicArn, 'sqs', await clients.queue('raw'), { RawMessageDelivery: 'true' })
    const filter = { FilterPolicy: '{"kind":[{"anything-but":["first"]}]}' }
    const filtered = await clients.subscribe(TopicArn, 'sqs', await clients.queue('filtered'), filter)
    const publish = (Message: string, kind: string) =>
      clients.sns.send(
        new PublishCommand({
          TopicArn,
          Message,
          Subject: 'About <it> & more',
          MessageAttributes: {
            kind: { DataType: 'String', StringValue: kind },
            data: { DataType: 'Binary', BinaryValue: Buffer.from([2, 3, 4]) },
          },
        }),
      )
    const first = await publish('öne "text"', 'first')
    const [plain] = await clients.receive('plain', 1)
    const envelope = json(plain?.Body)
    const { Timestamp = '', Signature = '', SigningCertURL = '', ...rest } = envelope
    assert.match(Timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(rest, {
      Type: 'Notification',
      MessageId: first.MessageId,
      TopicArn,
      Subject: 'About <it> & more',
      Message: 'öne "text"',
      SignatureVersion: '2',
      UnsubscribeURL: rest['UnsubscribeURL'],
      MessageAttributes: {
        kind: { Type: 'String', Value: 'first' },
        data: { Type: 'Binary', Value: 'AgME' },
      },
    })
    const certificate = new X509Certificate(await (await fetch(SigningCertURL)).text())
    const signed = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      .map((name) => `${name}\n${envelope[name]}\n`)
      .join('')
    assert.ok(verify('sha256', Buffer.from(signed), certificate.publicKey, Buffer.from(Signature, 'base64')))

    const [raw] = await clients.receive('raw', 1)
    assert.equal(raw?.Body, 'öne "text"')
    assert.deepEqual(
      Object.entries(raw?.MessageAttributes ?? {})
        .map(([name, { DataType }]) => [name, DataType])
        .toSorted(),
      [
        ['data', 'Binary'],
        ['kind', 'String'],
      ],
    )
    await publish('two', 'second')
    assert.deepEqual(
      (await clients.receive('filtered', 1)).map(({ Body }) => json(Body)['Message']),
      ['two'],
    )
    const { Attributes = {} } = await clients.sns.send(
      new GetSubscriptionAttributesCommand({ SubscriptionArn: filtered }),
    )
    assert.equal(Attributes['FilterPolicyScope'], 'MessageAttributes')
    const wrong = new SetSubscriptionAttributesCommand({
      SubscriptionArn: filtered,
      AttributeName: 'FilterPolicy',
      AttributeValue: '{"a":"b"}',
    })
    const { name, message } = await errorOf(clients.sns.send(wrong))
    assert.equal(name, 'InvalidParameterException')
    assert.match(message, /^Invalid parameter: FilterPolicy: "a" must be an object or an array\n at /)
  })

  test('functions are invoked; what they can not take goes to the dead-letter queue', async () => {
    const lambda = lambdaClient(program.endpoint)
    const code = `exports.handler = async (event) => console.log('GOT ' + JSON.stringify(event))`
    await createFunction(lambda, { FunctionName: 'hears', files: { 'index.js': code } })
    const TopicArn = await clients.topic('to-functions')
    const arn = await clients.subscribe(TopicArn, 'lambda', functionArn('hears'))
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: await clients.queue('dead') })
    await clients.subscribe(TopicArn, 'lambda', functionArn('missing'), { RedrivePolicy })
    const { MessageId } = await clients.sns.send(new PublishCommand({ TopicArn, Message: 'Hello world.' }))
    const [dead] = await clients.receive('dead', 1)
    assert.equal(json(dead?.Body)['MessageId'], MessageId)
    const event = await eventually('the function has it', async () => {
      const lines = await logMessages(logsClient(program.endpoint), 'hears')
      const line = lines.find((text) => text.includes('GOT'))
      return line === undefined
        ? undefined
        : (JSON.parse(line.slice(line.indexOf('{'))) as { Records: Record<string, unknown>[] })
    })
    const [record] = event.Records
    assert.equal(record?.['EventSource'], 'aws:sns')
    assert.equal(record?.['EventSubscriptionArn'], arn)
    const sns = record?.['Sns'] as Record<string, unknown>
    assert.deepEqual([sns['MessageId'], sns['Message'], sns['Subject']], [MessageId, 'Hello world.', null])
  })

  test('HTTP endpoints confirm, hear, leave and come back by the links in the messages', async (t) => {
    const endpoint = await startHttpEndpoint()
    t.after(() => endpoint.close())
    const TopicArn = await clients.topic('to-http')
    const arn = await clients.subscribe(TopicArn, 'http', `${endpoint.url}/hook`)
    const posted = (type: string, count = 1): Promise<Posted> =>
      eventually(`${type} was posted`, async () => {
        const all = endpoint.posted.filter(({ headers }) => headers['x-amz-sns-message-type'] === type)
        return all.length >= count ? all.at(-1) : undefined
      })
    const asked = await posted('SubscriptionConfirmation')
    assert.equal(asked.headers['content-type'], 'text/plain; charset=UTF-8')
    assert.equal(asked.headers['user-agent'], 'Amazon Simple Notification Service Agent')
    assert.equal(asked.headers['x-amz-sns-topic-arn'], TopicArn)
    assert.equal(asked.headers['x-amz-sns-subscription-arn'], undefined)
    const list = async () =>
      (await clients.sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions ?? []
    assert.equal((await list())[0]?.SubscriptionArn, 'PendingConfirmation')
    const visit = async (url: string | undefined) => await (await fetch(url ?? '')).text()
    assert.match(
      await visit(json(asked.body)['SubscribeURL']),
      new RegExp(`<ConfirmSubscriptionResult><SubscriptionArn>${arn}</SubscriptionArn>`),
    )
    assert.equal((await list())[0]?.SubscriptionArn, arn)
    const publish = (Message: string) => clients.sns.send(new PublishCommand({ TopicArn, Message }))
    const { MessageId } = await publish('over HTTP')
    const heard = await posted('Notification')
    assert.equal(heard.headers['x-amz-sns-message-id'], MessageId)
    assert.equal(heard.headers['x-amz-sns-subscription-arn'], arn)
    assert.equal(json(heard.body)['Message'], 'over HTTP')
    assert.match(await visit(json(heard.body)['UnsubscribeURL']), /<UnsubscribeResponse/)
    const left = await posted('UnsubscribeConfirmation')
    assert.deepEqual(await list(), [])
    await visit(json(left.body)['SubscribeURL'])
    assert.equal((await list())[0]?.SubscriptionArn, arn)
    await clients.sns.send(
      new SetSubscriptionAttributesCommand({
        SubscriptionArn: arn,
        AttributeName: 'RawMessageDelivery',
        AttributeValue: 'true',
      }),
    )
    await publish('raw over HTTP')
    const raw = await posted('Notification', 2)
    assert.deepEqual([raw.body, raw.headers['x-amz-sns-rawdelivery']], ['raw over HTTP', 'true'])
    assert.match(
      await visit(`${program.endpoint}/?Action=ConfirmSubscription&TopicArn=${TopicArn}&Token=no`),
      /<Code>InvalidParameter<\/Code><Message>Invalid parameter: Token</,
    )
  })

  test('an endpoint that never answers holds up nobody else', async (t) => {
    const endpoint = await startHttpEndpoint()
    t.after(() => endpoint.close())
    const TopicArn = await clients.topic('beside-slow')
    await clients.subscribe(TopicArn, 'http', endpoint.url)
    const confirmation = await eventually('it is asked', async () => endpoint.posted[0])
    await fetch(json(confirmation.body)['SubscribeURL'] ?? '')
    await clients.subscribe(TopicArn, 'sqs', await clients.queue('beside-slow'), {
      RawMessageDelivery: 'true',
    })
    endpoint.status = undefined
    for (let round = 0; round < 4; round++) {
      const entries = Array.from({ length: 10 }, (_, index) => ({
        Id: `${index}`,
        Message: `${round}-${index}`,
      }))
      await clients.sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: entries }))
    }
    const messages = await clients.receive('beside-slow', 40)
    assert.equal(new Set(messages.map(({ Body }) => Body)).size, 40)
    assert.ok(endpoint.posted.length <= 1 + 8, 'no more at once than its places')
  })

  test('FIFO topics keep the order of a group and deliver each message once', async () => {
    const Fifo = { FifoTopic: 'true', ContentBasedDeduplication: 'true' }
    const TopicArn = await clients.topic('in-order.fifo', Fifo)
    const queue = await clients.queue('in-order.fifo', { FifoQueue: 'true' })
    await clients.subscribe(TopicArn, 'sqs', queue)
    const entries = Array.from({ length: 10 }, (_, index) => ({
      Id: `${index}`,
      Message: `${index}`,
      MessageGroupId: `${index % 2}`,
    }))
    const publish = () =>
      clients.sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: entries }))
    const first = await publish()
    assert.deepEqual((await publish()).Successful, first.Successful)
    const messages = await clients.receive('in-order.fifo', 10)
    const ofGroup = (group: string) =>
      messages
        .filter(({ Attributes }) => Attributes?.MessageGroupId === group)
        .map(({ Body }) => json(Body)['Message'])
    assert.deepEqual(
      [ofGroup('0'), ofGroup('1')],
      [
        ['0', '2', '4', '6', '8'],
        ['1', '3', '5', '7', '9'],
      ],
    )
    const [one] = messages
    assert.equal(json(one?.Body)['SequenceNumber'], first.Successful?.[0]?.SequenceNumber)
    assert.equal(json(one?.Body)['Signature'], undefined)
  })

  test('boto3 and the AWS CLI publish and list', async (t) => {
    const python = pythonClients()
    if (typeof python === 'string') return t.skip(python)
    const env = clientEnvironment(program.endpoint)
    const code = `
import boto3, json
sns, sqs = boto3.client("sns"), boto3.client("sqs")
topic = sns.create_topic(Name="from-python", Tags=[{"Key": "team", "Value": "a b"}])["TopicArn"]
url = sqs.create_queue(QueueName="from-python")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
sub = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicyScope": "MessageBody", "FilterPolicy": json.dumps({"order": {"size": [{"numeric": [">", 10]}]}})})
sns.publish(TopicArn=topic, Message=json.dumps({"order": {"size": 5}}))
sns.publish(TopicArn=topic, Message=json.dumps({"order": {"size": 50}}), MessageAttributes={"b": {"DataType": "Binary", "BinaryValue": b"xyz"}})
got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
try:
    sns.publish(TopicArn=topic + "x", Message="m")
except sns.exceptions.NotFoundException as error:
    print(json.dumps([json.loads(got[0]["Body"])["Message"], str(error), sns.list_tags_for_resource(ResourceArn=topic)["Tags"]]))
`
    const run = promisify(execFile)
    const { stdout } = await run(python.python, ['-c', code], { env })
    assert.deepEqual(JSON.parse(stdout), [
      '{"order": {"size": 50}}',
      'An error occurred (NotFound) when calling the Publish operation: Topic does not exist',
      [{ Key: 'team', Value: 'a b' }],
    ])
    const topic = `arn:aws:sns:us-east-1:${ACCOUNT}:from-python`
    const cli = async (...words: readonly string[]) =>
      JSON.parse((await run(python.aws, ['sns', ...words, '--output', 'json'], { env })).stdout) as Record<
        string,
        unknown
      >
    const attribute = '{"kind":{"DataType":"String","StringValue":"x"}}'
    const published = await cli(
      'publish',
      '--topic-arn',
      topic,
      '--message',
      '{"order":{"size":11}}',
      '--message-attributes',
      attribute,
    )
    const [message] = await clients.receive('from-python', 1)
    assert.equal(json(message?.Body)['MessageId'], published['MessageId'])
  })
})

test('what a topic has acknowledged is delivered after kill -9', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const first = await startProgram({ dataDirectory })
  const before = clientsOf(first)
  const endpoint = await startHttpEndpoint()
  t.after(() => endpoint.close())
  const TopicArn = await before.topic('crash')
  await before.subscribe(TopicArn, 'sqs', await before.queue('crash'), { RawMessageDelivery: 'true' })
  const policy = { healthyRetryPolicy: { minDelayTarget: 1, maxDelayTarget: 1, numRetries: 60 } }
  const arn = await before.subscribe(TopicArn, 'http', endpoint.url, {
    RawMessageDelivery: 'true',
    DeliveryPolicy: JSON.stringify(policy),
  })
  const asked = await eventually('it is asked', async () => endpoint.posted[0])
  await fetch(json(asked.body)['SubscribeURL'] ?? '')
  endpoint.status = 503
  const sent = Array.from({ length: 40 }, (_, index) => `message ${index}`)
  await Promise.all(sent.map((Message) => before.sns.send(new PublishCommand({ TopicArn, Message }))))
  await first.kill9()
  endpoint.status = 200
  const count = endpoint.posted.length
  const second = await startProgram({ dataDirectory })
  t.after(() => second.stop())
  const now = clientsOf(second)
  const { Attributes } = await now.sns.send(new GetTopicAttributesCommand({ TopicArn }))
  assert.equal(Attributes?.['SubscriptionsConfirmed'], '2', arn)
  const bodies = new Set((await now.receive('crash', 40)).map(({ Body }) => Body))
  assert.deepEqual(bodies, new Set(sent))
  await eventually('the endpoint has all of them', async () => {
    const heard = new Set(endpoint.posted.slice(count).map(({ body }) => body))
    return sent.every((body) => heard.has(body)) ? true : undefined
  })
})
