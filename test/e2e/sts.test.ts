/** STS and the credentials that IAM and STS hand out, at a door that checks signatures. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  GetUserCommand,
  IAMClient,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda'
import {
  AssumeRoleCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
  type AssumeRoleCommandInput,
} from '@aws-sdk/client-sts'

import { errorOf } from '../support/clients.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const OWNER = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const ACCOUNT = '123456789012'
const TRUST = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"${ACCOUNT}"},"Action":"sts:AssumeRole"}]}`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/path/worker`

interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}
interface SdkKeys {
  readonly AccessKeyId?: string
  readonly SecretAccessKey?: string
  readonly SessionToken?: string
}
const keysOf = (made: SdkKeys | undefined): Keys => ({
  accessKeyId: made?.AccessKeyId ?? '',
  secretAccessKey: made?.SecretAccessKey ?? '',
  ...(made?.SessionToken !== undefined && { sessionToken: made.SessionToken }),
})

describe('credentials', () => {
  let program: Program
  let roleId: string
  const args = [
    '--auth=signature',
    `--account=${ACCOUNT}`,
    `--access-key-id=${OWNER.accessKeyId}`,
    `--secret-access-key=${OWNER.secretAccessKey}`,
  ]
  before(async () => {
    program = await startProgram({ args })
    const { Role } = await iam(OWNER).send(
      new CreateRoleCommand({ RoleName: 'worker', Path: '/path/', AssumeRolePolicyDocument: TRUST }),
    )
    roleId = Role?.RoleId ?? ''
  })
  after(() => program.stop())

  const common = (credentials: Keys) => ({
    endpoint: program.endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  })
  const iam = (credentials: Keys) => new IAMClient(common(credentials))
  const sts = (credentials: Keys) => new STSClient(common(credentials))
  const whoAmI = async (credentials: Keys) => {
    const { UserId, Account, Arn } = await sts(credentials).send(new GetCallerIdentityCommand({}))
    return { UserId, Account, Arn }
  }
  const listFunctions = (credentials: Keys) =>
    new LambdaClient(common(credentials)).send(new ListFunctionsCommand({}))
  const assume = (input: Partial<AssumeRoleCommandInput> = {}, credentials: Keys = OWNER) =>
    sts(credentials).send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'session', ...input }))
  const newUser = async (UserName: string) => {
    const { User } = await iam(OWNER).send(new CreateUserCommand({ UserName }))
    const { AccessKey } = await iam(OWNER).send(new CreateAccessKeyCommand({ UserName }))
    return { userId: User?.UserId, keys: keysOf(AccessKey) }
  }

  test('the owner, a user and a role each learn who they are', async () => {
    assert.deepEqual(await whoAmI(OWNER), {
      UserId: ACCOUNT,
      Account: ACCOUNT,
      Arn: `arn:aws:iam::${ACCOUNT}:root`,
    })
    const { userId, keys } = await newUser('ann')
    assert.deepEqual(await whoAmI(keys), {
      UserId: userId,
      Account: ACCOUNT,
      Arn: `arn:aws:iam::${ACCOUNT}:user/ann`,
    })
    assert.equal((await iam(keys).send(new GetUserCommand({}))).User?.UserName, 'ann')
    const made = await assume()
    assert.deepEqual(made.AssumedRoleUser, {
      AssumedRoleId: `${roleId}:session`,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/worker/session`,
    })
    assert.equal(made.PackedPolicySize, undefined)
    assert.match(made.Credentials?.AccessKeyId ?? '', /^ASIA[A-Z2-7]{16}$/)
    assert.deepEqual(await whoAmI(keysOf(made.Credentials)), {
      UserId: `${roleId}:session`,
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/worker/session`,
    })
    assert.equal(
      (await errorOf(iam(keysOf(made.Credentials)).send(new GetUserCommand({})))).message,
      'Must specify userName when calling with non-User credentials',
    )
  })

  test('an access key opens every service until it is switched off or deleted', async () => {
    const { keys } = await newUser('beth')
    const change = (Status: 'Active' | 'Inactive') =>
      iam(OWNER).send(new UpdateAccessKeyCommand({ UserName: 'beth', AccessKeyId: keys.accessKeyId, Status }))
    assert.ok((await listFunctions(keys)).Functions)
    assert.equal(
      (await errorOf(listFunctions({ ...keys, secretAccessKey: 'wrong' }))).name,
      'InvalidSignatureException',
    )
    await change('Inactive')
    const unknown = { message: 'The security token included in the request is invalid.', status: 403 }
    assert.deepEqual(await errorOf(listFunctions(keys)), { name: 'UnrecognizedClientException', ...unknown })
    assert.deepEqual(await errorOf(whoAmI(keys)), { name: 'InvalidClientTokenId', ...unknown })
    await change('Active')
    assert.ok((await listFunctions(keys)).Functions)
    await iam(OWNER).send(new DeleteAccessKeyCommand({ UserName: 'beth', AccessKeyId: keys.accessKeyId }))
    assert.equal((await errorOf(listFunctions(keys))).name, 'UnrecognizedClientException')
  })

  test('temporary credentials need their token', async () => {
    const keys = keysOf((await assume()).Credentials)
    assert.ok((await listFunctions(keys)).Functions)
    for (const sessionToken of [undefined, 'made up']) {
      assert.equal(
        (await errorOf(listFunctions({ ...keys, sessionToken }))).name,
        'UnrecognizedClientException',
      )
    }
  })

  test('a session of a user is that user, and makes no further session', async () => {
    const { keys, userId } = await newUser('carl')
    const { Credentials } = await sts(keys).send(new GetSessionTokenCommand({ DurationSeconds: 900 }))
    const left = (Credentials?.Expiration?.getTime() ?? 0) - Date.now()
    assert.ok(left > 800_000 && left <= 900_000)
    assert.equal((await whoAmI(keysOf(Credentials))).UserId, userId)
    const again = sts(keysOf(Credentials)).send(new GetSessionTokenCommand({}))
    assert.deepEqual(await errorOf(again), {
      name: 'AccessDenied',
      message: 'Cannot call GetSessionToken with session credentials',
      status: 403,
    })
  })

  test('an access key id tells its account', async () => {
    const { keys } = await newUser('dora')
    const info = await sts(OWNER).send(new GetAccessKeyInfoCommand({ AccessKeyId: keys.accessKeyId }))
    assert.equal(info.Account, ACCOUNT)
  })

  test('AssumeRole is refused with the texts recorded from AWS', async () => {
    const refusals: readonly (readonly [Partial<AssumeRoleCommandInput>, string, string])[] = [
      [{ RoleArn: 'nothing-valid-in-here' }, 'ValidationError', 'nothing-valid-in-here is invalid'],
      [
        { RoleArn: 'arn::b:::something/test-role' },
        'ValidationError',
        'arn::b:::something/test-role is invalid',
      ],
      [
        { RoleArn: 'arn:a::::something/test-role' },
        'ValidationError',
        'arn:a::::something/test-role is invalid',
      ],
      [
        { RoleArn: 'arn:a:::something/test-role' },
        'ValidationError',
        'arn:a:::something/test-role is invalid',
      ],
      [{ RoleArn: 'arn:a:a::aaaaaaaaaa:' }, 'ValidationError', 'arn:a:a::aaaaaaaaaa: is invalid'],
      [
        { RoleArn: `arn:aws:iam::${ACCOUNT}:role/nobody` },
        'AccessDenied',
        `User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::${ACCOUNT}:role/nobody`,
      ],
      [
        { RoleSessionName: 'Session1:2' },
        'ValidationError',
        "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
      ],
      [
        { DurationSeconds: 7200 },
        'ValidationError',
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      ],
      [
        { Tags: [{ Key: 'a', Value: '1' }], TransitiveTagKeys: ['b'] },
        'InvalidParameterValue',
        'The specified transitive tag key must be included in the requested tags.',
      ],
      [
        {
          Tags: [
            { Key: 'a', Value: '1' },
            { Key: 'A', Value: '2' },
          ],
        },
        'InvalidParameterValue',
        'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
      ],
      [{ Policy: '{' }, 'MalformedPolicyDocumentException', 'Syntax errors in policy.'],
    ]
    for (const [input, name, message] of refusals) {
      const error = await errorOf(assume(input))
      assert.deepEqual([error.name, error.message], [name, message])
    }
    const first = await assume({ Tags: [{ Key: 'team', Value: 'a' }], TransitiveTagKeys: ['team'] })
    assert.equal(typeof first.PackedPolicySize, 'number')
    const chained = await errorOf(assume({ Tags: [{ Key: 'TEAM', Value: 'b' }] }, keysOf(first.Credentials)))
    assert.equal(
      chained.message,
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    )
  })

  test('the query protocol has its own names for what the door refuses', async () => {
    const bare = await fetch(`${program.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15`)
    assert.equal(bare.status, 403)
    assert.match(await bare.text(), /<Code>MissingAuthenticationToken<\/Code>/)
    const wrong = await errorOf(whoAmI({ ...OWNER, secretAccessKey: 'wrong' }))
    assert.deepEqual([wrong.name, wrong.status], ['SignatureDoesNotMatch', 403])
  })

  test('boto3 and the AWS CLI assume the role', async (t) => {
    const clients = pythonClients()
    if (typeof clients === 'string') return t.skip(clients)
    const env = {
      ...clientEnvironment(program.endpoint),
      AWS_ACCESS_KEY_ID: OWNER.accessKeyId,
      AWS_SECRET_ACCESS_KEY: OWNER.secretAccessKey,
    }
    const code = `
import boto3
made = boto3.client("sts").assume_role(RoleArn="${ROLE}", RoleSessionName="py")["Credentials"]
session = boto3.Session(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
print(session.client("sts").get_caller_identity()["Arn"])
print(session.client("lambda").list_functions()["Functions"])
`
    const run = promisify(execFile)
    const { stdout } = await run(clients.python, ['-c', code], { env })
    assert.equal(stdout, `arn:aws:sts::${ACCOUNT}:assumed-role/worker/py\n[]\n`)
    const identity = await run(
      clients.aws,
      ['sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text'],
      { env },
    )
    assert.equal(identity.stdout, `arn:aws:iam::${ACCOUNT}:root\n`)
  })

  test('keys and sessions outlive a crash', async (t) => {
    const first = await startProgram({ args })
    const client = (program: Program, credentials: Keys) =>
      new STSClient({ ...common(credentials), endpoint: program.endpoint })
    let keys: Keys
    try {
      const ownerIam = new IAMClient({ ...common(OWNER), endpoint: first.endpoint })
      await ownerIam.send(new CreateUserCommand({ UserName: 'eve' }))
      const { AccessKey } = await ownerIam.send(new CreateAccessKeyCommand({ UserName: 'eve' }))
      const made = await client(first, keysOf(AccessKey)).send(new GetSessionTokenCommand({}))
      keys = keysOf(made.Credentials)
    } finally {
      await first.kill9()
    }
    const second = await startProgram({ args, dataDirectory: first.dataDirectory })
    t.after(async () => {
      await second.stop()
      await first.stop()
    })
    const { Arn } = await client(second, keys).send(new GetCallerIdentityCommand({}))
    assert.equal(Arn, `arn:aws:iam::${ACCOUNT}:user/eve`)
  })
})
