/** SQS at the program's own endpoint with real clients, mapped to functions, and across kill -9. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import {
  CreateEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda'
import {
  AddPermissionCommand,
  CancelMessageMoveTaskCommand,
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ListQueueTagsCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  RemovePermissionCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
  TagQueueCommand,
  UntagQueueCommand,
  type QueueAttributeName,
} from '@aws-sdk/client-sqs'

import { createFunction, eventually, lambdaClient } from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'

const run = promisify(execFile)
const arnOf = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`

describe('sqs', () => {
  let program: Program
  let sqs: SQSClient
  let lambda: LambdaClient
  let dataDirectory = ''
  const cleanUps: (() => Promise<void>)[] = []
  const start = async () => {
    program = await startProgram({ dataDirectory })
    sqs = new SQSClient({
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    })
    lambda = lambdaClient(program.endpoint)
  }
  before(async () => {
    dataDirectory = await temporaryDirectory({ after: (clean) => void cleanUps.push(clean) })
    await start()
  })
  after(async () => {
    await program.stop()
    for (const clean of cleanUps) await clean()
  })

  const createQueue = async (
    QueueName: string,
    Attributes: Partial<Record<QueueAttributeName, string>> = {},
  ) => (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? ''
  const urlOf = async (QueueName: string) =>
    (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? ''
  const receive = async (QueueUrl: string, WaitTimeSeconds = 0) =>
    (await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds, MaxNumberOfMessages: 10 })))
      .Messages ?? []
  const attributes = async (QueueUrl: string) =>
    (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {}

  test('the SDK does everything there is to do with a queue', async () => {
    const QueueUrl = await createQueue('sdk')
    assert.equal(await urlOf('sdk'), QueueUrl)
    assert.deepEqual((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'sdk' }))).QueueUrls, [
      QueueUrl,
    ])
    await sqs.send(
      new SetQueueAttributesCommand({
        QueueUrl,
        Attributes: { VisibilityTimeout: '60', MaximumMessageSize: '2048' },
      }),
    )
    const { CreatedTimestamp, LastModifiedTimestamp, ...all } = await attributes(QueueUrl)
    assert.ok(CreatedTimestamp && LastModifiedTimestamp)
    assert.deepEqual(all, {
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesDelayed: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
      DelaySeconds: '0',
      MaximumMessageSize: '2048',
      MessageRetentionPeriod: '345600',
      QueueArn: arnOf('sdk'),
      ReceiveMessageWaitTimeSeconds: '0',
      SqsManagedSseEnabled: 'true',
      VisibilityTimeout: '60',
    })
    await sqs.send(new TagQueueCommand({ QueueUrl, Tags: { a: '1', b: '2' } }))
    await sqs.send(new UntagQueueCommand({ QueueUrl, TagKeys: ['a'] }))
    assert.deepEqual((await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags, { b: '2' })
    await sqs.send(
      new AddPermissionCommand({
        QueueUrl,
        Label: 'l',
        AWSAccountIds: ['111122223333'],
        Actions: ['SendMessage'],
      }),
    )
    assert.deepEqual(JSON.parse((await attributes(QueueUrl)).Policy ?? '').Statement, [
      {
        Sid: 'l',
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::111122223333:root' },
        Action: 'SQS:SendMessage',
        Resource: arnOf('sdk'),
      },
    ])
    await sqs.send(new RemovePermissionCommand({ QueueUrl, Label: 'l' }))
    assert.equal((await attributes(QueueUrl)).Policy, undefined)

    const Entries = ['1', '2', '3'].map((Id) => ({ Id, MessageBody: `body ${Id}` }))
    const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
    assert.deepEqual([sent.Successful?.length, sent.Failed], [3, []])
    await assert.rejects(
      sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(2049) })),
      /Message must be shorter than 2048 bytes/,
    )
    const messages = await receive(QueueUrl, 5)
    const handles = messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }))
    const [first] = handles
    await sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl,
        ReceiptHandle: first?.ReceiptHandle,
        VisibilityTimeout: 90,
      }),
    )
    const changed = await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl,
        Entries: handles.map((handle) => ({ ...handle, VisibilityTimeout: 70 })),
      }),
    )
    assert.deepEqual(changed.Failed, [])
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle }))
    const removed = await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: [...handles.slice(1), { Id: 'bad', ReceiptHandle: 'bad' }],
      }),
    )
    assert.equal(removed.Successful?.length, handles.length - 1)
    assert.equal(removed.Failed?.[0]?.Code, 'ReceiptHandleIsInvalid')
    await sqs.send(new PurgeQueueCommand({ QueueUrl }))
    await sqs.send(new DeleteQueueCommand({ QueueUrl }))
    await assert.rejects(urlOf('sdk'), QueueDoesNotExist)
  })

  test('messages go from a dead-letter queue back to where they came from', async () => {
    const letters = await createQueue('letters')
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf('letters'), maxReceiveCount: 1 })
    const source = await createQueue('source', { RedrivePolicy, VisibilityTimeout: '0' })
    await sqs.send(new SendMessageCommand({ QueueUrl: source, MessageBody: 'poison' }))
    assert.equal((await receive(source)).length, 1)
    assert.deepEqual(await receive(source), [])
    await eventually('the letter is there', async () =>
      (await attributes(letters)).ApproximateNumberOfMessages === '1' ? true : undefined,
    )
    assert.deepEqual(
      (await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: letters }))).queueUrls,
      [source],
    )
    const SourceArn = arnOf('letters')
    const { TaskHandle } = await sqs.send(new StartMessageMoveTaskCommand({ SourceArn }))
    assert.ok(TaskHandle)
    const task = await eventually('the task is done', async () => {
      const { Results } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn }))
      return Results?.[0]?.Status === 'COMPLETED' ? Results[0] : undefined
    })
    assert.equal(task.ApproximateNumberOfMessagesMoved, 1)
    assert.equal((await receive(source, 5))[0]?.Body, 'poison')
    await assert.rejects(sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle })), /Task does not exist/)
  })

  test('a function takes the messages of a queue with no more than a mapping, and fails them to the dead letters', async () => {
    await createQueue('failed')
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf('failed'), maxReceiveCount: 1 })
    const QueueUrl = await createQueue('mapped', { RedrivePolicy, VisibilityTimeout: '3' })
    const results = await createQueue('results')
    await createFunction(lambda, {
      FunctionName: 'mapped',
      Timeout: 1,
      files: {
        'index.js': `const { request } = require('node:http')
exports.handler = async ({ Records }) => {
  if (Records.some(({ body }) => body === 'bad')) throw new Error('bad')
  for (const { body, eventSourceARN } of Records) {
    const url = new URL('/000000000000/results', process.env.AWS_ENDPOINT_URL)
    const form = new URLSearchParams({ Action: 'SendMessage', MessageBody: body + ' of ' + eventSourceARN })
    await new Promise((resolve, reject) => request(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, (answer) => { answer.resume(); answer.on('end', resolve) }).on('error', reject).end(form.toString()))
  }
}`,
      },
    })
    const { UUID } = await lambda.send(
      new CreateEventSourceMappingCommand({
        FunctionName: 'mapped',
        EventSourceArn: arnOf('mapped'),
        BatchSize: 1,
      }),
    )
    await eventually('the mapping is there', async () => {
      const { State } = await lambda.send(new GetEventSourceMappingCommand({ UUID }))
      return State === 'Enabled' ? true : undefined
    })
    for (const MessageBody of ['good', 'bad'])
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))
    assert.equal((await receive(results, 20))[0]?.Body, `good of ${arnOf('mapped')}`)
    assert.equal((await receive(await urlOf('failed'), 20))[0]?.Body, 'bad')
  })

  const python = pythonClients()
  test(
    'boto3, and clients of the query protocol',
    { skip: typeof python === 'string' && python },
    async () => {
      if (typeof python === 'string') return
      const { stdout } = await run(python.python, [join(import.meta.dirname, 'sqs_main_job.py')], {
        env: clientEnvironment(program.endpoint),
        timeout: 60_000,
      })
      assert.match(stdout, /all as expected/)
    },
  )

  test('the AWS CLI', { skip: typeof python === 'string' && python }, async () => {
    if (typeof python === 'string') return
    const aws = async (...args: string[]) => {
      const { stdout } = await run(python.aws, ['--endpoint-url', program.endpoint, 'sqs', ...args], {
        env: clientEnvironment(program.endpoint),
        timeout: 60_000,
      })
      return stdout === '' ? undefined : JSON.parse(stdout)
    }
    const QueueUrl = await createQueue('cli.fifo', { FifoQueue: 'true' })
    const [received] = await Promise.all([
      aws('receive-message', '--queue-url', QueueUrl, '--wait-time-seconds', '10'),
      aws(
        'send-message',
        '--queue-url',
        QueueUrl,
        '--message-body',
        'from the command line',
        '--message-group-id',
        'g',
        '--message-deduplication-id',
        'd',
      ),
    ])
    assert.equal(received.Messages[0].Body, 'from the command line')
  })

  test('kill -9 under load loses no message and no deletion that was acknowledged', async () => {
    const QueueUrl = await createQueue('crash', { VisibilityTimeout: '300' })
    const acknowledged = new Set<string>()
    const deleted = new Set<string>()
    /** Of the last request to delete, which may have been done without an answer. */
    let leaving: readonly string[] = []
    let isOver = false
    const send = async (writer: number) => {
      for (let round = 0; !isOver; round++) {
        const Entries = Array.from({ length: 10 }, (_, at) => ({
          Id: String(at),
          MessageBody: `${writer}-${round}-${at}`,
        }))
        const { Successful = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
        for (const { Id } of Successful) acknowledged.add(Entries[Number(Id)]?.MessageBody ?? '')
      }
    }
    const consume = async () => {
      while (!isOver) {
        const messages = await receive(QueueUrl, 1)
        if (messages.length === 0) continue
        leaving = messages.map(({ Body = '' }) => Body)
        const { Successful = [] } = await sqs.send(
          new DeleteMessageBatchCommand({
            QueueUrl,
            Entries: messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle })),
          }),
        )
        for (const { Id } of Successful) deleted.add(messages[Number(Id)]?.Body ?? '')
      }
    }
    const client = sqs
    const work = [send(1), send(2), consume()].map((one) => one.catch(() => undefined))
    await eventually('there is something to lose', () =>
      Promise.resolve(acknowledged.size > 300 && deleted.size > 50 ? true : undefined),
    )
    await program.kill9()
    isOver = true
    client.destroy()
    await Promise.all(work)
    await start()
    const url = await urlOf('crash')
    const left = new Set<string>()
    for (;;) {
      const messages = await receive(url)
      if (messages.length === 0) break
      for (const { Body = '' } of messages) left.add(Body)
    }
    for (const body of deleted) assert.ok(!left.has(body), `${body} was deleted and is there`)
    const missing = [...acknowledged].filter(
      (body) => !left.has(body) && !deleted.has(body) && !leaving.includes(body),
    )
    assert.deepEqual(missing, [])
  })
})
