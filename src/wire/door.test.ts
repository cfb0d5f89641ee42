import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'

import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-lambda'

import { LambdaError, throttled } from '#contracts/errors.ts'
import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'
import { createDoor, type Door } from '#wire/door.ts'
import { lambdaModel } from '#wire/models/lambda.ts'
import { logsModel } from '#wire/models/logs.ts'
import type { OperationHandler, RequestContext } from '#wire/service.ts'

const SECRET = 'secret'
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: SECRET }

interface Call {
  readonly operation: string
  readonly input: Record<string, unknown>
  readonly context: RequestContext
}

describe('door', () => {
  let server: Server
  let endpoint = ''
  const calls: Call[] = []
  const logged: string[] = []
  let reply: (operation: string, input: Record<string, unknown>) => object | Promise<object> = () => ({})

  const handlersOf = (model: { operations: object }): Record<string, OperationHandler<never, object>> =>
    Object.fromEntries(
      Object.keys(model.operations)
        .filter((operation) => operation !== 'GetPolicy')
        .map((operation) => [
          operation,
          async (input: object, context: RequestContext) => {
            calls.push({ operation, input: input as Record<string, unknown>, context })
            return reply(operation, input as Record<string, unknown>)
          },
        ]),
    )

  before(async () => {
    const door: Door = createDoor({
      services: [
        { model: lambdaModel, handlers: handlersOf(lambdaModel) },
        { model: logsModel, handlers: handlersOf(logsModel) },
      ],
      auth: {
        mode: 'signature',
        credentials: (id) =>
          id === credentials.accessKeyId
            ? { secret: SECRET, account: '111122223333', arn: 'arn:aws:iam::111122223333:user/me' }
            : undefined,
      },
      account: '000000000000',
      region: 'us-east-1',
      clock: systemClock,
      random: systemRandom,
      logger: { error: (message) => logged.push(message) },
    })
    server = createServer(door)
    server.on('checkContinue', (request, response) => door(request, response, { awaitsContinue: true }))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  const client = (extra: object = {}) =>
    new LambdaClient({ endpoint, region: 'eu-west-1', credentials, maxAttempts: 1, ...extra })
  const last = () => calls.at(-1) ?? assert.fail('no handler was called')

  test('hands an invocation on with its payload untouched, and its answer back', async () => {
    reply = () => ({ Payload: Buffer.from('not { json'), ExecutedVersion: '7', FunctionError: 'Unhandled' })
    const answer = await client().send(
      new InvokeCommand({
        FunctionName: 'arn:aws:lambda:eu-west-1:111122223333:function:hello',
        Payload: new Uint8Array([0, 255, 1]),
        Qualifier: '$LATEST',
        LogType: 'Tail',
      }),
    )
    assert.equal(last().operation, 'Invoke')
    assert.deepEqual(
      { ...last().input, Payload: Buffer.from(last().input['Payload'] as Uint8Array).toString('hex') },
      {
        FunctionName: 'arn:aws:lambda:eu-west-1:111122223333:function:hello',
        LogType: 'Tail',
        Qualifier: '$LATEST',
        Payload: '00ff01',
      },
    )
    assert.equal(last().context.region, 'eu-west-1')
    assert.deepEqual(last().context.principal, {
      accessKeyId: 'AKIATEST',
      account: '111122223333',
      arn: 'arn:aws:iam::111122223333:user/me',
    })
    assert.equal(last().context.endpoint, endpoint)
    assert.equal(Buffer.from(answer.Payload ?? []).toString(), 'not { json')
    assert.equal(answer.FunctionError, 'Unhandled')
    assert.equal(answer.ExecutedVersion, '7')
    assert.equal(answer.StatusCode, 200)
    assert.equal(answer.$metadata.requestId, last().context.requestId)
  })

  test('reads blobs as bytes and answers the modelled status', async () => {
    reply = () => ({ FunctionName: 'f', CodeSize: 3, Secret: 'never sent' })
    const answer = await client().send(
      new CreateFunctionCommand({
        FunctionName: 'f',
        Role: 'arn:aws:iam::000000000000:role/r',
        Code: { ZipFile: Buffer.from('zip') },
        Environment: { Variables: { ABC: 'x' } },
      }),
    )
    assert.equal(answer.$metadata.httpStatusCode, 201)
    assert.equal(answer.FunctionName, 'f')
    assert.ok(!('Secret' in answer))
    const { Code } = last().input as { Code: { ZipFile: Uint8Array } }
    assert.equal(Buffer.from(Code.ZipFile).toString(), 'zip')
  })

  test('writes dates as epoch seconds with their milliseconds', async () => {
    const at = new Date(1_700_000_000_123)
    reply = () => ({ EventSourceMappings: [{ UUID: 'u', LastModified: at }] })
    const answer = await client().send(new ListEventSourceMappingsCommand({ MaxItems: 5 }))
    assert.deepEqual(last().input, { MaxItems: 5 })
    assert.deepEqual(answer.EventSourceMappings?.[0]?.LastModified, at)
  })

  test('keeps slashes and colons of a label inside the label', async () => {
    reply = () => ({ Tags: {} })
    const Resource = 'arn:aws:lambda:eu-west-1:111122223333:function:hello'
    await client().send(new ListTagsCommand({ Resource }))
    assert.deepEqual(last().input, { Resource })
    reply = () => ({})
    const answer = await client().send(new UntagResourceCommand({ Resource, TagKeys: ['a', 'b c'] }))
    assert.deepEqual(last().input, { Resource, TagKeys: ['a', 'b c'] })
    assert.equal(answer.$metadata.httpStatusCode, 204)
  })

  test('streams events in the framing that the SDK reads', async () => {
    async function* events() {
      yield { PayloadChunk: { Payload: Buffer.from('one') } }
      yield { PayloadChunk: { Payload: Buffer.from('two') } }
      yield { InvokeComplete: { LogResult: 'bG9n' } }
    }
    reply = () => ({ ExecutedVersion: '1', EventStream: events() })
    const answer = await client().send(new InvokeWithResponseStreamCommand({ FunctionName: 'f' }))
    const seen: string[] = []
    for await (const event of answer.EventStream ?? []) {
      if (event.PayloadChunk) seen.push(Buffer.from(event.PayloadChunk.Payload ?? []).toString())
      if (event.InvokeComplete) seen.push(event.InvokeComplete.LogResult ?? '')
    }
    assert.deepEqual(seen, ['one', 'two', 'bG9n'])
    assert.equal(answer.ExecutedVersion, '1')
  })

  test('turns LambdaErrors into the exceptions that the SDK knows', async () => {
    reply = () => {
      throw throttled('ConcurrentInvocationLimitExceeded')
    }
    await assert.rejects(client().send(new InvokeCommand({ FunctionName: 'f' })), {
      name: 'TooManyRequestsException',
      message: 'Rate Exceeded.',
      Reason: 'ConcurrentInvocationLimitExceeded',
      Type: 'User',
    })
    reply = () => {
      throw new LambdaError('ResourceNotFoundException', 'Function not found: x')
    }
    await assert.rejects(client().send(new GetFunctionCommand({ FunctionName: 'f' })), {
      name: 'ResourceNotFoundException',
      message: 'Function not found: x',
    })
  })

  test('hides what a bug says and logs it', async () => {
    reply = () => {
      throw new TypeError('secret internals')
    }
    await assert.rejects(client().send(new GetFunctionCommand({ FunctionName: 'f' })), (error: Error) => {
      assert.equal(error.name, 'ServiceException')
      assert.ok(!JSON.stringify(error).includes('secret internals'))
      return true
    })
    assert.equal(logged.at(-1), 'An operation failed unexpectedly')
  })

  test('speaks AWS JSON 1.1 to a logs client', async () => {
    const logs = new CloudWatchLogsClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
    reply = () => ({ logGroups: [{ logGroupName: 'g', creationTime: 5 }] })
    const answer = await logs.send(new DescribeLogGroupsCommand({ limit: 3 }))
    assert.deepEqual(last().input, { limit: 3 })
    assert.equal(answer.logGroups?.[0]?.creationTime, 5)
    reply = () => {
      throw new LambdaError('ResourceNotFoundException', 'The specified log group does not exist.', {
        status: 400,
      })
    }
    await assert.rejects(
      logs.send(
        new PutLogEventsCommand({
          logGroupName: 'g',
          logStreamName: 's',
          logEvents: [{ timestamp: 1, message: 'm' }],
        }),
      ),
      { name: 'ResourceNotFoundException', message: 'The specified log group does not exist.' },
    )
  })

  test('refuses a wrong secret and an unknown key', async () => {
    const wrong = client({ credentials: { ...credentials, secretAccessKey: 'other' } })
    await assert.rejects(wrong.send(new GetFunctionCommand({ FunctionName: 'f' })), {
      name: 'InvalidSignatureException',
    })
    const unknown = client({ credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' } })
    await assert.rejects(unknown.send(new GetFunctionCommand({ FunctionName: 'f' })), {
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    })
  })
})
