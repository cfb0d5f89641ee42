/** --auth iam: a KMS key's own policy has the last word over who uses it. */
// parity: CreateFunction UpdateFunctionConfiguration
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  KMSClient,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  LambdaClient,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, makeExecutionRole, zipOf } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const OWNER: Key = { accessKeyId: 'AKIDOWNER', secretAccessKey: 'the secret of the owner' }
const ACCOUNT = '000000000000'
const ROOT = `arn:aws:iam::${ACCOUNT}:root`
const userArn = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`
const policy = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const by = (AWS: string, Action: string | readonly string[], more: object = {}) => ({
  Effect: 'Allow',
  Principal: { AWS },
  Action,
  Resource: '*',
  ...more,
})
const bytes = (text: string) => new TextEncoder().encode(text)

describe('policies of KMS keys', () => {
  let program: Program
  before(async () => {
    program = await startProgram({
      args: [
        '--auth=iam',
        `--access-key-id=${OWNER.accessKeyId}`,
        `--secret-access-key=${OWNER.secretAccessKey}`,
      ],
    })
    await makeExecutionRole(program.endpoint, OWNER)
  })
  after(() => program.stop())

  const common = (credentials: Key) => ({
    endpoint: program.endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  })
  const kms = (key: Key = OWNER) => new KMSClient(common(key))
  const lambda = (key: Key = OWNER) => new LambdaClient(common(key))
  const newUser = async (UserName: string, ...actions: readonly string[]): Promise<Key> => {
    const iam = new IAMClient(common(OWNER))
    await iam.send(new CreateUserCommand({ UserName }))
    if (actions.length > 0) {
      const PolicyDocument = policy({ Effect: 'Allow', Action: actions, Resource: '*' })
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'first', PolicyDocument }))
    }
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }))
    return { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' }
  }
  const newKey = async (Policy?: string) => {
    const { KeyMetadata } = await kms().send(new CreateKeyCommand({ Policy }))
    return { KeyId: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' }
  }
  const seal = (key: Key, KeyId: string, EncryptionContext?: Record<string, string>) =>
    kms(key).send(new EncryptCommand({ KeyId, Plaintext: bytes('x'), EncryptionContext }))
  const denied = (user: string, action: string, resource: string, why: string) => ({
    name: 'AccessDeniedException',
    message: `User: ${userArn(user)} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    status: 400,
  })

  test('the default policy leaves it to the policies of the account', async () => {
    const { KeyId, arn } = await newKey()
    const [may, mayNot] = [await newUser('may', 'kms:Encrypt', 'kms:Decrypt'), await newUser('may-not')]
    const { CiphertextBlob } = await seal(may, KeyId)
    assert.equal(
      Buffer.from((await kms(may).send(new DecryptCommand({ CiphertextBlob }))).Plaintext ?? []).toString(),
      'x',
    )
    assert.deepEqual(
      await errorOf(seal(mayNot, KeyId)),
      denied('may-not', 'kms:Encrypt', arn, 'because no identity-based policy allows the kms:Encrypt action'),
    )
    // The key that a ciphertext names is the resource, also when the request does not name it.
    assert.deepEqual(
      await errorOf(kms(mayNot).send(new DecryptCommand({ CiphertextBlob }))),
      denied('may-not', 'kms:Decrypt', arn, 'because no identity-based policy allows the kms:Decrypt action'),
    )
  })

  test('a policy that names one user shuts out all others, whatever theirs allow', async () => {
    const [named, mighty] = [await newUser('named'), await newUser('mighty', 'kms:*')]
    const { KeyId, arn } = await newKey(
      policy(
        by(userArn('named'), ['kms:Encrypt', 'kms:Decrypt']),
        by(ROOT, ['kms:PutKeyPolicy', 'kms:CreateAlias']),
      ),
    )
    const { CiphertextBlob } = await seal(named, KeyId)
    const shut = denied(
      'mighty',
      'kms:Decrypt',
      arn,
      'because no resource-based policy allows the kms:Decrypt action',
    )
    assert.deepEqual(await errorOf(kms(mighty).send(new DecryptCommand({ CiphertextBlob }))), shut)
    assert.deepEqual(await errorOf(kms(mighty).send(new DecryptCommand({ CiphertextBlob, KeyId }))), shut)
    // The owner of the account is no exception.
    assert.equal((await errorOf(seal(OWNER, KeyId))).name, 'AccessDeniedException')
    // By its alias it is the same key.
    await kms().send(new CreateAliasCommand({ AliasName: 'alias/shut', TargetKeyId: KeyId }))
    await seal(named, 'alias/shut')
    assert.equal((await errorOf(seal(mighty, 'alias/shut'))).name, 'AccessDeniedException')
    // A change counts at once.
    const Policy = policy(by(userArn('mighty'), 'kms:*'), by(ROOT, 'kms:PutKeyPolicy'))
    await kms().send(new PutKeyPolicyCommand({ KeyId, Policy }))
    await kms(mighty).send(new DecryptCommand({ CiphertextBlob }))
    assert.equal((await errorOf(seal(named, KeyId))).name, 'AccessDeniedException')
  })

  test('conditions and denials of a key are looked at', async () => {
    const user = await newUser('careful', 'kms:*')
    const { KeyId, arn } = await newKey(
      policy(
        by(ROOT, 'kms:*'),
        {
          ...by('*', 'kms:Encrypt', {
            Condition: { StringNotEquals: { 'kms:EncryptionContext:for': 'work' } },
          }),
          Effect: 'Deny',
        },
        { ...by('*', 'kms:DescribeKey'), Effect: 'Deny' },
      ),
    )
    await seal(user, KeyId, { for: 'work' })
    assert.deepEqual(
      await errorOf(seal(user, KeyId, { for: 'fun' })),
      denied('careful', 'kms:Encrypt', arn, 'with an explicit deny in a resource-based policy'),
    )
    assert.equal(
      (await errorOf(kms(user).send(new DescribeKeyCommand({ KeyId })))).name,
      'AccessDeniedException',
    )
    const missing = '11111111-2222-3333-4444-555555555555'
    assert.equal((await errorOf(seal(user, missing))).name, 'NotFoundException')
  })

  test('who gives a function a key must be allowed to make grants on it', async () => {
    const user = await newUser('deployer', 'lambda:*', 'iam:PassRole', 'kms:CreateGrant')
    const [open, shut] = [await newKey(), await newKey(policy(by(ROOT, 'kms:PutKeyPolicy')))]
    await createFunction(lambda(), { FunctionName: 'plain', files: { 'index.js': '' } })
    const ZipFile = await zipOf({ 'index.js': 'exports.handler = async () => 1' })
    const create = (FunctionName: string, KMSKeyArn: string) =>
      lambda(user).send(
        new CreateFunctionCommand({
          FunctionName,
          Runtime: 'nodejs26.x',
          Handler: 'index.handler',
          Role: `arn:aws:iam::${ACCOUNT}:role/lambda`,
          Code: { ZipFile },
          Environment: { Variables: { SECRET: 'x' } },
          KMSKeyArn,
        }),
      )
    await create('granted', open.arn)
    const refused = {
      ...denied(
        'deployer',
        'kms:CreateGrant',
        shut.arn,
        'because no resource-based policy allows the kms:CreateGrant action',
      ),
      status: 403,
    }
    assert.deepEqual(await errorOf(create('refused', shut.arn)), refused)
    const change = new UpdateFunctionConfigurationCommand({ FunctionName: 'plain', KMSKeyArn: shut.arn })
    assert.deepEqual(await errorOf(lambda(user).send(change)), refused)
  })

  test('who may not decrypt with the key does not see the variables, nor a link to the code', async () => {
    const { KeyId, arn } = await newKey()
    await createFunction(lambda(), {
      FunctionName: 'veiled',
      files: { 'index.js': '' },
      KMSKeyArn: arn,
      Environment: { Variables: { SECRET: 'x' } },
    })
    await lambda().send(
      new UpdateFunctionCodeCommand({
        FunctionName: 'veiled',
        ZipFile: await zipOf({ 'index.js': 'exports.handler = async () => 1' }),
        SourceKMSKeyArn: arn,
      }),
    )
    const user = await newUser('viewer', 'lambda:GetFunction*', 'lambda:ListFunctions')
    const read = async (key: Key) =>
      await lambda(key).send(new GetFunctionCommand({ FunctionName: 'veiled' }))
    assert.deepEqual((await read(OWNER)).Configuration?.Environment, { Variables: { SECRET: 'x' } })
    const veiled = await read(user)
    assert.deepEqual(veiled.Configuration?.Environment, {
      Error: {
        ErrorCode: 'AccessDeniedException',
        Message: `Lambda was unable to decrypt your environment variables because the KMS access was denied. Please check your KMS permissions. KMS Exception: AccessDeniedException KMS Message: User: ${userArn('viewer')} is not authorized to perform: kms:Decrypt on resource: ${arn} because no identity-based policy allows the kms:Decrypt action`,
      },
    })
    assert.deepEqual(
      [veiled.Code?.Location, veiled.Code?.Error?.ErrorCode],
      [undefined, 'AccessDeniedException'],
    )
    await kms().send(
      new PutKeyPolicyCommand({
        KeyId,
        Policy: policy(by(ROOT, 'kms:*'), by(userArn('viewer'), 'kms:Decrypt')),
      }),
    )
    const seen = await read(user)
    assert.deepEqual(seen.Configuration?.Environment, { Variables: { SECRET: 'x' } })
    assert.equal((await fetch(seen.Code?.Location ?? '')).status, 200)
  })
})
