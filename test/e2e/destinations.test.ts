/** How asynchronous invocations end: destinations and dead-letter queues, as their receivers see it, within the function's role. */
// parity: PutFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig Invoke UpdateFunctionConfiguration
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateAliasCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionConfigurationCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda'

import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge'
import { IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient, type Message } from '@aws-sdk/client-sqs'

import { startBucket, type Bucket } from '../support/bucket.ts'
import {
  createFunction,
  errorOf,
  eventually,
  invoke,
  logMessages,
  makeExecutionRole,
} from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const OWNER = { accessKeyId: 'AKIDOWNER', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`
const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`
/** For topics and buses; the function's role is of the same account and needs no more than its own policy. */
const mayBeSentTo = (queue: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: ['sns.amazonaws.com', 'events.amazonaws.com'] },
        Action: 'sqs:SendMessage',
        Resource: queueArn(queue),
      },
    ],
  })
const EVENT = { InvocationType: 'Event' } as const
const WORKS = {
  'index.js': `exports.handler = async (event) => {
    if (event.fail) throw new Error('wanted')
    return { got: event }
  }`,
}
const RECEIVES = {
  'index.js': `exports.handler = async (event) => console.log('GOT ' + JSON.stringify(event))`,
}

interface InvocationRecord {
  readonly version: string
  readonly timestamp: string
  readonly requestContext: Readonly<Record<string, unknown>>
  readonly requestPayload: unknown
  readonly responseContext?: unknown
  readonly responsePayload?: Readonly<Record<string, unknown>>
}

