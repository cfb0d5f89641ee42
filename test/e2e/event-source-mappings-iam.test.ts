/** --auth iam: who may map which function, and which queue its pollers may read. */
// parity: CreateEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'

import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'

import { createFunction, errorOf, eventually, makeExecutionRole } from '../support/clients.ts'
import { startProgram } from '../support/program.ts'

const OWNER = { accessKeyId: 'AKIDOWNER', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const ARN = 'arn:aws:lambda:us-east-1:000000000000'
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:queue'

test('a user maps its own function, and takes no mapping of another one', async (t) => {
  const program = await startProgram({
    args: [
      '--auth=iam',
      `--access-key-id=${OWNER.accessKeyId}`,
      `--secret-access-key=${OWNER.secretAccessKey}`,
    ],
  })
  t.after(() => program.stop())
  const common = { endpoint: program.endpoint, region: 'us-east-1', maxAttempts: 1 }
  const owner = new LambdaClient({ ...common, credentials: OWNER })
  await makeExecutionRole(program.endpoint, OWNER)
  for (const FunctionName of ['own', 'other']) {
    await createFunction(owner, { FunctionName, files: { 'index.mjs': 'export const handler = () => 1' } })
  }
  const iam = new IAMClient({ ...common, credentials: OWNER })
  const UserName = 'mapper'
  await iam.send(new CreateUserCommand({ UserName }))
  const Statement = [
    {
      Effect: 'Allow',
      Action: 'lambda:*EventSourceMapping*',
      Resource: '*',
      Condition: { ArnEquals: { 'lambda:FunctionArn': `${ARN}:function:own` } },
    },
  ]
  await iam.send(
    new PutUserPolicyCommand({
      UserName,
      PolicyName: 'own',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
    }),
  )
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  const user = new LambdaClient({
    ...common,
    credentials: { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' },
  })
  const create = (lambda: LambdaClient, FunctionName: string) =>
    lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn: QUEUE }))
  const enabled = (UUID: string | undefined) =>
    eventually('the mapping is enabled', async () => {
      const { State } = await owner.send(new GetEventSourceMappingCommand({ UUID }))
      return State === 'Enabled' || undefined
    })
  const denied = (action: string, resource: string) => ({
    name: 'AccessDeniedException',
    message: `User: arn:aws:iam::000000000000:user/mapper is not authorized to perform: lambda:${action} on resource: ${resource} because no identity-based policy allows the lambda:${action} action`,
    status: 403,
  })

  const { UUID } = await create(user, 'own')
  await enabled(UUID)
  assert.deepEqual(await errorOf(create(user, 'other')), denied('CreateEventSourceMapping', '*'))
  const foreign = (await create(owner, 'other')).UUID
  await enabled(foreign)
  assert.deepEqual(
    await errorOf(user.send(new DeleteEventSourceMappingCommand({ UUID: foreign }))),
    denied('DeleteEventSourceMapping', `${ARN}:event-source-mapping:${foreign}`),
  )
  for (const [uuid, FunctionName] of [
    [foreign, 'own'],
    [UUID, 'other'],
  ]) {
    const taking = user.send(new UpdateEventSourceMappingCommand({ UUID: uuid, FunctionName }))
    assert.deepEqual(
      await errorOf(taking),
      denied('UpdateEventSourceMapping', `${ARN}:event-source-mapping:${uuid}`),
    )
  }
  assert.deepEqual(
    await errorOf(user.send(new ListEventSourceMappingsCommand({}))),
    denied('ListEventSourceMappings', '*'),
  )
  await user.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: 1 }))
  await enabled(UUID)
  await user.send(new DeleteEventSourceMappingCommand({ UUID }))

  // The queue's policy lets the user send, the role's lets the function's pollers take.
  const queues = new SQSClient({ ...common, credentials: OWNER })
  const mine = new SQSClient({ ...common, credentials: await user.config.credentials() })
  const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: 'polled' }))
  const send = () => mine.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }))
  const polled = 'arn:aws:sqs:us-east-1:000000000000:polled'
  await assert.rejects(send, {
    Code: 'AccessDenied',
    message: `User: arn:aws:iam::000000000000:user/mapper is not authorized to perform: sqs:sendmessage on resource: ${polled} because no identity-based policy allows the sqs:sendmessage action`,
  })
  const allow = (Action: string | string[], more = {}) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action, Resource: polled, ...more },
    })
  const Policy = allow('sqs:SendMessage', { Principal: { AWS: 'arn:aws:iam::000000000000:user/mapper' } })
  await queues.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }))
  await send()
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: 'lambda',
      PolicyName: 'queue',
      PolicyDocument: allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']),
    }),
  )
  await owner.send(new CreateEventSourceMappingCommand({ FunctionName: 'own', EventSourceArn: polled }))
  await eventually('the message was taken and deleted', async () => {
    const { Attributes } = await queues.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    )
    const { ApproximateNumberOfMessages: visible, ApproximateNumberOfMessagesNotVisible: hidden } =
      Attributes ?? {}
    return (visible === '0' && hidden === '0') || undefined
  })
})
