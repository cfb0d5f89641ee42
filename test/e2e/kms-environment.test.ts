/** Environment variables under a customer's KMS key: who can't use the key any more can't read them. */
// parity: CreateFunction UpdateFunctionConfiguration GetFunctionConfiguration GetFunction ListFunctions Invoke
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  ListFunctionsCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
  type LambdaClient,
  type UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, invoke, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const files = { 'index.mjs': 'export const handler = async () => process.env.SECRET' }

describe('environment variables under a KMS key', () => {
  let program: Program
  let lambda: LambdaClient
  let kms: KMSClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    kms = new KMSClient({
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    })
  })
  after(() => program.stop())

  const newKey = async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    return { KeyId: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' }
  }
  const variables = (SECRET: string) => ({ Variables: { SECRET } })
  const change = async (FunctionName: string, input: Partial<UpdateFunctionConfigurationCommandInput>) => {
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...input }))
    await waitUntilFunctionUpdatedV2(
      { client: lambda, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { FunctionName },
    )
  }
  const environmentOf = async (FunctionName: string) =>
    (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).Environment
  const cannotRead = (name: string, because: string, code: string, message: string) => ({
    name,
    message: `Lambda was unable to decrypt the environment variables because ${because}. Please check the function's KMS key settings. KMS Exception: ${code}KMS Message: ${message}`,
    status: 502,
  })

  test('a disabled key, or one that waits for deletion, ends it for new environments; running ones go on', async () => {
    const FunctionName = 'kept'
    const { KeyId, arn } = await newKey()
    const made = await createFunction(lambda, {
      FunctionName,
      files,
      KMSKeyArn: arn,
      Environment: variables('one'),
    })
    assert.deepEqual([made.KMSKeyArn, made.Environment], [arn, variables('one')])
    assert.equal((await invoke(lambda, FunctionName)).payload, 'one')

    await kms.send(new DisableKeyCommand({ KeyId }))
    // The environment that runs has them already: nobody asks KMS for it.
    assert.equal((await invoke(lambda, FunctionName)).payload, 'one')
    await change(FunctionName, { Timeout: 7 })
    assert.deepEqual(
      await errorOf(invoke(lambda, FunctionName)),
      cannotRead(
        'KMSDisabledException',
        'the KMS key used is disabled',
        'DisabledException',
        `${arn} is disabled.`,
      ),
    )
    const hidden = {
      Error: {
        ErrorCode: 'DisabledException',
        Message: `Lambda was unable to decrypt your environment variables because the KMS key used is disabled. Please check your KMS key settings. KMS Exception: DisabledException KMS Message: ${arn} is disabled.`,
      },
    }
    assert.deepEqual(await environmentOf(FunctionName), hidden)
    const { Functions } = await lambda.send(new ListFunctionsCommand({}))
    assert.deepEqual(Functions?.find((each) => each.FunctionName === FunctionName)?.Environment, hidden)
    assert.deepEqual(await errorOf(change(FunctionName, { Environment: variables('two') })), {
      name: 'InvalidParameterValueException',
      message: `Lambda was unable to configure access to your environment variables because the KMS key is disabled. Please check your KMS key settings. KMS Exception: DisabledException KMS Message: ${arn} is disabled.`,
      status: 400,
    })

    await kms.send(new EnableKeyCommand({ KeyId }))
    assert.equal((await invoke(lambda, FunctionName)).payload, 'one')
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
    await change(FunctionName, { Timeout: 8 })
    assert.deepEqual(
      await errorOf(invoke(lambda, FunctionName)),
      cannotRead(
        'KMSInvalidStateException',
        'the KMS key used is in an invalid state for Decrypt',
        'KMSInvalidStateException',
        `${arn} is pending deletion.`,
      ),
    )
    await kms.send(new CancelKeyDeletionCommand({ KeyId }))
    await kms.send(new EnableKeyCommand({ KeyId }))
    assert.deepEqual(await environmentOf(FunctionName), variables('one'))
    assert.equal((await invoke(lambda, FunctionName)).payload, 'one')
  })

  test('another key encrypts anew what is there, and no key frees it', async () => {
    const FunctionName = 'moved'
    const [first, second] = [await newKey(), await newKey()]
    await createFunction(lambda, { FunctionName, files, KMSKeyArn: first.arn, Environment: variables('one') })
    await change(FunctionName, { KMSKeyArn: second.arn })
    await kms.send(new DisableKeyCommand({ KeyId: first.KeyId }))
    assert.deepEqual(await environmentOf(FunctionName), variables('one'))
    assert.equal((await invoke(lambda, FunctionName)).payload, 'one')
    await change(FunctionName, { KMSKeyArn: '' })
    await kms.send(new DisableKeyCommand({ KeyId: second.KeyId }))
    const { Environment, KMSKeyArn } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName }),
    )
    assert.deepEqual([Environment, KMSKeyArn], [variables('one'), undefined])
    assert.equal((await invoke(lambda, FunctionName)).payload, 'one')
    // Back under a key that can't be used: refused, and nothing has changed.
    assert.equal(
      (await errorOf(change(FunctionName, { KMSKeyArn: first.arn }))).name,
      'InvalidParameterValueException',
    )
    assert.equal((await invoke(lambda, FunctionName)).payload, 'one')
  })

  test('a key that does not exist, and an alias, are refused when the function is made', async () => {
    const { KeyId } = await newKey()
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: KeyId }))
    const create = async (KMSKeyArn: string) =>
      await errorOf(
        lambda.send(
          new CreateFunctionCommand({
            FunctionName: 'never',
            Runtime: 'nodejs26.x',
            Handler: 'index.handler',
            Role: ROLE,
            Code: { ZipFile: await zipOf(files) },
            Environment: variables('one'),
            KMSKeyArn,
          }),
        ),
      )
    const unusable = (why: string) => ({
      name: 'InvalidParameterValueException',
      message: `Lambda was unable to configure access to your environment variables because ${why}`,
      status: 400,
    })
    const missing = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555'
    assert.deepEqual(
      await create(missing),
      unusable(
        `the KMS key was not found. Please check your KMS key settings. KMS Exception: NotFoundException KMS Message: Key '${missing}' does not exist`,
      ),
    )
    assert.deepEqual(
      await create('arn:aws:kms:us-east-1:000000000000:alias/mine'),
      unusable(
        'the KMS key is invalid for CreateGrant. Please check your KMS key settings. KMS Exception: InvalidArnException KMS Message: Key Aliases are not supported for this operation.',
      ),
    )
    const { Functions } = await lambda.send(new ListFunctionsCommand({}))
    assert.ok(!Functions?.some((each) => each.FunctionName === 'never'))
  })
})