describe('destinations', () => {
  let program: Program
  let bucket: Bucket
  let lambda: LambdaClient
  let logs: CloudWatchLogsClient
  let iam: IAMClient
  let sqs: SQSClient
  let sns: SNSClient
  let bridge: EventBridgeClient
  before(async () => {
    bucket = await startBucket()
    program = await startProgram({
      args: [
        ...bucket.args,
        '--auth=iam',
        `--access-key-id=${OWNER.accessKeyId}`,
        `--secret-access-key=${OWNER.secretAccessKey}`,
      ],
    })
    const common = {
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials: OWNER,
    }
    lambda = new LambdaClient(common)
    logs = new CloudWatchLogsClient(common)
    sqs = new SQSClient(common)
    sns = new SNSClient(common)
    bridge = new EventBridgeClient(common)
    const queues = ['dead', 'topical', 'bus', 'plain', 'closed']
    await Promise.all(
      queues.map((QueueName) =>
        sqs.send(new CreateQueueCommand({ QueueName, Attributes: { Policy: mayBeSentTo(QueueName) } })),
      ),
    )
    await makeExecutionRole(program.endpoint, OWNER)
    iam = new IAMClient(common)
    await allow([])
    await Promise.all([
      createFunction(lambda, { FunctionName: 'receives', files: RECEIVES }),
      createFunction(lambda, { FunctionName: 'works', files: WORKS }),
    ])
  })
  after(async () => {
    bucket.close()
    await program.stop()
  })
  /** What the role of all functions may do: send anywhere but there. */
  const allow = (but: readonly string[]) =>
    iam.send(
      new PutRolePolicyCommand({
        RoleName: 'lambda',
        PolicyName: 'destinations',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: ['sqs:SendMessage', 'sns:Publish', 'events:PutEvents', 'lambda:InvokeFunction'],
              Resource: '*',
            },
            ...but.map((Resource) => ({ Effect: 'Deny', Action: '*', Resource })),
          ],
        }),
      }),
    )
  const received = async (requestId: string) => {
    const lines = await logMessages(logs, 'receives')
    const line = lines.find((text) => text.includes('GOT') && text.includes(requestId))
    return line === undefined ? undefined : (JSON.parse(line.slice(line.indexOf('{'))) as InvocationRecord)
  }
  const configure = (FunctionName: string, onSuccess: string, onFailure: string, Qualifier?: string) =>
    lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName,
        ...(Qualifier !== undefined && { Qualifier }),
        MaximumRetryAttempts: 0,
        DestinationConfig: {
          OnSuccess: { Destination: onSuccess },
          OnFailure: { Destination: onFailure },
        },
      }),
    )

  test('a function gets the record of a success and of a failure', async () => {
    await configure('works', arnOf('receives'), arnOf('receives'))
    const good = await invoke(lambda, 'works', { a: 1 }, EVENT)
    const bad = await invoke(lambda, 'works', { fail: 1 }, EVENT)
    const success = await eventually('the success is told', () => received(good.requestId))
    const { timestamp, ...record } = success
    assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(record, {
      version: '1.0',
      requestContext: {
        requestId: good.requestId,
        functionArn: `${arnOf('works')}:$LATEST`,
        condition: 'Success',
        approximateInvokeCount: 1,
      },
      requestPayload: { a: 1 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST' },
      responsePayload: { got: { a: 1 } },
    })
    const failure = await eventually('the failure is told', () => received(bad.requestId))
    assert.deepEqual(
      [
        failure.requestContext['condition'],
        failure.responseContext,
        failure.responsePayload?.['errorMessage'],
      ],
      [
        'RetriesExhausted',
        { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        'wanted',
      ],
    )
  })

  test('an alias has settings of its own, and its name in the record', async () => {
    await lambda.send(new PublishVersionCommand({ FunctionName: 'works' }))
    await lambda.send(new CreateAliasCommand({ FunctionName: 'works', Name: 'live', FunctionVersion: '1' }))
    await configure('works', arnOf('receives'), 'arn:aws:s3:::code', 'live')
    const good = await invoke(lambda, 'works', {}, { ...EVENT, Qualifier: 'live' })
    const { requestContext, responseContext } = await eventually('the success is told', () =>
      received(good.requestId),
    )
    assert.equal(requestContext['functionArn'], `${arnOf('works')}:live`)
    assert.deepEqual(responseContext, { statusCode: 200, executedVersion: '1' })
  })

  test('a bucket gets the record of a failure', async () => {
    const bad = await invoke(lambda, 'works', { fail: 2 }, { ...EVENT, Qualifier: 'live' })
    const [key, bytes] = await eventually('the object is there', () =>
      Promise.resolve([...bucket.objects].find(([name]) => name.includes('/aws/lambda/async/'))),
    )
    assert.match(
      key,
      /^\/code\/aws\/lambda\/async\/works\/\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/,
    )
    const record = JSON.parse(Buffer.from(bytes).toString()) as InvocationRecord
    assert.deepEqual(
      [record.requestContext['requestId'], record.requestPayload],
      [bad.requestId, { fail: 2 }],
    )
  })

  test('without concurrency nothing runs, and the destination is told at once', async () => {
    await createFunction(lambda, { FunctionName: 'closed', files: WORKS })
    await configure('closed', arnOf('receives'), arnOf('receives'))
    await lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'closed', ReservedConcurrentExecutions: 0 }),
    )
    const { requestId } = await invoke(lambda, 'closed', { b: 1 }, EVENT)
    const { timestamp: _when, ...record } = await eventually('it is told', () => received(requestId))
    assert.deepEqual(record, {
      version: '1.0',
      requestContext: {
        requestId,
        functionArn: `${arnOf('closed')}:$LATEST`,
        condition: 'ZeroReservedConcurrency',
        approximateInvokeCount: 0,
      },
      requestPayload: { b: 1 },
    })
  })

  const message = (queue: string) =>
    eventually(`a message in ${queue}`, async () => {
      const { Messages } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: `${program.endpoint}/000000000000/${queue}`,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['AWSTraceHeader'],
          WaitTimeSeconds: 1,
        }),
      )
      return Messages?.[0]
    })
  const bodyOf = ({ Body }: Message) => JSON.parse(Body ?? '') as unknown

  test('a dead-letter queue gets the event and its three attributes, beside the destination', async () => {
    const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'outcomes' }))
    await sns.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: 'sqs',
        Endpoint: queueArn('topical'),
        ReturnSubscriptionArn: true,
      }),
    )
    await createFunction(lambda, {
      FunctionName: 'both',
      files: WORKS,
      DeadLetterConfig: { TargetArn: queueArn('dead') },
    })
    await configure('both', queueArn('plain'), TopicArn)
    const { requestId } = await invoke(lambda, 'both', { fail: 'ü' }, EVENT)
    const dead = await message('dead')
    assert.equal(dead.Body, '{"fail":"ü"}')
    assert.deepEqual(dead.MessageAttributes, {
      RequestID: { DataType: 'String', StringValue: requestId },
      ErrorCode: { DataType: 'Number', StringValue: '200' },
      ErrorMessage: { DataType: 'String', StringValue: 'wanted' },
    })
    assert.match(dead.Attributes?.AWSTraceHeader ?? '', /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};.*Lineage=1:/)
    const notification = bodyOf(await message('topical')) as { readonly Message: string }
    const record = JSON.parse(notification.Message) as InvocationRecord
    assert.deepEqual([record.requestContext['requestId'], record.requestPayload], [requestId, { fail: 'ü' }])

    await invoke(lambda, 'both', { fine: true }, EVENT)
    const success = bodyOf(await message('plain')) as InvocationRecord
    assert.deepEqual(
      [success.requestContext['condition'], success.responsePayload],
      ['Success', { got: { fine: true } }],
    )
  })

  test('a bus gets the record as the detail of an event of lambda', async () => {
    const { EventBusArn = '' } = await bridge.send(new CreateEventBusCommand({ Name: 'ends' }))
    await bridge.send(
      new PutRuleCommand({
        Name: 'all',
        EventBusName: 'ends',
        EventPattern: JSON.stringify({
          source: ['lambda'],
          detail: { requestContext: { condition: ['Success'] } },
        }),
      }),
    )
    await bridge.send(
      new PutTargetsCommand({
        EventBusName: 'ends',
        Rule: 'all',
        Targets: [{ Id: '1', Arn: queueArn('bus') }],
      }),
    )
    await createFunction(lambda, { FunctionName: 'buses', files: WORKS })
    await configure('buses', EventBusArn, EventBusArn)
    const { requestId } = await invoke(lambda, 'buses', { c: 1 }, EVENT)
    const event = bodyOf(await message('bus')) as Readonly<Record<string, unknown>>
    const { detail } = event as { readonly detail: InvocationRecord }
    assert.deepEqual(
      [event['source'], event['detail-type'], event['resources'], detail.requestContext['requestId']],
      [
        'lambda',
        'Lambda Function Invocation Result - Success',
        [EventBusArn, `${arnOf('buses')}:$LATEST`],
        requestId,
      ],
    )
    assert.deepEqual(detail.responsePayload, { got: { c: 1 } })
  })

  test('functions that are each other’s destination do not go round for ever', async () => {
    const files = { 'index.js': `exports.handler = async () => { console.log('ROUND'); return 1 }` }
    await Promise.all(['ping', 'pong'].map((FunctionName) => createFunction(lambda, { FunctionName, files })))
    await configure('ping', arnOf('pong'), queueArn('dead'))
    await configure('pong', arnOf('ping'), queueArn('dead'))
    await invoke(lambda, 'ping', {}, EVENT)
    const end = await message('dead')
    const { requestContext, responseContext } = bodyOf(end) as InvocationRecord
    assert.equal(requestContext['condition'], 'RecursiveInvocation')
    assert.deepEqual((responseContext as { readonly statusCode: number }).statusCode, 400)
    // The last lines are stored a moment after what they tell of.
    const count = await eventually('about 32 rounds', async () => {
      const lines = (await Promise.all(['ping', 'pong'].map((name) => logMessages(logs, name)))).flat()
      const rounds = lines.filter((line) => line.includes('ROUND')).length
      return rounds >= 30 ? rounds : undefined
    })
    assert.ok(count <= 36, `${count} rounds`)
  })

  test('a role that may not send there is refused when it is configured', async () => {
    const topic = 'arn:aws:sns:us-east-1:000000000000:outcomes'
    await allow([queueArn('closed'), topic])
    const texts = [
      createFunction(lambda, {
        FunctionName: 'refused',
        files: WORKS,
        DeadLetterConfig: { TargetArn: queueArn('closed') },
      }),
      lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: 'works',
          DeadLetterConfig: { TargetArn: topic },
        }),
      ),
      configure('works', arnOf('receives'), queueArn('closed')),
    ].map(async (refused) => (await errorOf(refused)).message)
    assert.deepEqual(await Promise.all(texts), [
      'The provided execution role does not have permissions to call SendMessage on SQS',
      'The provided execution role does not have permissions to call Publish on SNS',
      `The function's execution role does not have permissions to call SendMessage on ${queueArn('closed')}`,
    ])
    await allow([])
  })

  test('what a destination does not take is counted, and the event is gone', async () => {
    await createFunction(lambda, {
      FunctionName: 'lost',
      files: WORKS,
      DeadLetterConfig: { TargetArn: queueArn('closed') },
    })
    await configure('lost', arnOf('receives'), 'arn:aws:s3:::nowhere')
    await allow([queueArn('closed')])
    await invoke(lambda, 'lost', { fail: 1 }, EVENT)
    const metrics = await eventually('it is counted', async () => {
      const text = await (await fetch(`${program.endpoint}/_lambent/metrics`)).text()
      const both = ['destination_delivery_failures_total 1', 'dead_letter_errors_total 1']
      return both.every((line) => text.includes(`lambent_${line}`)) ? text : undefined
    })
    for (const name of [
      'lambent_async_events_received_total',
      'lambent_async_event_age_seconds',
      'lambent_async_events_dropped_total{reason="RetriesExhausted"}',
      'lambent_async_events_dropped_total{reason="ZeroReservedConcurrency"}',
    ])
      assert.ok(metrics.includes(name), name)
    await eventually('nothing is left', async () => {
      const health = await (await fetch(`${program.endpoint}/_lambent/health`)).json()
      return (health as { asyncEvents: number }).asyncEvents === 0 || undefined
    })
  })
})
