/** Runtime management and recursion settings through the SDK. */
// parity: PutRuntimeManagementConfig GetRuntimeManagementConfig
// parity: PutFunctionRecursionConfig GetFunctionRecursionConfig
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateAliasCommand,
  GetFunctionRecursionConfigCommand,
  GetRuntimeManagementConfigCommand,
  PublishVersionCommand,
  PutFunctionRecursionConfigCommand,
  PutRuntimeManagementConfigCommand,
  UpdateFunctionConfigurationCommand,
  type LambdaClient,
  type PutRuntimeManagementConfigCommandInput,
  type RecursiveLoop,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, lambdaClient } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const FunctionName = 'managed'
const ARN = `arn:aws:lambda:us-east-1:000000000000:function:${FunctionName}`

describe('runtime management and recursion', () => {
  let program: Program
  let lambda: LambdaClient
  let runtimeVersionArn: string | undefined

  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    const made = await createFunction(lambda, {
      FunctionName,
      files: { 'index.mjs': `export const handler = async () => 1` },
    })
    runtimeVersionArn = made.RuntimeVersionConfig?.RuntimeVersionArn
    await lambda.send(new PublishVersionCommand({ FunctionName }))
    await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
  })
  after(() => program.stop())

  const put = async (more: Partial<PutRuntimeManagementConfigCommandInput>) => {
    const answer = await lambda.send(
      new PutRuntimeManagementConfigCommand({ FunctionName, UpdateRuntimeOn: 'Auto', ...more }),
    )
    return [answer.UpdateRuntimeOn, answer.FunctionArn, answer.RuntimeVersionArn]
  }
  const get = async (Qualifier?: string) => {
    const answer = await lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName, Qualifier }))
    return [answer.UpdateRuntimeOn, answer.FunctionArn, answer.RuntimeVersionArn]
  }

  test('each version follows the updates of its runtime in its own way', async () => {
    assert.deepEqual(await get(), ['Auto', `${ARN}:$LATEST`, undefined])
    const manual = ['Manual', `${ARN}:1`, runtimeVersionArn]
    assert.deepEqual(
      await put({ Qualifier: '1', UpdateRuntimeOn: 'Manual', RuntimeVersionArn: runtimeVersionArn }),
      manual,
    )
    assert.deepEqual(await get('1'), manual)
    assert.deepEqual(await put({ UpdateRuntimeOn: 'FunctionUpdate' }), [
      'FunctionUpdate',
      `${ARN}:$LATEST`,
      undefined,
    ])
    assert.deepEqual(await put({}), ['Auto', `${ARN}:$LATEST`, undefined])
  })

  test('aliases, other runtimes for a pinned function, and unknown functions are refused', async () => {
    assert.deepEqual(await errorOf(put({ Qualifier: 'live' })), {
      name: 'InvalidParameterValueException',
      message: `The provided function name ${ARN}:live is invalid. Aliases are not allowed.`,
      status: 400,
    })
    await put({ UpdateRuntimeOn: 'Manual', RuntimeVersionArn: runtimeVersionArn })
    const change = lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName, Runtime: 'nodejs24.x' }),
    )
    assert.deepEqual(await errorOf(change), {
      name: 'InvalidParameterValueException',
      message:
        "Cannot change runtime identifier when runtime management configuration is set to 'Manual'. Change the runtime management configuration to 'Auto' or 'FunctionUpdate', then retry.",
      status: 400,
    })
    assert.equal((await errorOf(put({ FunctionName: 'nobody' }))).status, 404)
  })

  test('recursive invocations are stopped unless the function allows them', async () => {
    const read = async () =>
      (await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }))).RecursiveLoop
    assert.equal(await read(), 'Terminate')
    for (const RecursiveLoop of ['Allow', 'Terminate'] as const) {
      const answer = await lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop }))
      assert.equal(answer.RecursiveLoop, RecursiveLoop)
      assert.equal(await read(), RecursiveLoop)
    }
    const wrong = new PutFunctionRecursionConfigCommand({
      FunctionName,
      RecursiveLoop: 'Sometimes' as RecursiveLoop,
    })
    assert.deepEqual(await errorOf(lambda.send(wrong)), {
      name: 'ValidationException',
      message:
        "1 validation error detected: Value 'Sometimes' at 'recursiveLoop' failed to satisfy constraint: Member must satisfy enum value set: [Terminate, Allow]",
      status: 400,
    })
  })
})
