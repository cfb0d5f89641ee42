/** IAM through the real SDK. Texts and members are those recorded from AWS. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import {
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  DetachRolePolicyCommand,
  DetachUserPolicyCommand,
  GetAccessKeyLastUsedCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListInstanceProfilesForRoleCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  ListRolePoliciesCommand,
  ListRoleTagsCommand,
  ListRolesCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
  UpdateUserCommand,
  type CreateRoleCommandInput,
} from '@aws-sdk/client-iam'

import { errorOf } from '../support/clients.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const TRUST =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
const ALLOW =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}'
const BASIC = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'
const policyArn = (name: string) => `arn:aws:iam::000000000000:policy/${name}`

describe('IAM', () => {
  let program: Program
  let iam: IAMClient
  before(async () => {
    program = await startProgram()
    iam = new IAMClient({
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    })
  })
  after(() => program.stop())
  const createRole = (RoleName: string, input: Partial<CreateRoleCommandInput> = {}) =>
    iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: TRUST, ...input }))
  const createPolicy = (PolicyName: string) =>
    iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument: ALLOW }))
  const refused = async (command: Promise<unknown>, name: string, message: string, status: number) =>
    assert.deepEqual(await errorOf(command), { name, message, status })

  test('a role is created, read, listed and updated with the members that AWS shows', async () => {
    const made = await createRole('shape', {
      Path: '/a/b/',
      Description: 'd',
      Tags: [{ Key: 'k', Value: 'v' }],
    })
    const { RoleId, CreateDate, ...rest } = made.Role ?? {}
    assert.match(RoleId ?? '', /^AROA[A-Z2-7]{17}$/)
    assert.ok(CreateDate instanceof Date)
    assert.deepEqual(rest, {
      Path: '/a/b/',
      RoleName: 'shape',
      Arn: 'arn:aws:iam::000000000000:role/a/b/shape',
      AssumeRolePolicyDocument: encodeURIComponent(TRUST),
      Tags: [{ Key: 'k', Value: 'v' }],
    })
    const read = await iam.send(new GetRoleCommand({ RoleName: 'shape' }))
    assert.deepEqual(read.Role, {
      ...rest,
      RoleId,
      CreateDate,
      Description: 'd',
      MaxSessionDuration: 3600,
      RoleLastUsed: {},
    })
    await iam.send(new UpdateRoleCommand({ RoleName: 'shape', Description: 'e', MaxSessionDuration: 7200 }))
    const { Roles } = await iam.send(new ListRolesCommand({ PathPrefix: '/a/' }))
    assert.deepEqual(
      Roles?.map((role) => [role.RoleName, role.Description, role.MaxSessionDuration, role.Tags]),
      [['shape', 'e', 7200, undefined]],
    )
    await refused(
      createRole('Shape'),
      'EntityAlreadyExistsException',
      'Role with name Shape already exists.',
      409,
    )
    await refused(
      iam.send(new GetRoleCommand({ RoleName: 'nobody' })),
      'NoSuchEntityException',
      'The role with name nobody cannot be found.',
      404,
    )
    await refused(
      iam.send(new GetRoleCommand({ RoleName: 'a/b' })),
      'ValidationError',
      'The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-',
      400,
    )
  })

  test('lists are paged', async () => {
    for (const name of ['p1', 'p2', 'p3']) await createRole(name, { Path: '/paged/' })
    const first = await iam.send(new ListRolesCommand({ PathPrefix: '/paged/', MaxItems: 2 }))
    assert.deepEqual([first.IsTruncated, first.Roles?.map((role) => role.RoleName)], [true, ['p1', 'p2']])
    const second = await iam.send(
      new ListRolesCommand({ PathPrefix: '/paged/', MaxItems: 2, Marker: first.Marker }),
    )
    assert.deepEqual([second.IsTruncated, second.Roles?.map((role) => role.RoleName)], [false, ['p3']])
  })

  test('trust policies are checked', async () => {
    await createRole('trust')
    const put = (PolicyDocument: string) =>
      iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'trust', PolicyDocument }))
    const malformed = (document: string, message: string) =>
      refused(put(document), 'MalformedPolicyDocumentException', message, 400)
    await malformed('{', 'This policy contains invalid Json')
    await malformed(
      TRUST.replace('sts:AssumeRole', 'dynamodb:PutItem'),
      'AssumeRole policy may only specify STS AssumeRole actions.',
    )
    await malformed(TRUST.replace('"Effect"', '"Resource":"*","Effect"'), 'Has prohibited field Resource')
    const wider = TRUST.replace('lambda.amazonaws.com', 'ec2.amazonaws.com')
    await put(wider)
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'trust' }))
    assert.equal(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''), wider)
  })

  test('inline policies are kept as they were sent, and keep a role from being deleted', async () => {
    await createRole('inline')
    const spaced = ALLOW.replaceAll(',', ' ,\n ')
    await iam.send(
      new PutRolePolicyCommand({ RoleName: 'inline', PolicyName: 'one', PolicyDocument: spaced }),
    )
    const read = await iam.send(new GetRolePolicyCommand({ RoleName: 'inline', PolicyName: 'one' }))
    assert.equal(decodeURIComponent(read.PolicyDocument ?? ''), spaced)
    assert.deepEqual((await iam.send(new ListRolePoliciesCommand({ RoleName: 'inline' }))).PolicyNames, [
      'one',
    ])
    await refused(
      iam.send(new DeleteRoleCommand({ RoleName: 'inline' })),
      'DeleteConflictException',
      'Cannot delete entity, must delete policies first.',
      409,
    )
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'inline', PolicyName: 'one' }))
    await refused(
      iam.send(new GetRolePolicyCommand({ RoleName: 'inline', PolicyName: 'one' })),
      'NoSuchEntityException',
      'The role policy with name one cannot be found.',
      404,
    )
    const put = (PolicyDocument: string) =>
      iam.send(new PutRolePolicyCommand({ RoleName: 'inline', PolicyName: 'two', PolicyDocument }))
    for (const [document, message] of [
      ['nothing', 'Syntax errors in policy.'],
      [ALLOW.replace('2012-10-17', '2008-10-17'), 'Policy document must be version 2012-10-17 or greater.'],
      [ALLOW.replace(',"Resource":"*"', ''), 'Policy statement must contain resources.'],
      [ALLOW.replace(',"Action":"s3:ListBucket"', ''), 'Policy statement must contain actions.'],
      [ALLOW.replace('"*"', '"bucket"'), 'Resource bucket must be in ARN format or "*".'],
      [
        ALLOW.replace('s3:ListBucket', 'ListBucket'),
        'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
      ],
    ] as const) {
      await refused(put(document), 'MalformedPolicyDocumentException', message, 400)
    }
    const long = ALLOW.replace('"*"', `"arn:aws:s3:::${'x'.repeat(10_240)}"`)
    await refused(
      put(long),
      'LimitExceededException',
      'Maximum policy size of 10240 bytes exceeded for role inline',
      409,
    )
    await iam.send(new DeleteRoleCommand({ RoleName: 'inline' }))
  })

  test("Lambda users' AWS-managed policies are there, and count who uses them", async () => {
    await createRole('managed')
    const { Policies } = await iam.send(new ListPoliciesCommand({ Scope: 'AWS' }))
    assert.deepEqual(
      Policies?.map(({ PolicyName }) => PolicyName),
      [
        'AWSLambdaBasicExecutionRole',
        'AWSLambdaDynamoDBExecutionRole',
        'AWSLambdaKinesisExecutionRole',
        'AWSLambdaMSKExecutionRole',
        'AWSLambdaRole',
        'AWSLambdaSQSQueueExecutionRole',
        'AWSLambdaVPCAccessExecutionRole',
        'AWSLambda_FullAccess',
        'AWSLambda_ReadOnlyAccess',
        'AWSXRayDaemonWriteAccess',
      ],
    )
    const version = await iam.send(new GetPolicyVersionCommand({ PolicyArn: BASIC, VersionId: 'v1' }))
    assert.deepEqual(JSON.parse(decodeURIComponent(version.PolicyVersion?.Document ?? '')), {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
          Resource: '*',
        },
      ],
    })
    const attach = () => iam.send(new AttachRolePolicyCommand({ RoleName: 'managed', PolicyArn: BASIC }))
    await attach()
    await attach()
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: BASIC }))
    assert.equal(Policy?.AttachmentCount, 1)
    const users = await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn: BASIC }))
    assert.deepEqual(
      users.PolicyRoles?.map(({ RoleName }) => RoleName),
      ['managed'],
    )
    await refused(
      iam.send(new DeleteRoleCommand({ RoleName: 'managed' })),
      'DeleteConflictException',
      'Cannot delete entity, must detach all policies first.',
      409,
    )
    await iam.send(new DetachRolePolicyCommand({ RoleName: 'managed', PolicyArn: BASIC }))
    await refused(
      iam.send(new DetachRolePolicyCommand({ RoleName: 'managed', PolicyArn: BASIC })),
      'NoSuchEntityException',
      `Policy ${BASIC} was not found.`,
      404,
    )
    await refused(
      iam.send(new AttachRolePolicyCommand({ RoleName: 'managed', PolicyArn: policyArn('none') })),
      'NoSuchEntityException',
      `Policy ${policyArn('none')} does not exist or is not attachable.`,
      404,
    )
    await refused(
      iam.send(new AttachRolePolicyCommand({ RoleName: 'managed', PolicyArn: 'longpolicynamebutnoarn' })),
      'ValidationError',
      'ARN longpolicynamebutnoarn is not valid.',
      400,
    )
    assert.deepEqual(
      (await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName: 'managed' }))).InstanceProfiles,
      [],
    )
    await iam.send(new DeleteRoleCommand({ RoleName: 'managed' }))
  })

  test('a managed policy has up to five versions, of which one counts', async () => {
    const { Policy } = await createPolicy('versions')
    const PolicyArn = Policy?.Arn ?? ''
    assert.equal(PolicyArn, policyArn('versions'))
    await refused(
      createPolicy('versions'),
      'EntityAlreadyExistsException',
      'A policy called versions already exists. Duplicate names are not allowed.',
      409,
    )
    const more = () => iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: ALLOW }))
    for (let count = 2; count <= 5; count++) await more()
    await refused(
      more(),
      'LimitExceededException',
      'A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.',
      409,
    )
    const remove = (VersionId: string) => iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }))
    await refused(
      remove('v1'),
      'DeleteConflictException',
      'Cannot delete the default version of a policy.',
      409,
    )
    await refused(
      remove('v9'),
      'NoSuchEntityException',
      `Policy ${PolicyArn} version v9 does not exist or is not attachable.`,
      404,
    )
    await remove('v3')
    await more()
    const { Versions } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }))
    assert.deepEqual(
      Versions?.map(({ VersionId, IsDefaultVersion }) => [VersionId, IsDefaultVersion]),
      [
        ['v6', false],
        ['v5', false],
        ['v4', false],
        ['v2', false],
        ['v1', true],
      ],
    )
    assert.equal(
      (await errorOf(iam.send(new DeletePolicyCommand({ PolicyArn })))).name,
      'DeleteConflictException',
    )
    for (const version of ['v2', 'v4', 'v5', 'v6']) await remove(version)
    await iam.send(new DeletePolicyCommand({ PolicyArn }))
    await refused(
      iam.send(new GetPolicyCommand({ PolicyArn })),
      'NoSuchEntityException',
      `Policy ${PolicyArn} was not found.`,
      404,
    )
  })

  test('a permissions boundary is shown and keeps its policy', async () => {
    await createPolicy('fence')
    const PermissionsBoundary = policyArn('fence')
    const made = await createRole('fenced', { PermissionsBoundary })
    assert.deepEqual(made.Role?.PermissionsBoundary, {
      PermissionsBoundaryType: 'Policy',
      PermissionsBoundaryArn: PermissionsBoundary,
    })
    await refused(
      iam.send(new DeletePolicyCommand({ PolicyArn: PermissionsBoundary })),
      'DeleteConflictException',
      'Cannot delete a policy attached to entities.',
      409,
    )
    const put = (boundary: string) =>
      iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: 'fenced', PermissionsBoundary: boundary }))
    const bad = 'arn:aws:iam::000000000000:not_a_policy/invalid'
    await refused(put(bad), 'InvalidInputException', `ARN ${bad} is not valid.`, 400)
    await refused(
      put(policyArn('none')),
      'NoSuchEntityException',
      `Scope ARN: ${policyArn('none')} does not exist or is not attachable.`,
      404,
    )
    await iam.send(new DeleteRoleCommand({ RoleName: 'fenced' }))
    await iam.send(new DeletePolicyCommand({ PolicyArn: PermissionsBoundary }))
  })

  test('tags are told apart without their case and listed in order', async () => {
    await createRole('tagged')
    const tag = (...tags: [string, string][]) =>
      iam.send(new TagRoleCommand({ RoleName: 'tagged', Tags: tags.map(([Key, Value]) => ({ Key, Value })) }))
    await tag(['somekey', 'somevalue'], ['another', ''])
    await tag(['somekey', 'updated'])
    await iam.send(new UntagRoleCommand({ RoleName: 'tagged', TagKeys: ['nothing'] }))
    const { Tags } = await iam.send(new ListRoleTagsCommand({ RoleName: 'tagged' }))
    assert.deepEqual(Tags, [
      { Key: 'another', Value: '' },
      { Key: 'somekey', Value: 'updated' },
    ])
    await refused(
      tag(['a', '1'], ['A', '2']),
      'InvalidInputException',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
      400,
    )
    await refused(
      tag(['x'.repeat(129), '']),
      'ValidationError',
      "1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128",
      400,
    )
  })

  test('users have up to two access keys, and take them along when they are renamed', async () => {
    const { User } = await iam.send(new CreateUserCommand({ UserName: 'ann' }))
    assert.match(User?.UserId ?? '', /^AIDA[A-Z2-7]{17}$/)
    const create = () => iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
    const { AccessKey } = await create()
    assert.match(AccessKey?.AccessKeyId ?? '', /^AKIA[A-Z2-7]{16}$/)
    assert.equal(AccessKey?.SecretAccessKey?.length, 40)
    await create()
    await refused(create(), 'LimitExceededException', 'Cannot exceed quota for AccessKeysPerUser: 2', 409)
    const AccessKeyId = AccessKey?.AccessKeyId ?? ''
    const used = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }))
    assert.deepEqual(used.AccessKeyLastUsed, { ServiceName: 'N/A', Region: 'N/A' })

    await iam.send(new AttachUserPolicyCommand({ UserName: 'ann', PolicyArn: BASIC }))
    await iam.send(new PutUserPolicyCommand({ UserName: 'ann', PolicyName: 'p', PolicyDocument: ALLOW }))
    await iam.send(new UpdateUserCommand({ UserName: 'ann', NewUserName: 'beth', NewPath: '/b/' }))
    const { AccessKeyMetadata } = await iam.send(new ListAccessKeysCommand({ UserName: 'beth' }))
    assert.deepEqual(
      AccessKeyMetadata?.map(({ UserName }) => UserName),
      ['beth', 'beth'],
    )
    const renamed = await iam.send(new GetUserCommand({ UserName: 'beth' }))
    assert.deepEqual(
      [renamed.User?.Arn, renamed.User?.UserId],
      ['arn:aws:iam::000000000000:user/b/beth', User?.UserId],
    )
    const { PolicyUsers } = await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn: BASIC }))
    assert.deepEqual(
      PolicyUsers?.map(({ UserName }) => UserName),
      ['beth'],
    )
    await refused(
      iam.send(new GetUserCommand({ UserName: 'ann' })),
      'NoSuchEntityException',
      'The user with name ann cannot be found.',
      404,
    )
    await refused(
      iam.send(new DeleteUserCommand({ UserName: 'beth' })),
      'DeleteConflictException',
      'Cannot delete entity, must delete access keys first.',
      409,
    )
    for (const key of AccessKeyMetadata ?? []) {
      await iam.send(new DeleteAccessKeyCommand({ UserName: 'beth', AccessKeyId: key.AccessKeyId }))
    }
    assert.equal(
      (await errorOf(iam.send(new DeleteUserCommand({ UserName: 'beth' })))).name,
      'DeleteConflictException',
    )
    assert.equal(
      (await iam.send(new ListAttachedUserPoliciesCommand({ UserName: 'beth' }))).AttachedPolicies?.length,
      1,
    )
    await iam.send(new DetachUserPolicyCommand({ UserName: 'beth', PolicyArn: BASIC }))
    assert.equal(
      (await errorOf(iam.send(new DeleteUserCommand({ UserName: 'beth' })))).name,
      'DeleteConflictException',
    )
  })

  test('the account owner is a user without a name', async () => {
    const { User } = await iam.send(new GetUserCommand({}))
    assert.deepEqual([User?.UserId, User?.Arn], ['000000000000', 'arn:aws:iam::000000000000:root'])
    assert.equal(
      (await errorOf(iam.send(new ListAccessKeysCommand({})))).message,
      'Must specify userName when calling with non-User credentials',
    )
  })

  test('answers are XML in the form of the query protocol', async () => {
    const authorization =
      'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x'
    const post = async (body: string) => {
      const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
      const response = await fetch(program.endpoint, { method: 'POST', headers, body })
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        text: await response.text(),
      }
    }
    const missing = await post('Action=GetRole&Version=2010-05-08&RoleName=nobody')
    assert.deepEqual([missing.status, missing.type], [404, 'text/xml'])
    assert.match(
      missing.text,
      /^<ErrorResponse xmlns="https:\/\/iam\.amazonaws\.com\/doc\/2010-05-08\/"><Error><Type>Sender<\/Type><Code>NoSuchEntity<\/Code><Message>The role with name nobody cannot be found\.<\/Message><\/Error><RequestId>[0-9a-f-]{36}<\/RequestId><\/ErrorResponse>\n$/,
    )
    for (const [body, code] of [
      ['Action=NoSuchThing&Version=2010-05-08', 'InvalidAction'],
      ['Action=GetRole&Version=1999-01-01', 'InvalidAction'],
      ['Version=2010-05-08', 'MissingAction'],
      ['', 'MissingAction'],
      ['Action=ListRoles&Version=2010-05-08&MaxItems=many', 'MalformedInput'],
      ['Action=ListRoles&Version=2010-05-08&Marker=%ff', 'MalformedInput'],
      [`Action=ListRoles&Version=2010-05-08&${'a.'.repeat(50)}b=1`, 'MalformedInput'],
      [`Action=ListRoles${'&x=1'.repeat(3000)}`, 'MalformedInput'],
      ['Action=__proto__&Version=2010-05-08', 'InvalidAction'],
      ['Action=GetRole&Version=2010-05-08&__proto__.RoleName=x', 'ValidationError'],
    ] as const) {
      const answer = await post(body)
      assert.deepEqual([answer.status, /<Code>(\w+)</.exec(answer.text)?.[1]], [400, code], body.slice(0, 80))
    }
  })

  test('boto3 and the AWS CLI read what was written', async (t) => {
    const clients = pythonClients()
    if (typeof clients === 'string') return t.skip(clients)
    const code = `
import boto3, json
iam = boto3.client("iam")
trust = json.loads('${TRUST}')
role = iam.create_role(RoleName="py", AssumeRolePolicyDocument=json.dumps(trust), Tags=[{"Key": "k", "Value": "ü"}])["Role"]
assert role["AssumeRolePolicyDocument"] == trust, role
iam.attach_role_policy(RoleName="py", PolicyArn="${BASIC}")
iam.get_waiter("role_exists").wait(RoleName="py")
try:
    iam.delete_role(RoleName="py")
except iam.exceptions.DeleteConflictException as error:
    print(error.response["Error"]["Code"])
pages = iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1})
print(sorted(role["RoleName"] for page in pages for role in page["Roles"] if role["RoleName"] == "py"))
`
    const env = clientEnvironment(program.endpoint)
    const { stdout } = await promisify(execFile)(clients.python, ['-c', code], { env })
    assert.equal(stdout, "DeleteConflict\n['py']\n")
    const listed = await promisify(execFile)(
      clients.aws,
      ['iam', 'list-role-tags', '--role-name', 'py', '--query', 'Tags[0].Value', '--output', 'text'],
      { env },
    )
    assert.equal(listed.stdout, 'ü\n')
  })
})
