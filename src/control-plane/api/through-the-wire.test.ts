/** The operations as the SDK for JavaScript sees them: statuses, bodies, waiters and error classes. */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'

import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteFunctionEventInvokeConfigCommand,
  GetAccountSettingsCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionRecursionConfigCommand,
  GetPolicyCommand,
  GetRuntimeManagementConfigCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListFunctionUrlConfigsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  ResourceConflictException,
  ResourceNotFoundException,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'

import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'
import { createDoor } from '#wire/door.ts'
import { lambdaModel } from '#wire/models/lambda.ts'

import {
  ACCOUNT,
  arnOf,
  createControlPlane,
  REGION,
  ROLE,
  sha256,
  zip,
} from '../../../test/support/control-plane.ts'

let server: Server
let client: LambdaClient
/** What the door logged as an error of ours. */
const unexpected: string[] = []
const FunctionName = 'fn'

before(async () => {
  const door = createDoor({
    services: [{ model: lambdaModel, handlers: createControlPlane().operations }],
    auth: { mode: 'off' },
    account: ACCOUNT,
    region: REGION,
    clock: systemClock,
    random: systemRandom,
    logger: { error: (message, fields) => unexpected.push(`${message} ${JSON.stringify(fields)}`) },
  })
  server = createServer((request, response) => door(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  client = new LambdaClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: { requestTimeout: 10_000 },
  })
})
after(() => {
  client.destroy()
  server.closeAllConnections()
  server.close()
})

const wait = { maxWaitTime: 10, minDelay: 1, maxDelay: 1 }
const statusOf = async (answer: Promise<{ readonly $metadata: { readonly httpStatusCode?: number } }>) =>
  (await answer).$metadata.httpStatusCode

test('the whole life of a function', async () => {
  const created = await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: zip() },
      Environment: { Variables: { KEY: 'value' } },
      Tags: { team: 'a' },
    }),
  )
  assert.equal(created.$metadata.httpStatusCode, 201)
  assert.deepEqual([created.State, created.CodeSha256], ['Pending', sha256(zip())])
  await waitUntilFunctionActiveV2({ client, ...wait }, { FunctionName })

  const updated = await client.send(
    new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 10, MemorySize: 256 }),
  )
  assert.equal(updated.$metadata.httpStatusCode, 200)
  await waitUntilFunctionUpdatedV2({ client, ...wait }, { FunctionName })
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: zip('two') }))
  await waitUntilFunctionUpdatedV2({ client, ...wait }, { FunctionName })

  const published = await client.send(new PublishVersionCommand({ FunctionName }))
  assert.deepEqual([published.$metadata.httpStatusCode, published.Version], [201, '1'])
  assert.equal(
    await statusOf(client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))),
    201,
  )
  const versions = await client.send(new ListVersionsByFunctionCommand({ FunctionName }))
  assert.deepEqual(
    versions.Versions?.map(({ Version }) => Version),
    ['$LATEST', '1'],
  )

  const got = await client.send(new GetFunctionCommand({ FunctionName: arnOf(FunctionName, 'live') }))
  assert.deepEqual(got.Tags, { team: 'a' })
  assert.deepEqual(got.Configuration?.Environment, { Variables: { KEY: 'value' } })
  assert.equal(got.Configuration?.FunctionArn, arnOf(FunctionName, 'live'))
  assert.equal(got.Code?.RepositoryType, 'S3')

  await assert.rejects(
    client.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '1' })),
    ResourceConflictException,
  )
  assert.equal(await statusOf(client.send(new DeleteAliasCommand({ FunctionName, Name: 'live' }))), 204)
  assert.equal(await statusOf(client.send(new DeleteFunctionCommand({ FunctionName }))), 204)
  await assert.rejects(client.send(new GetFunctionCommand({ FunctionName })), ResourceNotFoundException)
})

test('settings and the reads that tools do on every function', async () => {
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: 'python3.12',
      Handler: 'a.b',
      Role: ROLE,
      Code: { ZipFile: zip() },
    }),
  )
  await waitUntilFunctionActiveV2({ client, ...wait }, { FunctionName })
  const Resource = arnOf(FunctionName)
  assert.equal(await statusOf(client.send(new TagResourceCommand({ Resource, Tags: { 'a b': 'c' } }))), 204)
  assert.deepEqual((await client.send(new ListTagsCommand({ Resource }))).Tags, { 'a b': 'c' })
  assert.equal(await statusOf(client.send(new UntagResourceCommand({ Resource, TagKeys: ['a b'] }))), 204)

  const reserved = await client.send(
    new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 3 }),
  )
  assert.deepEqual([reserved.$metadata.httpStatusCode, reserved.ReservedConcurrentExecutions], [200, 3])
  const settings = await client.send(new GetAccountSettingsCommand({}))
  assert.equal(settings.AccountLimit?.UnreservedConcurrentExecutions, 997)
  assert.equal(await statusOf(client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }))), 204)
  const none = await client.send(new GetFunctionConcurrencyCommand({ FunctionName }))
  assert.equal(none.ReservedConcurrentExecutions, undefined)

  const before = Date.UTC(2026, 0, 1)
  const put = await client.send(
    new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0 }),
  )
  assert.equal(put.LastModified?.getTime(), before)
  const config = await client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName }))
  assert.deepEqual(
    [config.FunctionArn, config.MaximumRetryAttempts, config.DestinationConfig],
    [arnOf(FunctionName, '$LATEST'), 0, { OnSuccess: {}, OnFailure: {} }],
  )
  assert.equal(await statusOf(client.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName }))), 204)

  assert.equal(await statusOf(client.send(new GetFunctionCodeSigningConfigCommand({ FunctionName }))), 200)
  const runtime = await client.send(new GetRuntimeManagementConfigCommand({ FunctionName }))
  assert.equal(runtime.UpdateRuntimeOn, 'Auto')
  const recursion = await client.send(new GetFunctionRecursionConfigCommand({ FunctionName }))
  assert.equal(recursion.RecursiveLoop, 'Terminate')
  await assert.rejects(client.send(new GetPolicyCommand({ FunctionName })), ResourceNotFoundException)
  const urls = await client.send(new ListFunctionUrlConfigsCommand({ FunctionName }))
  assert.deepEqual(urls.FunctionUrlConfigs, [])
  const mappings = await client.send(new ListEventSourceMappingsCommand({ FunctionName }))
  assert.deepEqual(mappings.EventSourceMappings, [])
})

test('nothing ended in an error of ours', () => {
  assert.deepEqual(unexpected, [])
})
