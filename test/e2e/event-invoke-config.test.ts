/** Settings of asynchronous invocations through the SDK: put, update, list, delete, and everything AWS refuses. */
// parity: PutFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig GetFunctionEventInvokeConfig
// parity: ListFunctionEventInvokeConfigs DeleteFunctionEventInvokeConfig
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateAliasCommand,
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  ListFunctionEventInvokeConfigsCommand,
  PublishVersionCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
  type LambdaClient,
  type PutFunctionEventInvokeConfigCommandInput,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, lambdaClient } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const NONE = { OnFailure: {}, OnSuccess: {} }
const files = { 'index.mjs': 'export const handler = async () => 1' }

describe('event invoke configurations through the SDK', () => {
  let program: Program
  let lambda: LambdaClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    await createFunction(lambda, { FunctionName: 'main', files })
    await createFunction(lambda, { FunctionName: 'other', files })
    await lambda.send(new PublishVersionCommand({ FunctionName: 'main' }))
    await lambda.send(new CreateAliasCommand({ FunctionName: 'main', Name: 'live', FunctionVersion: '1' }))
  })
  after(() => program.stop())

  const put = async (input: Partial<PutFunctionEventInvokeConfigCommandInput>) => {
    const { $metadata, LastModified, ...rest } = await lambda.send(
      new PutFunctionEventInvokeConfigCommand({ FunctionName: 'main', ...input }),
    )
    assert.equal($metadata.httpStatusCode, 200)
    assert.ok(LastModified && Math.abs(LastModified.getTime() - Date.now()) < 60_000)
    return rest
  }
  const refusal = (input: Partial<PutFunctionEventInvokeConfigCommandInput>) =>
    errorOf(lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'main', ...input })))

  test('put replaces everything, update keeps what it does not name', async () => {
    assert.deepEqual(await put({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 60 }), {
      FunctionArn: `${ARN}:main:$LATEST`,
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: NONE,
    })
    const { $metadata, LastModified, ...updated } = await lambda.send(
      new UpdateFunctionEventInvokeConfigCommand({ FunctionName: 'main', MaximumRetryAttempts: 0 }),
    )
    assert.equal($metadata.httpStatusCode, 200)
    assert.ok(LastModified)
    assert.deepEqual(updated, {
      FunctionArn: `${ARN}:main:$LATEST`,
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: NONE,
    })
    // Put without the age: the age is gone.
    assert.deepEqual(await put({ MaximumRetryAttempts: 1 }), {
      FunctionArn: `${ARN}:main:$LATEST`,
      MaximumRetryAttempts: 1,
      DestinationConfig: NONE,
    })
  })

  test('a destination stays until an update or an empty text removes it', async () => {
    const destination = `${ARN}:other`
    assert.deepEqual(
      (await put({ DestinationConfig: { OnSuccess: { Destination: destination } } })).DestinationConfig,
      { OnFailure: {}, OnSuccess: { Destination: destination } },
    )
    const kept = await lambda.send(
      new UpdateFunctionEventInvokeConfigCommand({ FunctionName: 'main', MaximumRetryAttempts: 1 }),
    )
    assert.deepEqual(kept.DestinationConfig, { OnFailure: {}, OnSuccess: { Destination: destination } })
    const removed = await lambda.send(
      new UpdateFunctionEventInvokeConfigCommand({
        FunctionName: 'main',
        DestinationConfig: { OnSuccess: { Destination: '' } },
      }),
    )
    assert.deepEqual(removed.DestinationConfig, NONE)
  })

  test('every qualifier has its own, in each spelling, and lists show them all', async () => {
    await put({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 })
    for (const input of [
      { Qualifier: '1' },
      { FunctionName: 'main:1' },
      { FunctionName: `000000000000:function:main:1` },
    ]) {
      assert.equal((await put({ MaximumRetryAttempts: 1, ...input })).FunctionArn, `${ARN}:main:1`)
    }
    for (const input of [
      { Qualifier: 'live' },
      { FunctionName: `${ARN}:main:live` },
      { FunctionName: `${ARN}:main:live`, Qualifier: 'live' },
    ]) {
      assert.equal((await put({ MaximumRetryAttempts: 1, ...input })).FunctionArn, `${ARN}:main:live`)
    }
    const list = async (MaxItems?: number, Marker?: string) =>
      lambda.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName: 'main', MaxItems, Marker }))
    const all = await list()
    assert.equal(all.NextMarker, undefined)
    assert.deepEqual(
      all.FunctionEventInvokeConfigs?.map(({ LastModified: _modified, ...rest }) => rest),
      [
        {
          FunctionArn: `${ARN}:main:$LATEST`,
          MaximumRetryAttempts: 0,
          MaximumEventAgeInSeconds: 60,
          DestinationConfig: NONE,
        },
        { FunctionArn: `${ARN}:main:1`, MaximumRetryAttempts: 1, DestinationConfig: NONE },
        { FunctionArn: `${ARN}:main:live`, MaximumRetryAttempts: 1, DestinationConfig: NONE },
      ],
    )
    const first = await list(2)
    assert.equal(first.FunctionEventInvokeConfigs?.length, 2)
    const second = await list(2, first.NextMarker)
    assert.deepEqual(
      second.FunctionEventInvokeConfigs?.map(({ FunctionArn }) => FunctionArn),
      [`${ARN}:main:live`],
    )
    assert.equal(second.NextMarker, undefined)

    for (const Qualifier of [undefined, '1', 'live']) {
      const answer = await lambda.send(
        new DeleteFunctionEventInvokeConfigCommand({ FunctionName: 'main', Qualifier }),
      )
      assert.equal(answer.$metadata.httpStatusCode, 204)
    }
    assert.deepEqual((await list()).FunctionEventInvokeConfigs, [])
  })

  test('what names nothing is not found, in the words of each operation', async () => {
    const missing = { name: 'ResourceNotFoundException', message: "The function doesn't exist.", status: 404 }
    const without = (arn: string) => ({
      ...missing,
      message: `The function ${arn} doesn't have an EventInvokeConfig`,
    })
    const one = { MaximumRetryAttempts: 1 }
    assert.deepEqual(await refusal({ FunctionName: 'nobody', ...one }), missing)
    assert.deepEqual(await refusal({ FunctionName: `${ARN}:nobody`, ...one }), missing)
    assert.deepEqual(await refusal({ Qualifier: 'nothing', ...one }), missing)
    assert.deepEqual(await refusal({ Qualifier: '99', ...one }), missing)
    const update = (input: { FunctionName: string; Qualifier?: string }) =>
      errorOf(lambda.send(new UpdateFunctionEventInvokeConfigCommand({ ...input, ...one })))
    assert.deepEqual(await update({ FunctionName: 'nobody' }), missing)
    assert.deepEqual(await update({ FunctionName: 'other' }), without(`${ARN}:other:$LATEST`))
    assert.deepEqual(await update({ FunctionName: 'main', Qualifier: 'live' }), without(`${ARN}:main:live`))
    const get = (FunctionName: string, Qualifier?: string) =>
      errorOf(lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier })))
    assert.deepEqual(await get('nobody'), without(`${ARN}:nobody:$LATEST`))
    assert.deepEqual(await get('main', 'nothing'), without(`${ARN}:main:nothing`))
    assert.deepEqual(
      await errorOf(lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName: 'nobody' }))),
      without(`${ARN}:nobody:$LATEST`),
    )
    assert.deepEqual(
      await errorOf(lambda.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName: 'nobody' }))),
      missing,
    )
  })

  test("settings that make no sense are refused in AWS's words", async () => {
    const invalid = (message: string) => ({ name: 'InvalidParameterValueException', message, status: 400 })
    const conflict = invalid(
      'The derived qualifier from the function name does not match the specified qualifier.',
    )
    assert.deepEqual(
      await refusal({}),
      invalid('You must specify at least one of error handling or destination setting.'),
    )
    assert.deepEqual(
      await refusal({ FunctionName: 'main:live', Qualifier: '1', MaximumRetryAttempts: 1 }),
      conflict,
    )
    assert.deepEqual(
      await refusal({ FunctionName: 'main:$LATEST', Qualifier: '1', MaximumRetryAttempts: 1 }),
      conflict,
    )
    const onSuccess = (Destination: string) => refusal({ DestinationConfig: { OnSuccess: { Destination } } })
    assert.deepEqual(
      await onSuccess(`${ARN}:nobody`),
      invalid(`The destination ARN ${ARN}:nobody is invalid.`),
    )
    assert.deepEqual(
      await onSuccess(`${ARN}:main`),
      invalid("You can't specify the function as a destination for itself."),
    )
    const role = 'arn:aws:iam:us-east-1:000000000000:role'
    assert.deepEqual(
      await onSuccess(role),
      invalid(
        `The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=${role}), onFailure=null) is invalid.`,
      ),
    )
    const bad = await refusal({
      DestinationConfig: {
        OnFailure: { Destination: 'arn:aws:_-/!lambda:us-east-1:000000000000:function:x' },
      },
    })
    assert.equal(bad.name, 'ValidationException')
    assert.match(
      bad.message,
      /^1 validation error detected: Value 'arn:aws:_-\/!lambda:.*' at 'destinationConfig\.onFailure\.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: /,
    )
    const range = await refusal({ MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 59 })
    assert.equal(range.name, 'ValidationException')
    assert.match(range.message, /^2 validation errors detected: Value '3' at 'maximumRetryAttempts' /)
  })
})
