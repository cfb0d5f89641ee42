/** Queues of a foreign service that speaks SQS, polled for event source mappings. */
// parity: CreateEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  UpdateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type QueueAttributeName,
} from '@aws-sdk/client-sqs'

import { createFunction, eventually, lambdaClient, logMessages, logsClient } from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'
import {
  QUEUE_ACCOUNT,
  queueServerMissing,
  startQueueServer,
  type QueueServer,
} from '../support/queue-server.ts'

interface SeenRecord {
  readonly messageId: string
  readonly body: string
  readonly attributes: Readonly<Record<string, string>>
}
interface Seen {
  readonly Records: readonly SeenRecord[]
}

/** Prints each event, then does what the messages say. */
const HANDLER = `
let running = 0
exports.handler = async (event) => {
  console.log('EVENT ' + JSON.stringify(event))
  const failures = []
  for (const { messageId, body, attributes } of event.Records) {
    if (body === 'fail') failures.push({ itemIdentifier: messageId })
    if (body === 'throw once' && attributes.ApproximateReceiveCount === '1') throw new Error('once')
    if (body.startsWith('wait ')) await new Promise((resolve) => setTimeout(resolve, Number(body.slice(5))))
  }
  console.log('DONE')
  return process.env.REPORT ? { batchItemFailures: failures } : undefined
}`

const missing = queueServerMissing()

