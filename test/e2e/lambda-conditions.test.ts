/** --auth iam: Lambda's own condition keys, and layers of another account. */
// parity: CreateFunction CreateFunctionUrlConfig AddPermission AddLayerVersionPermission RemoveLayerVersionPermission
// parity: GetLayerVersion GetLayerVersionByArn PublishLayerVersion
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  AddLayerVersionPermissionCommand,
  AddPermissionCommand,
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  InvokeCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  RemoveLayerVersionPermissionCommand,
  waitUntilFunctionActiveV2,
  type CreateFunctionCommandInput,
} from '@aws-sdk/client-lambda'

import { openDataKey } from '#bin/data-key.ts'
import {
  accessKeyKey,
  iamRoleKey,
  iamUserKey,
  type AccessKey,
  type IamRole,
  type IamUser,
} from '#contracts/iam.ts'
import { systemClock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { createSealer } from '#kernel/sealed.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

import { createFunction, errorOf, makeExecutionRole, ROLE, zipOf } from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const OWNER: Key = { accessKeyId: 'AKIDOWNER', secretAccessKey: 'the secret of the owner' }
const STRANGER: Key = { accessKeyId: 'AKIASTRANGER', secretAccessKey: 'the secret of a stranger' }
const ACCOUNT = '000000000000'
const OTHER = '111111111111'
const LAYER = `arn:aws:lambda:us-east-1:${ACCOUNT}:layer:shared`
const policy = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const allow = (Action: string | readonly string[], Condition?: object) => ({
  Effect: 'Allow',
  Action,
  Resource: '*',
  Condition,
})
const LAMBDA_TRUST = policy({
  Effect: 'Allow',
  Principal: { Service: 'lambda.amazonaws.com' },
  Action: 'sts:AssumeRole',
})

/** Another account has no owner here: its user and role are put into the store. */
async function seedStranger(dataDirectory: string): Promise<void> {
  const store = await openSqliteStore({
    directory: join(dataDirectory, 'store'),
    clock: systemClock,
    logger: { info() {}, warn() {}, error() {} },
  })
  const sealer = createSealer(openDataKey(dataDirectory))
  const common = { account: OTHER, path: '/', createdAt: 0, tags: [], attachedPolicies: [] }
  const user: IamUser = {
    ...common,
    name: 'stranger',
    id: 'AIDASTRANGER',
    inlinePolicies: { all: policy(allow(['lambda:*', 'iam:PassRole'])) },
    accessKeyIds: [STRANGER.accessKeyId],
  }
  const role: IamRole = {
    ...common,
    name: 'lambda',
    id: 'AROASTRANGER',
    description: '',
    inlinePolicies: {},
    trustPolicy: LAMBDA_TRUST,
    maxSessionSeconds: 3600,
  }
  const key: AccessKey = {
    id: STRANGER.accessKeyId,
    account: OTHER,
    userName: user.name,
    userId: user.id,
    userArn: `arn:aws:iam::${OTHER}:user/stranger`,
    status: 'Active',
    createdAt: 0,
    sealedSecret: sealer.seal(STRANGER.secretAccessKey, `iam-access-key/${STRANGER.accessKeyId}`),
  }
  await store.meta.txn([
    { key: iamUserKey(OTHER, user.name), doc: user as unknown as Json },
    { key: iamRoleKey(OTHER, role.name), doc: role as unknown as Json },
    { key: accessKeyKey(key.id), doc: key as unknown as Json },
  ])
  await store.close()
}

describe("Lambda's condition keys", () => {
  let program: Program
  let zip: Uint8Array
  const cleanUps: (() => Promise<void>)[] = []
  before(async () => {
    const dataDirectory = await temporaryDirectory({ after: (run) => void cleanUps.push(run) })
    await seedStranger(dataDirectory)
    program = await startProgram({
      dataDirectory,
      args: [
        '--auth=iam',
        `--access-key-id=${OWNER.accessKeyId}`,
        `--secret-access-key=${OWNER.secretAccessKey}`,
      ],
    })
    await makeExecutionRole(program.endpoint, OWNER)
    zip = await zipOf({
      'index.mjs': `export const handler = async () => (await import('/opt/word.mjs')).default`,
    })
    await lambda().send(
      new PublishLayerVersionCommand({
        LayerName: 'shared',
        Content: { ZipFile: await zipOf({ 'word.mjs': `export default 'shared word'` }) },
      }),
    )
    await createFunction(lambda(), { FunctionName: 'own', files: { 'index.mjs': '' } })
  })
  after(async () => {
    await program.stop()
    for (const run of cleanUps) await run()
  })

  const common = (credentials: Key) => ({
    endpoint: program.endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  })
  const lambda = (key: Key = OWNER) => new LambdaClient(common(key))
  const newUser = async (UserName: string, ...statements: readonly object[]) => {
    const iam = new IAMClient(common(OWNER))
    await iam.send(new CreateUserCommand({ UserName }))
    await iam.send(
      new PutUserPolicyCommand({ UserName, PolicyName: 'first', PolicyDocument: policy(...statements) }),
    )
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }))
    return { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' }
  }
  const create = (key: Key, FunctionName: string, more: Partial<CreateFunctionCommandInput> = {}) =>
    lambda(key).send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: 'nodejs26.x',
        Handler: 'index.handler',
        Role: ROLE,
        Code: { ZipFile: zip },
        ...more,
      }),
    )
  const refusal = async (run: Promise<unknown>) => (await errorOf(run)).message.replace(/^.* because /, '')
  const notAllowed = (action: string) => `no identity-based policy allows the ${action} action`

  test('CodeSigningConfigArn: a function without the right configuration is not made', async () => {
    const { CodeSigningConfig } = await lambda().send(
      new CreateCodeSigningConfigCommand({
        AllowedPublishers: {
          SigningProfileVersionArns: [
            `arn:aws:signer:us-east-1:${ACCOUNT}:/signing-profiles/team/0123456789`,
          ],
        },
      }),
    )
    const CodeSigningConfigArn = CodeSigningConfig?.CodeSigningConfigArn
    const key = await newUser(
      'signer',
      allow('lambda:CreateFunction', {
        StringEquals: { 'lambda:CodeSigningConfigArn': CodeSigningConfigArn },
      }),
      allow('iam:PassRole'),
    )
    assert.equal(await refusal(create(key, 'unsigned')), notAllowed('lambda:CreateFunction'))
    await create(key, 'signed', { CodeSigningConfigArn })
  })

  test('Layer and SubnetIds: only what the policy names may be used', async () => {
    const key = await newUser(
      'layered',
      allow(['lambda:CreateFunction', 'iam:PassRole', 'lambda:GetLayerVersion']),
      {
        ...allow('lambda:CreateFunction', {
          'ForAnyValue:StringNotLike': { 'lambda:Layer': [`${LAYER}:*`] },
        }),
        Effect: 'Deny',
      },
      {
        ...allow('lambda:CreateFunction', {
          'ForAnyValue:StringNotEquals': { 'lambda:SubnetIds': ['subnet-1'] },
        }),
        Effect: 'Deny',
      },
    )
    const other = `arn:aws:lambda:us-east-1:${ACCOUNT}:layer:other:1`
    assert.match(
      await refusal(create(key, 'foreign', { Layers: [other] })),
      /with an explicit deny in an identity-based policy$/,
    )
    assert.match(
      await refusal(
        create(key, 'netted', { VpcConfig: { SubnetIds: ['subnet-2'], SecurityGroupIds: ['sg-1'] } }),
      ),
      /with an explicit deny in an identity-based policy$/,
    )
    await create(key, 'shared', { Layers: [`${LAYER}:1`] })
  })

  test('FunctionUrlAuthType and Principal: URLs and permissions of one kind only', async () => {
    const key = await newUser(
      'doorman',
      allow('lambda:CreateFunctionUrlConfig', { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } }),
      allow('lambda:AddPermission', { StringEquals: { 'lambda:Principal': 's3.amazonaws.com' } }),
    )
    const open = (AuthType: 'NONE' | 'AWS_IAM') =>
      lambda(key).send(new CreateFunctionUrlConfigCommand({ FunctionName: 'own', AuthType }))
    assert.equal(await refusal(open('NONE')), notAllowed('lambda:CreateFunctionUrlConfig'))
    await open('AWS_IAM')
    const permit = (Principal: string, StatementId: string) =>
      lambda(key).send(
        new AddPermissionCommand({
          FunctionName: 'own',
          Action: 'lambda:InvokeFunction',
          Principal,
          StatementId,
          SourceAccount: ACCOUNT,
        }),
      )
    assert.equal(await refusal(permit('sns.amazonaws.com', 'sns')), notAllowed('lambda:AddPermission'))
    await permit('s3.amazonaws.com', 's3')
  })

  test('a layer of another account is used by whom its policy names, as long as it does', async () => {
    const version = { LayerName: 'shared', VersionNumber: 1 }
    const read = () => lambda(STRANGER).send(new GetLayerVersionCommand({ ...version, LayerName: LAYER }))
    const use = (FunctionName: string) =>
      create(STRANGER, FunctionName, { Layers: [`${LAYER}:1`], Role: `arn:aws:iam::${OTHER}:role/lambda` })
    const refused = {
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::${OTHER}:user/stranger is not authorized to perform: lambda:GetLayerVersion on resource: ${LAYER}:1 because no resource-based policy allows the lambda:GetLayerVersion action`,
      status: 403,
    }
    assert.deepEqual(await errorOf(read()), refused)
    assert.deepEqual(await errorOf(use('denied')), refused)
    const permit = (StatementId: string, Principal: string) =>
      lambda().send(
        new AddLayerVersionPermissionCommand({
          ...version,
          Action: 'lambda:GetLayerVersion',
          Principal,
          StatementId,
        }),
      )
    // Somebody else's permission is none.
    await permit('wrong', '222222222222')
    assert.deepEqual(await errorOf(read()), refused)
    await permit('right', OTHER)
    assert.equal((await read()).LayerVersionArn, `${LAYER}:1`)
    assert.equal(
      (await lambda(STRANGER).send(new GetLayerVersionByArnCommand({ Arn: `${LAYER}:1` }))).Version,
      1,
    )
    await use('user')
    const wait = { client: lambda(STRANGER), maxWaitTime: 30, minDelay: 1, maxDelay: 1 }
    await waitUntilFunctionActiveV2(wait, { FunctionName: 'user' })
    const { Payload } = await lambda(STRANGER).send(new InvokeCommand({ FunctionName: 'user' }))
    assert.equal(JSON.parse(Buffer.from(Payload ?? []).toString()), 'shared word')
    // Its function is its own: the owner of the layer can't call it.
    const call = new InvokeCommand({ FunctionName: `arn:aws:lambda:us-east-1:${OTHER}:function:user` })
    assert.equal((await errorOf(lambda().send(call))).name, 'AccessDeniedException')

    await lambda().send(new RemoveLayerVersionPermissionCommand({ ...version, StatementId: 'right' }))
    assert.deepEqual(await errorOf(read()), refused)
    assert.deepEqual(await errorOf(use('late')), refused)
    // What has the layer keeps it.
    const again = await lambda(STRANGER).send(new InvokeCommand({ FunctionName: 'user' }))
    assert.equal(again.FunctionError, undefined)
  })
})
