/** Code signing configurations through the SDK. */
// parity: CreateCodeSigningConfig GetCodeSigningConfig UpdateCodeSigningConfig DeleteCodeSigningConfig
// parity: ListCodeSigningConfigs ListFunctionsByCodeSigningConfig PutFunctionCodeSigningConfig
// parity: GetFunctionCodeSigningConfig DeleteFunctionCodeSigningConfig
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  DeleteCodeSigningConfigCommand,
  DeleteFunctionCodeSigningConfigCommand,
  GetCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  ListCodeSigningConfigsCommand,
  ListFunctionsByCodeSigningConfigCommand,
  ListTagsCommand,
  PutFunctionCodeSigningConfigCommand,
  UpdateCodeSigningConfigCommand,
  UpdateFunctionCodeCommand,
  type CodeSigningPolicy,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, invoke, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const AllowedPublishers = {
  SigningProfileVersionArns: ['arn:aws:signer:us-east-1:000000000000:/signing-profiles/team/0123456789'],
}
const files = { 'index.mjs': `export const handler = async () => 1` }

describe('code signing', () => {
  let program: Program
  let lambda: LambdaClient

  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
  })
  after(() => program.stop())

  const create = async (mode: CodeSigningPolicy) => {
    const { CodeSigningConfig } = await lambda.send(
      new CreateCodeSigningConfigCommand({
        AllowedPublishers,
        Description: mode,
        CodeSigningPolicies: { UntrustedArtifactOnDeployment: mode },
        Tags: { mode },
      }),
    )
    assert.ok(CodeSigningConfig)
    return { config: CodeSigningConfig, CodeSigningConfigArn: CodeSigningConfig.CodeSigningConfigArn }
  }

  test('a configuration is created, read, changed, listed and deleted', async () => {
    const { config, CodeSigningConfigArn } = await create('Warn')
    assert.match(
      CodeSigningConfigArn ?? '',
      /^arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-[a-z0-9]{17}$/,
    )
    const read = await lambda.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn }))
    assert.deepEqual(read.CodeSigningConfig, config)
    const changed = await lambda.send(
      new UpdateCodeSigningConfigCommand({ CodeSigningConfigArn, Description: 'changed' }),
    )
    assert.deepEqual(changed.CodeSigningConfig, {
      ...config,
      Description: 'changed',
      LastModified: changed.CodeSigningConfig?.LastModified,
    })
    const listed = await lambda.send(new ListCodeSigningConfigsCommand({}))
    assert.deepEqual(listed.CodeSigningConfigs, [changed.CodeSigningConfig])
    const tags = await lambda.send(new ListTagsCommand({ Resource: CodeSigningConfigArn }))
    assert.deepEqual(tags.Tags, { mode: 'Warn' })
    const gone = await lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }))
    assert.equal(gone.$metadata.httpStatusCode, 204)
    // On the wire, because AWS leaves the member Type out here.
    const answer = await fetch(
      `${program.endpoint}/2020-04-22/code-signing-configs/${encodeURIComponent(CodeSigningConfigArn ?? '')}`,
    )
    assert.equal(answer.status, 404)
    assert.equal(answer.headers.get('x-amzn-errortype'), 'ResourceNotFoundException')
    assert.deepEqual(await answer.json(), {
      Message: `The Lambda code signing configuration ${CodeSigningConfigArn} can not be found.`,
    })
  })

  test('a function uses a configuration, which can not be deleted meanwhile', async () => {
    const FunctionName = 'signed'
    const { CodeSigningConfigArn } = await create('Warn')
    await createFunction(lambda, { FunctionName, files, CodeSigningConfigArn })
    assert.equal((await invoke(lambda, FunctionName)).payload, 1)
    const used = await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName }))
    assert.deepEqual([used.CodeSigningConfigArn, used.FunctionName], [CodeSigningConfigArn, FunctionName])
    const users = await lambda.send(new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn }))
    assert.deepEqual(users.FunctionArns, [`arn:aws:lambda:us-east-1:000000000000:function:${FunctionName}`])
    const erase = () => lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }))
    assert.deepEqual(await errorOf(erase()), {
      name: 'ResourceConflictException',
      message:
        'Lambda cannot delete the code signing configuration at this time — another operation is in progress. Try again later.',
      status: 409,
    })
    const given = await lambda.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName }))
    assert.equal(given.$metadata.httpStatusCode, 204)
    const none = await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName }))
    assert.equal(none.CodeSigningConfigArn, undefined)
    await erase()
  })

  test('Enforce refuses code without a signature', async () => {
    const FunctionName = 'strict'
    const { CodeSigningConfigArn } = await create('Enforce')
    const refusal = (named: string) => ({
      name: 'CodeVerificationFailedException',
      message: `Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for ${named}.`,
      status: 400,
    })
    const ZipFile = await zipOf(files)
    const input = { FunctionName, Runtime: 'nodejs26.x', Handler: 'index.handler', Role: ROLE } as const
    const made = lambda.send(new CreateFunctionCommand({ ...input, Code: { ZipFile }, CodeSigningConfigArn }))
    assert.deepEqual(await errorOf(made), refusal(FunctionName))
    await createFunction(lambda, { FunctionName, files })
    const put = await lambda.send(
      new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn }),
    )
    assert.deepEqual([put.CodeSigningConfigArn, put.FunctionName], [CodeSigningConfigArn, FunctionName])
    const update = lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }))
    assert.deepEqual(
      await errorOf(update),
      refusal(`arn:aws:lambda:us-east-1:000000000000:function:${FunctionName}`),
    )
    assert.equal((await invoke(lambda, FunctionName)).payload, 1)
  })

  test('unknown configurations and functions are named as AWS names them', async () => {
    const CodeSigningConfigArn =
      'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000'
    const put = lambda.send(
      new PutFunctionCodeSigningConfigCommand({ FunctionName: 'nobody', CodeSigningConfigArn }),
    )
    assert.deepEqual(await errorOf(put), {
      name: 'CodeSigningConfigNotFoundException',
      message: `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${CodeSigningConfigArn}.`,
      status: 404,
    })
    const get = lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: 'nobody' }))
    assert.deepEqual(await errorOf(get), {
      name: 'ResourceNotFoundException',
      message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody',
      status: 404,
    })
  })
})
