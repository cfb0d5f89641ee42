/** One program takes the place of another's queues, topics and buses, as real AWS would. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge'
import { PutFunctionEventInvokeConfigCommand } from '@aws-sdk/client-lambda'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'

import { createFunction, eventually, invoke, lambdaClient } from '../support/clients.ts'
import { startProgram } from '../support/program.ts'

const arn = (service: string, name: string) => `arn:aws:${service}:us-east-1:000000000000:${name}`

test('outcomes go to queues, topics and buses of another endpoint, signed', async (t) => {
  const credentials = { accessKeyId: 'AKIAOWNER', secretAccessKey: 'b/c+d' }
  const there = await startProgram({
    args: [
      '--auth=signature',
      `--access-key-id=${credentials.accessKeyId}`,
      `--secret-access-key=${credentials.secretAccessKey}`,
    ],
  })
  t.after(() => there.stop())
  const { accessKeyId, secretAccessKey } = credentials
  const url = `http://${accessKeyId}:${encodeURIComponent(secretAccessKey)}@127.0.0.1:${there.port}`
  const here = await startProgram({
    args: [
      `--services=sns=${url},events=${url}`,
      `--sqs-endpoint=${there.endpoint}`,
      `--sqs-access-key-id=${accessKeyId}`,
      `--sqs-secret-access-key=${secretAccessKey}`,
    ],
  })
  t.after(() => here.stop())
  const aws = { endpoint: there.endpoint, region: 'us-east-1', credentials }
  const sqs = new SQSClient(aws)
  const sns = new SNSClient(aws)
  const events = new EventBridgeClient(aws)
  const lambda = lambdaClient(here.endpoint)

  const queueUrls = await Promise.all(
    ['direct', 'by-topic', 'by-bus'].map(async (QueueName) => {
      const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName }))
      return QueueUrl
    }),
  )
  await sns.send(new CreateTopicCommand({ Name: 'topic' }))
  await sns.send(
    new SubscribeCommand({
      TopicArn: arn('sns', 'topic'),
      Protocol: 'sqs',
      Endpoint: arn('sqs', 'by-topic'),
    }),
  )
  await events.send(new CreateEventBusCommand({ Name: 'bus' }))
  const rule = { Name: 'all', EventBusName: 'bus', EventPattern: JSON.stringify({ source: ['lambda'] }) }
  await events.send(new PutRuleCommand(rule))
  await events.send(
    new PutTargetsCommand({
      Rule: 'all',
      EventBusName: 'bus',
      Targets: [{ Id: '1', Arn: arn('sqs', 'by-bus') }],
    }),
  )

  const destinations = [arn('sqs', 'direct'), arn('sns', 'topic'), arn('events', 'event-bus/bus')]
  for (const [index, Destination] of destinations.entries()) {
    const FunctionName = `tells-${index}`
    await createFunction(lambda, { FunctionName, files: { 'index.js': 'exports.handler = async () => 1' } })
    await lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName,
        DestinationConfig: { OnSuccess: { Destination } },
      }),
    )
    await invoke(lambda, FunctionName, {}, { InvocationType: 'Event' })
    const QueueUrl = queueUrls[index]
    const body = await eventually(`the outcome of ${FunctionName}`, async () => {
      const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }))
      return Messages?.[0]?.Body
    })
    assert.match(body, /requestContext/)
    assert.ok(body.includes(`function:${FunctionName}`))
  }
})
