/** The configuration of function URLs through the SDK. */
// parity: CreateFunctionUrlConfig GetFunctionUrlConfig UpdateFunctionUrlConfig DeleteFunctionUrlConfig
// parity: ListFunctionUrlConfigs
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  ListFunctionUrlConfigsCommand,
  paginateListFunctionUrlConfigs,
  PublishVersionCommand,
  UpdateFunctionUrlConfigCommand,
  type CreateFunctionUrlConfigCommandInput,
  type FunctionUrlConfig,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, lambdaClient } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const NO_URL = {
  name: 'ResourceNotFoundException',
  message: 'The resource you requested does not exist.',
  status: 404,
}
const without = <Answer extends { $metadata: unknown }>({ $metadata: _metadata, ...rest }: Answer) => rest

describe('function URL configurations', () => {
  let program: Program
  let lambda: LambdaClient

  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
  })
  after(() => program.stop())

  const prepare = async (FunctionName: string) => {
    await createFunction(lambda, { FunctionName, files: { 'index.mjs': `export const handler = () => 1` } })
    await lambda.send(new PublishVersionCommand({ FunctionName }))
    await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
  }
  const create = (FunctionName: string, more: Partial<CreateFunctionUrlConfigCommandInput> = {}) =>
    lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE', ...more }))
  const get = (FunctionName: string, Qualifier?: string) =>
    lambda.send(new GetFunctionUrlConfigCommand({ FunctionName, Qualifier }))

  test('one is created, read, changed and deleted', async () => {
    await prepare('hello')
    const created = await create('hello')
    assert.equal(created.$metadata.httpStatusCode, 201)
    assert.match(
      created.FunctionUrl ?? '',
      new RegExp(`^http://[a-z0-9]{32}\\.lambda-url\\.us-east-1\\.localhost:${program.port}/$`),
    )
    assert.deepEqual(without(created), {
      FunctionUrl: created.FunctionUrl,
      FunctionArn: `${ARN}:hello`,
      AuthType: 'NONE',
      CreationTime: created.CreationTime,
    })
    assert.deepEqual(without(await get('hello')), {
      ...without(created),
      InvokeMode: 'BUFFERED',
      LastModifiedTime: created.CreationTime,
    })
    assert.deepEqual(await errorOf(create('hello')), {
      name: 'ResourceConflictException',
      message: `Failed to create function url config for [functionArn = ${ARN}:hello]. Error message:  FunctionUrlConfig exists for this Lambda function`,
      status: 409,
    })
    const Cors = {
      AllowCredentials: true,
      AllowHeaders: ['date'],
      AllowMethods: ['GET', 'POST'],
      AllowOrigins: ['https://example.com'],
      ExposeHeaders: ['keep-alive'],
      MaxAge: 86_400,
    }
    const changed = await lambda.send(
      new UpdateFunctionUrlConfigCommand({
        FunctionName: 'hello',
        AuthType: 'AWS_IAM',
        InvokeMode: 'RESPONSE_STREAM',
        Cors,
      }),
    )
    assert.deepEqual(without(changed), {
      ...without(created),
      AuthType: 'AWS_IAM',
      InvokeMode: 'RESPONSE_STREAM',
      Cors,
      LastModifiedTime: changed.LastModifiedTime,
    })
    assert.deepEqual(without(await get('hello')), without(changed))
    const gone = await lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: 'hello' }))
    assert.equal(gone.$metadata.httpStatusCode, 204)
    assert.deepEqual(await errorOf(get('hello')), NO_URL)
  })

  test('aliases have their own, versions none, and all go with the function', async () => {
    await prepare('aliased')
    await create('aliased', { Qualifier: 'live' })
    await create('aliased')
    const found: FunctionUrlConfig[] = []
    const pages = paginateListFunctionUrlConfigs({ client: lambda, pageSize: 1 }, { FunctionName: 'aliased' })
    for await (const page of pages) found.push(...(page.FunctionUrlConfigs ?? []))
    assert.deepEqual(
      found.map(({ FunctionArn }) => FunctionArn),
      [`${ARN}:aliased`, `${ARN}:aliased:live`],
    )
    assert.notEqual(found[0]?.FunctionUrl, found[1]?.FunctionUrl)
    for (const Qualifier of ['1', '$LATEST']) {
      assert.deepEqual(await errorOf(create('aliased', { Qualifier })), {
        name: 'ValidationException',
        message: `1 validation error detected: Value '${Qualifier}' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)`,
        status: 400,
      })
    }
    assert.equal((await errorOf(create('aliased', { Qualifier: 'none' }))).message, 'Function does not exist')
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'aliased' }))
    assert.deepEqual(await errorOf(get('aliased', 'live')), NO_URL)
    const list = lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: 'aliased' }))
    assert.equal((await errorOf(list)).message, 'Function does not exist')
  })

  test('limits on what browsers may do are refused as the model says', async () => {
    await prepare('limited')
    const refused = async (Cors: NonNullable<CreateFunctionUrlConfigCommandInput['Cors']>) =>
      (await errorOf(create('limited', { Cors }))).name
    assert.equal(await refused({ MaxAge: 86_401 }), 'ValidationException')
    assert.equal(await refused({ AllowMethods: ['OPTIONS'] }), 'ValidationException')
    assert.equal(await refused({ AllowMethods: ['FETCH'] }), 'InvalidParameterValueException')
    assert.equal(await refused({ AllowOrigins: Array(101).fill('*') }), 'ValidationException')
    assert.deepEqual(await errorOf(get('limited')), NO_URL)
  })
})