describe('queues', { skip: missing ?? false }, () => {
  let queues: QueueServer
  let program: Program
  let lambda: LambdaClient
  const cleanUps: (() => Promise<void>)[] = []
  let dataDirectory = ''
  const start = async () => {
    program = await startProgram({
      dataDirectory,
      args: [
        `--sqs-endpoint=${queues.endpoint}`,
        '--sqs-access-key-id=test',
        '--sqs-secret-access-key=test',
        '--log-level=warn',
      ],
    })
    lambda = lambdaClient(program.endpoint)
  }
  before(async () => {
    queues = await startQueueServer()
    dataDirectory = await temporaryDirectory({ after: (run) => void cleanUps.push(run) })
    await start()
  })
  after(async () => {
    await program.stop()
    await queues.stop()
    for (const run of cleanUps) await run()
  })

  const createQueue = async (name: string, Attributes: Partial<Record<QueueAttributeName, string>> = {}) => {
    const { QueueUrl = '' } = await queues.sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: '5', ...Attributes } }),
    )
    return {
      arn: `arn:aws:sqs:us-east-1:${QUEUE_ACCOUNT}:${name}`,
      url: QueueUrl,
      send: (body: string) => queues.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body })),
      async depth() {
        const { Attributes: now } = await queues.sqs.send(
          new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
        )
        return Number(now?.ApproximateNumberOfMessages) + Number(now?.ApproximateNumberOfMessagesNotVisible)
      },
    }
  }
  const settled = (UUID: string | undefined) =>
    eventually('the mapping has settled', async () => {
      const mapping = await lambda.send(new GetEventSourceMappingCommand({ UUID }))
      return mapping.State === 'Enabled' || mapping.State === 'Disabled' ? mapping : undefined
    })
  const map = async (input: CreateEventSourceMappingCommandInput) =>
    await settled((await lambda.send(new CreateEventSourceMappingCommand(input))).UUID)
  const eventsOf = async (name: string) =>
    (await logMessages(logsClient(program.endpoint), name)).flatMap((line) => {
      const text = /EVENT (\{.*\})/s.exec(line)?.[1]
      return text === undefined ? [] : [JSON.parse(text) as Seen]
    })
  const bodiesOf = async (name: string) =>
    (await eventsOf(name)).flatMap(({ Records }) => Records.map(({ body }) => body))
  /** Lines of a log arrive a moment after the invocation. */
  const logged = (name: string, events: number) =>
    eventually('the invocations are in the log', async () => {
      const found = await eventsOf(name)
      return found.length >= events ? found : undefined
    })
  const create = (FunctionName: string, more: object = {}) =>
    createFunction(lambda, { FunctionName, files: { 'index.js': HANDLER }, ...more })
  const drained = (queue: { depth(): Promise<number> }) =>
    eventually('the queue is empty', async () => ((await queue.depth()) === 0 ? true : undefined))

  test('a message reaches the function in the form of AWS, and is deleted', async () => {
    await create('form')
    const queue = await createQueue('form')
    await map({ FunctionName: 'form', EventSourceArn: queue.arn })
    const sent = await queues.sqs.send(
      new SendMessageCommand({
        QueueUrl: queue.url,
        MessageBody: '{"hello":"wörld"}',
        MessageAttributes: {
          kind: { DataType: 'String', StringValue: 'greeting' },
          raw: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2, 3]) },
        },
      }),
    )
    const [event] = await eventually('the function ran', async () => {
      const found = await eventsOf('form')
      return found.length > 0 ? found : undefined
    })
    const [record] = event?.Records ?? []
    const { attributes, receiptHandle, ...rest } = record as SeenRecord & { receiptHandle: string }
    assert.ok(receiptHandle.length > 0)
    assert.equal(attributes['ApproximateReceiveCount'], '1')
    assert.deepEqual(
      ['ApproximateFirstReceiveTimestamp', 'SenderId', 'SentTimestamp'].filter(
        (name) => !(name in attributes),
      ),
      [],
    )
    assert.deepEqual(rest, {
      messageId: sent.MessageId,
      body: '{"hello":"wörld"}',
      messageAttributes: {
        kind: { stringValue: 'greeting', stringListValues: [], binaryListValues: [], dataType: 'String' },
        raw: { binaryValue: 'AQID', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
      },
      md5OfMessageAttributes: sent.MD5OfMessageAttributes,
      md5OfBody: sent.MD5OfMessageBody,
      eventSource: 'aws:sqs',
      eventSourceARN: queue.arn,
      awsRegion: 'us-east-1',
    })
    await drained(queue)
  })

  test('filters let through what they describe, and the rest is deleted unseen', async () => {
    await create('filtered')
    const queue = await createQueue('filtered')
    const kms = new KMSClient({
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const Pattern = JSON.stringify({ body: { price: [{ numeric: ['>', 100] }] } })
    await map({
      FunctionName: 'filtered',
      EventSourceArn: queue.arn,
      FilterCriteria: { Filters: [{ Pattern }] },
      KMSKeyArn: KeyMetadata?.Arn,
    })
    for (const body of ['{"price":5}', 'no json', '{"price":500}', '{"other":1}']) await queue.send(body)
    await drained(queue)
    await logged('filtered', 1)
    assert.deepEqual(await bodiesOf('filtered'), ['{"price":500}'])
  })

  test('a function that fails gets the message again, and one that names failures only those', async () => {
    await create('failing')
    await create('reporting', { Environment: { Variables: { REPORT: 'yes' } } })
    const failing = await createQueue('failing', { VisibilityTimeout: '2' })
    const reporting = await createQueue('reporting', { VisibilityTimeout: '2' })
    await failing.send('throw once')
    for (const body of ['good', 'fail']) await reporting.send(body)
    await map({ FunctionName: 'failing', EventSourceArn: failing.arn })
    await map({
      FunctionName: 'reporting',
      EventSourceArn: reporting.arn,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    })
    await drained(failing)
    const counts = (await logged('failing', 2)).flatMap(({ Records }) =>
      Records.map(({ attributes }) => attributes['ApproximateReceiveCount']),
    )
    assert.deepEqual(counts, ['1', '2'])
    const bodies = await eventually('the failure came again', async () => {
      const found = await bodiesOf('reporting')
      return found.filter((body) => body === 'fail').length >= 2 ? found : undefined
    })
    assert.equal(bodies.filter((body) => body === 'good').length, 1)
  })

  test('a batching window gathers more than one receive could bring', async () => {
    await create('window')
    const queue = await createQueue('window', { VisibilityTimeout: '30' })
    const { UUID } = await map({
      FunctionName: 'window',
      EventSourceArn: queue.arn,
      Enabled: false,
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 5,
    })
    for (let from = 0; from < 25; from += 5) {
      const Entries = [0, 1, 2, 3, 4].map((index) => ({ Id: `${index}`, MessageBody: `m${from + index}` }))
      await queues.sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }))
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    assert.equal(await queue.depth(), 25, 'a disabled mapping reads nothing')
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }))
    await drained(queue)
    assert.deepEqual(
      (await logged('window', 1)).map(({ Records }) => Records.length),
      [25],
    )
  })

  test('a message brings its trace, and one that goes round in circles is refused alone', async () => {
    const files = {
      'index.js': `exports.handler = async (event) => {
        for (const { body } of event.Records) console.log('TRACE ' + body + ' ' + process.env._X_AMZN_TRACE_ID)
      }`,
    }
    await createFunction(lambda, { FunctionName: 'traced', files })
    const queue = await createQueue('traced', { VisibilityTimeout: '60' })
    const root = `Root=1-68e5e4a1-${'ab'.repeat(12)}`
    const send = (MessageBody: string, lineage: string) =>
      queues.sqs.send(
        new SendMessageCommand({
          QueueUrl: queue.url,
          MessageBody,
          MessageSystemAttributes: {
            AWSTraceHeader: {
              DataType: 'String',
              StringValue: `${root};Parent=${'0'.repeat(16)};Sampled=0${lineage}`,
            },
          },
        }),
      )
    await send('circling', `;Lineage=99:a87bd80c:16`)
    await send('fine', '')
    await map({ FunctionName: 'traced', EventSourceArn: queue.arn })
    const line = await eventually('the function ran', async () =>
      (await logMessages(logsClient(program.endpoint), 'traced')).find((text) => text.includes('TRACE')),
    )
    assert.ok(line.includes(`TRACE fine ${root};`), line)
    await eventually('the other one stays', async () => ((await queue.depth()) === 1 ? true : undefined))
    assert.match(
      program.output(),
      /A batch went back to its queue.*RecursiveInvocationException|recursive loop/,
    )
  })

  test('a FIFO queue keeps the order of each group', async () => {
    await create('fifo')
    const queue = await createQueue('fifo.fifo', { FifoQueue: 'true', VisibilityTimeout: '30' })
    await map({ FunctionName: 'fifo', EventSourceArn: queue.arn, BatchSize: 2 })
    for (let index = 0; index < 6; index++) {
      await queues.sqs.send(
        new SendMessageCommand({
          QueueUrl: queue.url,
          MessageBody: `m${index}`,
          MessageGroupId: 'group',
          MessageDeduplicationId: `${index}`,
        }),
      )
    }
    await drained(queue)
    await eventually(
      'all of them are in the log',
      async () => (await bodiesOf('fifo')).length >= 6 || undefined,
    )
    assert.deepEqual(await bodiesOf('fifo'), ['m0', 'm1', 'm2', 'm3', 'm4', 'm5'])
  })

  test('a mapping that is disabled or deleted finishes what is in hand and reads nothing more', async () => {
    await create('ending', { Timeout: 30 })
    const queue = await createQueue('ending', { VisibilityTimeout: '30' })
    const { UUID } = await map({ FunctionName: 'ending', EventSourceArn: queue.arn, BatchSize: 1 })
    await queue.send('wait 1500')
    await eventually('the function runs', async () => (await bodiesOf('ending')).length || undefined)
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }))
    assert.equal((await lambda.send(new GetEventSourceMappingCommand({ UUID }))).State, 'Disabling')
    assert.equal((await settled(UUID)).State, 'Disabled')
    assert.equal(await queue.depth(), 0, 'what was in hand was finished')
    await queue.send('later')
    await new Promise((resolve) => setTimeout(resolve, 500))
    assert.equal(await queue.depth(), 1)
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
    await eventually('the mapping is gone', () =>
      lambda.send(new GetEventSourceMappingCommand({ UUID })).then(
        () => undefined,
        () => true,
      ),
    )
    assert.deepEqual(await bodiesOf('ending'), ['wait 1500'])
  })

  test('many messages are worked on at once, within the concurrency of the mapping', async () => {
    await create('many', { Timeout: 30 })
    const queue = await createQueue('many', { VisibilityTimeout: '60' })
    for (let index = 0; index < 12; index++) await queue.send('wait 300')
    await map({
      FunctionName: 'many',
      EventSourceArn: queue.arn,
      BatchSize: 1,
      ScalingConfig: { MaximumConcurrency: 2 },
    })
    await drained(queue)
    const lines = await eventually('all of them are in the log', async () => {
      const found = await logMessages(logsClient(program.endpoint), 'many')
      const own = found.filter((line) => /EVENT|DONE/.test(line))
      return own.length >= 24 ? own : undefined
    })
    let [running, most] = [0, 0]
    for (const line of lines) {
      running += line.includes('EVENT') ? 1 : -1
      most = Math.max(most, running)
    }
    assert.equal(lines.length, 24)
    assert.equal(most, 2)
  })

  test('nothing is lost when the program is killed in the middle', async () => {
    await create('killed', { Timeout: 60 })
    const queue = await createQueue('killed', { VisibilityTimeout: '4' })
    await map({ FunctionName: 'killed', EventSourceArn: queue.arn, BatchSize: 1 })
    await queue.send('wait 3000')
    await eventually('the function runs', async () => (await bodiesOf('killed')).length || undefined)
    await program.kill9()
    assert.equal(await queue.depth(), 1)
    await queue.send('second')
    await start()
    await drained(queue)
    const bodies = (await logged('killed', 3)).flatMap(({ Records }) => Records.map(({ body }) => body))
    assert.ok(bodies.includes('second'))
    // On a busy machine the function takes longer than the message stays invisible: then it comes once more.
    assert.ok(bodies.filter((body) => body === 'wait 3000').length >= 2, 'the message came again')
  })
})
