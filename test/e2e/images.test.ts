/** Functions of package type Image: the whole of their API. Nothing fetches images yet, and that is what they say. */
// parity: CreateFunction UpdateFunctionCode UpdateFunctionConfiguration GetFunction Invoke
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type CreateFunctionCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, eventually, invoke, lambdaClient, ROLE } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const REPOSITORY = '000000000000.dkr.ecr.us-east-1.amazonaws.com/team/app'
const DIGEST = '0f'.repeat(32)
const invalid = (message: string) => ({ name: 'InvalidParameterValueException', message, status: 400 })

describe('functions of container images', () => {
  let program: Program
  let lambda: LambdaClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
  })
  after(() => program.stop())

  const create = (input: Partial<CreateFunctionCommandInput>) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName: 'image',
        PackageType: 'Image',
        Role: ROLE,
        Code: { ImageUri: `${REPOSITORY}@sha256:${DIGEST}` },
        ...input,
      }),
    )

  test('create answers as AWS does, then the function fails with a reason that is true', async () => {
    const { $metadata, RevisionId, LastModified, ...created } = (await create({
      ImageConfig: { EntryPoint: ['sh'], Command: ['-c', 'echo test'], WorkingDirectory: '/app1' },
      Environment: { Variables: { CUSTOM_ENV: 'test' } },
    })) as Awaited<ReturnType<typeof create>> & { ConfigSha256?: string }
    assert.equal($metadata.httpStatusCode, 201)
    assert.ok(RevisionId && LastModified)
    const { ConfigSha256, ...stable } = created
    assert.ok(ConfigSha256)
    assert.deepEqual(stable, {
      Architectures: ['x86_64'],
      CodeSha256: DIGEST,
      CodeSize: 0,
      Description: '',
      Environment: { Variables: { CUSTOM_ENV: 'test' } },
      EphemeralStorage: { Size: 512 },
      FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:image',
      FunctionName: 'image',
      ImageConfigResponse: {
        ImageConfig: { EntryPoint: ['sh'], Command: ['-c', 'echo test'], WorkingDirectory: '/app1' },
      },
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/image' },
      MemorySize: 128,
      PackageType: 'Image',
      Role: ROLE,
      SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
      State: 'Pending',
      StateReason: 'The function is being created.',
      StateReasonCode: 'Creating',
      Timeout: 3,
      TracingConfig: { Mode: 'PassThrough' },
      Version: '$LATEST',
    })
    const { Configuration, Code } = await eventually('it has failed', async () => {
      const found = await lambda.send(new GetFunctionCommand({ FunctionName: 'image' }))
      return found.Configuration?.State === 'Pending' ? undefined : found
    })
    assert.deepEqual(Code, {
      RepositoryType: 'ECR',
      ImageUri: `${REPOSITORY}@sha256:${DIGEST}`,
      ResolvedImageUri: `${REPOSITORY}@sha256:${DIGEST}`,
    })
    assert.deepEqual(
      [Configuration?.State, Configuration?.StateReasonCode, Configuration?.StateReason],
      [
        'Failed',
        'InternalError',
        'Container images cannot be run here: nothing on this host fetches them from their registry.',
      ],
    )
    const refused = {
      name: 'ResourceConflictException',
      message:
        'The operation cannot be performed at this time. The function is currently in the following state: Failed',
      status: 409,
    }
    assert.deepEqual(await errorOf(invoke(lambda, 'image')), refused)
    assert.deepEqual(
      await errorOf(
        lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'image', Description: 'never' })),
      ),
      refused,
    )
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'image' }))
  })

  test('members of the other package type are refused', async () => {
    const wrong = invalid(
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    )
    assert.deepEqual(await errorOf(create({ Runtime: 'nodejs26.x' })), wrong)
    assert.deepEqual(await errorOf(create({ Handler: 'index.handler' })), wrong)
    assert.deepEqual(
      await errorOf(create({ Code: { ImageUri: 'no such thing' } })),
      invalid('Source image no such thing is not valid. Provide a valid source image.'),
    )
    const nothing = await errorOf(create({ Code: {} }))
    assert.equal(nothing.name, 'InvalidParameterValueException')
    const snap = await errorOf(create({ SnapStart: { ApplyOn: 'PublishedVersions' } }))
    assert.equal(snap.name, 'InvalidParameterValueException')
    await createFunction(lambda, {
      FunctionName: 'zipped',
      files: { 'index.mjs': 'export const handler = async () => 1' },
    })
    assert.deepEqual(
      await errorOf(
        lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'zipped', ImageUri: `${REPOSITORY}:v1` })),
      ),
      invalid("Please don't provide ImageUri when updating a function with packageType Zip."),
    )
    assert.equal((await invoke(lambda, 'zipped')).payload, 1)
  })
})
