/** --auth iam: policies of callers and resources decide, and AWS's texts say why not. */
// parity: Invoke ListFunctions GetFunction CreateFunction AddPermission RemovePermission DeleteFunction TagResource
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  PublishVersionCommand,
  RemovePermissionCommand,
  TagResourceCommand,
} from '@aws-sdk/client-lambda'
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'

import { openDataKey } from '#bin/data-key.ts'
import { accessKeyKey, iamUserKey, type AccessKey, type IamUser } from '#contracts/iam.ts'
import { systemClock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { createSealer } from '#kernel/sealed.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

import { createFunction, errorOf, invoke, makeExecutionRole, zipOf } from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const ACCOUNT = '000000000000'
const OWNER: Key = { accessKeyId: 'AKIDOWNER', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const STRANGER: Key = { accessKeyId: 'AKIASTRANGER', secretAccessKey: 'the secret of a stranger' }
const STRANGER_ACCOUNT = '111111111111'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`
const userArn = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`
const HELLO = { 'index.js': 'exports.handler = async (event) => ({ hello: event })' }

const policy = (...statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })
const allow = (
  Action: string | readonly string[],
  Resource: string | readonly string[] = '*',
  more: object = {},
) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
})
const deny = (Action: string, Resource = '*') => ({ Effect: 'Deny', Action, Resource })
const trust = (Principal: object) => policy({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' })

/** Users of an account are made by its owner; this one's account has no owner here. */
async function seedStranger(dataDirectory: string): Promise<void> {
  const store = await openSqliteStore({
    directory: join(dataDirectory, 'store'),
    clock: systemClock,
    logger: { info() {}, warn() {}, error() {} },
  })
  const sealer = createSealer(openDataKey(dataDirectory))
  const user: IamUser = {
    account: STRANGER_ACCOUNT,
    name: 'stranger',
    id: 'AIDASTRANGER',
    path: '/',
    createdAt: 0,
    tags: [],
    inlinePolicies: { invoke: policy(allow('lambda:*', 'arn:aws:lambda:*:*:function:open*')) },
    attachedPolicies: [],
    accessKeyIds: [STRANGER.accessKeyId],
  }
  const key: AccessKey = {
    id: STRANGER.accessKeyId,
    account: STRANGER_ACCOUNT,
    userName: user.name,
    userId: user.id,
    userArn: `arn:aws:iam::${STRANGER_ACCOUNT}:user/stranger`,
    status: 'Active',
    createdAt: 0,
    sealedSecret: sealer.seal(STRANGER.secretAccessKey, `iam-access-key/${STRANGER.accessKeyId}`),
  }
  await store.meta.txn([
    { key: iamUserKey(STRANGER_ACCOUNT, user.name), doc: user as unknown as Json },
    { key: accessKeyKey(key.id), doc: key as unknown as Json },
  ])
  await store.close()
}

describe('--auth iam', () => {
  let program: Program
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
    for (const FunctionName of ['open', 'closed'])
      await createFunction(lambda(), { FunctionName, files: HELLO })
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
  const iam = (key: Key = OWNER) => new IAMClient(common(key))
  const sts = (key: Key = OWNER) => new STSClient(common(key))

  const grant = (UserName: string, PolicyName: string, PolicyDocument: string) =>
    iam().send(new PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument }))
  const newUser = async (UserName: string, ...statements: readonly object[]): Promise<Key> => {
    await iam().send(new CreateUserCommand({ UserName }))
    if (statements.length > 0) await grant(UserName, 'first', policy(...statements))
    const { AccessKey: key } = await iam().send(new CreateAccessKeyCommand({ UserName }))
    return { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' }
  }
  const call = async (key: Key, name: string, qualifier?: string) =>
    (await invoke(lambda(key), name, 1, qualifier === undefined ? {} : { Qualifier: qualifier })).payload
  const denied = (arn: string, action: string, resource: string, why: string) => ({
    name: 'AccessDeniedException',
    message: `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    status: 403,
  })
  const noIdentity = (action: string) => `because no identity-based policy allows the ${action} action`

  test('the owner of the account may do everything in it', async () => {
    assert.deepEqual(await call(OWNER, 'open'), { hello: 1 })
    assert.equal((await lambda().send(new ListFunctionsCommand({}))).Functions?.length, 2)
    assert.ok((await iam().send(new ListUsersCommand({}))).Users)
    const logs = new CloudWatchLogsClient(common(OWNER))
    assert.ok((await logs.send(new DescribeLogGroupsCommand({}))).logGroups)
  })

  test('topics are published to by whom policies allow, and send to queues that let them', async () => {
    const sns = (key: Key = OWNER) => new SNSClient(common(key))
    const sqs = new SQSClient(common(OWNER))
    const { TopicArn = '' } = await sns().send(new CreateTopicCommand({ Name: 'told' }))
    const Endpoint = `arn:aws:sqs:us-east-1:${ACCOUNT}:told`
    const condition = { ArnEquals: { 'aws:SourceArn': TopicArn } }
    const service = { Service: 'sns.amazonaws.com' }
    const Policy = policy({ ...allow('sqs:SendMessage', Endpoint), Principal: service, Condition: condition })
    const queue = new CreateQueueCommand({ QueueName: 'told', Attributes: { Policy } })
    const { QueueUrl } = await sqs.send(queue)
    await sns().send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }))
    const publish = (key: Key) => sns(key).send(new PublishCommand({ TopicArn, Message: 'heard' }))
    const key = await newUser('silent')
    assert.deepEqual(await errorOf(publish(key)), {
      ...denied(userArn('silent'), 'SNS:Publish', TopicArn, noIdentity('SNS:Publish')),
      name: 'AuthorizationErrorException',
    })
    await grant('silent', 'speak', policy(allow('sns:Publish', TopicArn)))
    const { MessageId } = await publish(key)
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }))
    assert.match(Messages[0]?.Body ?? '', new RegExp(`"MessageId" : "${MessageId}"`))
  })

  test('a user may do what its policy allows, and is told what it may not', async () => {
    const key = await newUser('limited', allow('lambda:Invoke*', arnOf('open')))
    const arn = userArn('limited')
    assert.deepEqual(await call(key, 'open'), { hello: 1 })
    assert.deepEqual(await call(key, arnOf('open')), { hello: 1 })
    assert.deepEqual(
      await errorOf(call(key, 'closed')),
      denied(arn, 'lambda:InvokeFunction', arnOf('closed'), noIdentity('lambda:InvokeFunction')),
    )
    // What the policy says of the function does not hold for its versions.
    assert.deepEqual(
      await errorOf(call(key, 'open', '$LATEST')),
      denied(arn, 'lambda:InvokeFunction', `${arnOf('open')}:$LATEST`, noIdentity('lambda:InvokeFunction')),
    )
    assert.deepEqual(
      await errorOf(lambda(key).send(new ListFunctionsCommand({}))),
      denied(arn, 'lambda:ListFunctions', '*', noIdentity('lambda:ListFunctions')),
    )
    assert.deepEqual(
      await errorOf(lambda(key).send(new GetFunctionCommand({ FunctionName: 'open' }))),
      denied(arn, 'lambda:GetFunction', arnOf('open'), noIdentity('lambda:GetFunction')),
    )
    // What does not exist looks the same to who may not see it.
    assert.equal((await errorOf(call(key, 'missing'))).name, 'AccessDeniedException')
    assert.deepEqual(
      await errorOf(new CloudWatchLogsClient(common(key)).send(new DescribeLogGroupsCommand({}))),
      {
        ...denied(
          arn,
          'logs:DescribeLogGroups',
          `arn:aws:logs:us-east-1:${ACCOUNT}:log-group::log-stream:`,
          noIdentity('logs:DescribeLogGroups'),
        ),
        status: 400,
      },
    )
    assert.deepEqual(await errorOf(iam(key).send(new ListUsersCommand({}))), {
      ...denied(arn, 'iam:ListUsers', `arn:aws:iam::${ACCOUNT}:user/`, noIdentity('iam:ListUsers')),
      name: 'AccessDenied',
    })
    assert.equal((await sts(key).send(new GetCallerIdentityCommand({}))).Arn, arn)
  })

  test('the response is the one of AWS, to the letter', async () => {
    const key = await newUser('letters')
    const client = lambda(key)
    let body = ''
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args)
        const { body: stream } = result.response as { body: AsyncIterable<Uint8Array> }
        const chunks: Uint8Array[] = []
        for await (const chunk of stream) chunks.push(chunk)
        body = Buffer.concat(chunks).toString()
        return result
      },
      { step: 'deserialize', priority: 'low' },
    )
    await client.send(new ListFunctionsCommand({})).catch(() => undefined)
    assert.equal(
      body,
      `{"Message":"User: ${userArn('letters')} is not authorized to perform: lambda:ListFunctions on resource: * because no identity-based policy allows the lambda:ListFunctions action"}`,
    )
  })

  test('an explicit deny wins, and changes of policies count at once', async () => {
    const key = await newUser('fickle', allow('lambda:*'))
    assert.deepEqual(await call(key, 'open'), { hello: 1 })
    await grant('fickle', 'no', policy(deny('lambda:InvokeFunction', arnOf('open*'))))
    const explicit = denied(
      userArn('fickle'),
      'lambda:InvokeFunction',
      arnOf('open'),
      'with an explicit deny in an identity-based policy',
    )
    assert.deepEqual(await errorOf(call(key, 'open')), explicit)
    assert.deepEqual(await call(key, 'closed'), { hello: 1 })
    await iam().send(new DeleteUserPolicyCommand({ UserName: 'fickle', PolicyName: 'no' }))
    assert.deepEqual(await call(key, 'open'), { hello: 1 })
    await iam().send(new DeleteUserPolicyCommand({ UserName: 'fickle', PolicyName: 'first' }))
    assert.equal((await errorOf(call(key, 'open'))).name, 'AccessDeniedException')
  })

  test('managed policies are attached, and boundaries limit them', async () => {
    const key = await newUser('bounded')
    await iam().send(
      new AttachUserPolicyCommand({
        UserName: 'bounded',
        PolicyArn: 'arn:aws:iam::aws:policy/AWSLambda_FullAccess',
      }),
    )
    assert.deepEqual(await call(key, 'open'), { hello: 1 })
    const { Policy } = await iam().send(
      new CreatePolicyCommand({
        PolicyName: 'reading',
        PolicyDocument: policy(allow(['lambda:Get*', 'lambda:List*'])),
      }),
    )
    await iam().send(
      new PutUserPermissionsBoundaryCommand({ UserName: 'bounded', PermissionsBoundary: Policy?.Arn }),
    )
    assert.ok((await lambda(key).send(new ListFunctionsCommand({}))).Functions)
    assert.deepEqual(
      await errorOf(call(key, 'open')),
      denied(
        userArn('bounded'),
        'lambda:InvokeFunction',
        arnOf('open'),
        'because no permissions boundary allows the lambda:InvokeFunction action',
      ),
    )
  })

  test('a function opens itself to a user by its own policy, and to its account only together with it', async () => {
    const key = await newUser('guest')
    const add = (StatementId: string, Principal: string, Qualifier?: string) =>
      lambda().send(
        new AddPermissionCommand({
          FunctionName: 'closed',
          StatementId,
          Action: 'lambda:InvokeFunction',
          Principal,
          Qualifier,
        }),
      )
    await add('account', ACCOUNT)
    assert.equal((await errorOf(call(key, 'closed'))).status, 403)
    await add('user', userArn('guest'))
    assert.deepEqual(await call(key, 'closed'), { hello: 1 })
    await lambda().send(new RemovePermissionCommand({ FunctionName: 'closed', StatementId: 'user' }))
    assert.equal((await errorOf(call(key, 'closed'))).status, 403)

    const { Version } = await lambda().send(new PublishVersionCommand({ FunctionName: 'closed' }))
    await lambda().send(
      new CreateAliasCommand({ FunctionName: 'closed', Name: 'live', FunctionVersion: Version }),
    )
    await add('alias', userArn('guest'), 'live')
    assert.deepEqual(await call(key, 'closed', 'live'), { hello: 1 })
    assert.equal((await errorOf(call(key, 'closed', Version))).status, 403)
    assert.equal((await errorOf(call(key, 'closed'))).status, 403)
  })

  test('another account is let in only when both sides allow it', async () => {
    const arn = `arn:aws:iam::${STRANGER_ACCOUNT}:user/stranger`
    assert.deepEqual(
      await errorOf(call(STRANGER, arnOf('open'))),
      denied(
        arn,
        'lambda:InvokeFunction',
        arnOf('open'),
        'because no resource-based policy allows the lambda:InvokeFunction action',
      ),
    )
    for (const FunctionName of ['open', 'closed']) {
      await lambda().send(
        new AddPermissionCommand({
          FunctionName,
          StatementId: 'stranger',
          Action: 'lambda:InvokeFunction',
          Principal: STRANGER_ACCOUNT,
        }),
      )
    }
    assert.deepEqual(await call(STRANGER, arnOf('open')), { hello: 1 })
    assert.deepEqual(
      await errorOf(call(STRANGER, arnOf('closed'))),
      denied(arn, 'lambda:InvokeFunction', arnOf('closed'), noIdentity('lambda:InvokeFunction')),
    )
    // Invoking is all it was given, and its own account has no such function.
    const remove = new DeleteFunctionCommand({ FunctionName: arnOf('open') })
    assert.equal((await errorOf(lambda(STRANGER).send(remove))).status, 403)
    assert.equal((await errorOf(call(STRANGER, 'open'))).name, 'ResourceNotFoundException')
    // The owner here is a stranger over there.
    const there = `arn:aws:lambda:us-east-1:${STRANGER_ACCOUNT}:function:x`
    assert.equal((await errorOf(lambda().send(new InvokeCommand({ FunctionName: there })))).status, 403)
  })

  test('conditions look at tags and at the address of the client', async () => {
    const key = await newUser(
      'conditional',
      allow('lambda:InvokeFunction', '*', {
        Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } },
      }),
      allow('lambda:GetFunction', '*', { Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } } }),
      allow('lambda:ListFunctions', '*', { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
    )
    assert.equal((await errorOf(call(key, 'open'))).status, 403)
    await lambda().send(new TagResourceCommand({ Resource: arnOf('open'), Tags: { team: 'blue' } }))
    assert.deepEqual(await call(key, 'open'), { hello: 1 })
    assert.ok(await lambda(key).send(new GetFunctionCommand({ FunctionName: 'open' })))
    assert.equal((await errorOf(lambda(key).send(new ListFunctionsCommand({})))).status, 403)
  })

  test('who creates a function must be allowed to pass its role', async () => {
    const key = await newUser('maker', allow('lambda:*'))
    const Role = `arn:aws:iam::${ACCOUNT}:role/for-functions`
    const create = async (role: string) =>
      lambda(key).send(
        new CreateFunctionCommand({
          FunctionName: 'made',
          Runtime: 'nodejs26.x',
          Handler: 'index.handler',
          Role: role,
          Code: { ZipFile: await zipOf(HELLO) },
        }),
      )
    assert.deepEqual(
      await errorOf(create(Role)),
      denied(userArn('maker'), 'iam:PassRole', Role, noIdentity('iam:PassRole')),
    )
    await grant(
      'maker',
      'pass',
      policy(
        allow('iam:PassRole', '*', {
          Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } },
        }),
      ),
    )
    await iam().send(
      new CreateRoleCommand({
        RoleName: 'for-functions',
        AssumeRolePolicyDocument: trust({ Service: 'lambda.amazonaws.com' }),
      }),
    )
    assert.equal((await create(Role)).FunctionName, 'made')
  })

  test('a role is assumed by whom it trusts, and a session policy narrows it', async () => {
    const key = await newUser('actor', allow('sts:AssumeRole'))
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/acting`
    const assume = (more: { Policy?: string } = {}) =>
      sts(key).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'scene', ...more }))
    const refused = {
      name: 'AccessDenied',
      message: `User: ${userArn('actor')} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
      status: 403,
    }
    assert.deepEqual(await errorOf(assume()), refused)
    await iam().send(
      new CreateRoleCommand({
        RoleName: 'acting',
        AssumeRolePolicyDocument: trust({ AWS: `arn:aws:iam::${ACCOUNT}:root` }),
      }),
    )
    await iam().send(
      new PutRolePolicyCommand({
        RoleName: 'acting',
        PolicyName: 'all',
        PolicyDocument: policy(allow('lambda:*')),
      }),
    )
    const keyOf = async (more?: { Policy?: string }): Promise<Key> => {
      const { Credentials } = await assume(more)
      return {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      }
    }
    const whole = await keyOf()
    assert.deepEqual(await call(whole, 'open'), { hello: 1 })
    assert.ok((await lambda(whole).send(new ListFunctionsCommand({}))).Functions)
    const narrowed = await keyOf({ Policy: policy(allow('lambda:ListFunctions')) })
    assert.ok((await lambda(narrowed).send(new ListFunctionsCommand({}))).Functions)
    assert.deepEqual(
      await errorOf(call(narrowed, 'open')),
      denied(
        `arn:aws:sts::${ACCOUNT}:assumed-role/acting/scene`,
        'lambda:InvokeFunction',
        arnOf('open'),
        'because no session policy allows the lambda:InvokeFunction action',
      ),
    )
    const other = await newUser('other')
    assert.equal(
      (await errorOf(sts(other).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'scene' })))).status,
      403,
    )
  })

  test('a function acts as its role', async () => {
    await iam().send(
      new CreateRoleCommand({
        RoleName: 'worker',
        AssumeRolePolicyDocument: trust({ Service: 'lambda.amazonaws.com' }),
      }),
    )
    await iam().send(
      new PutRolePolicyCommand({
        RoleName: 'worker',
        PolicyName: 'call',
        PolicyDocument: policy(allow('lambda:InvokeFunction', arnOf('open'))),
      }),
    )
    await createFunction(lambda(), {
      FunctionName: 'caller',
      Role: `arn:aws:iam::${ACCOUNT}:role/worker`,
      files: {
        'index.js': `exports.handler = async () => ({
          accessKeyId: process.env.AWS_ACCESS_KEY_ID,
          secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
          sessionToken: process.env.AWS_SESSION_TOKEN,
        })`,
      },
    })
    const key = (await call(OWNER, 'caller')) as Key
    const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/worker/caller`
    assert.equal((await sts(key).send(new GetCallerIdentityCommand({}))).Arn, arn)
    assert.deepEqual(await call(key, 'open'), { hello: 1 })
    assert.deepEqual(
      await errorOf(call(key, 'closed')),
      denied(arn, 'lambda:InvokeFunction', arnOf('closed'), noIdentity('lambda:InvokeFunction')),
    )
  })
})
