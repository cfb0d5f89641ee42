/** Resource policies through the SDK: statements one by one, and whole documents. */
// parity: AddPermission RemovePermission GetPolicy GetResourcePolicy PutResourcePolicy DeleteResourcePolicy
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  AddPermissionCommand,
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteResourcePolicyCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  GetResourcePolicyCommand,
  PublishVersionCommand,
  PutResourcePolicyCommand,
  RemovePermissionCommand,
  type AddPermissionCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, invoke, lambdaClient } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const WRONG = '00000000-0000-4000-8000-000000000000'
const REVISION_TEXT =
  'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id'
const GONE = {
  name: 'ResourceNotFoundException',
  message: 'The resource you requested does not exist.',
  status: 404,
}

describe('resource policies', () => {
  let program: Program
  let lambda: LambdaClient

  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
  })
  after(() => program.stop())

  const create = (FunctionName: string) =>
    createFunction(lambda, { FunctionName, files: { 'index.mjs': `export const handler = async () => 1` } })
  const add = async (FunctionName: string, more: Partial<AddPermissionCommandInput> = {}) => {
    const answer = await lambda.send(
      new AddPermissionCommand({
        FunctionName,
        StatementId: 's3',
        Action: 'lambda:InvokeFunction',
        Principal: 's3.amazonaws.com',
        ...more,
      }),
    )
    return { status: answer.$metadata.httpStatusCode, statement: JSON.parse(answer.Statement ?? '') }
  }
  const policy = async (FunctionName: string, Qualifier?: string) => {
    const answer = await lambda.send(new GetPolicyCommand({ FunctionName, Qualifier }))
    return { document: JSON.parse(answer.Policy ?? ''), revisionId: answer.RevisionId }
  }
  const revision = async (FunctionName: string) =>
    (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).RevisionId

  test('a statement is added with all its conditions, read, and removed', async () => {
    await create('permitted')
    const added = await add('permitted', {
      SourceArn: 'arn:aws:s3:::bucket',
      SourceAccount: '000000000000',
      RevisionId: await revision('permitted'),
    })
    const statement = {
      Sid: 's3',
      Effect: 'Allow',
      Principal: { Service: 's3.amazonaws.com' },
      Action: 'lambda:InvokeFunction',
      Resource: `${ARN}:permitted`,
      Condition: {
        StringEquals: { 'AWS:SourceAccount': '000000000000' },
        ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::bucket' },
      },
    }
    assert.deepEqual(added, { status: 201, statement })
    assert.deepEqual(await policy('permitted'), {
      document: { Version: '2012-10-17', Id: 'default', Statement: [statement] },
      revisionId: await revision('permitted'),
    })
    // The function runs on as if nothing had happened.
    assert.equal((await invoke(lambda, 'permitted')).payload, 1)

    const remove = (more: object = {}) =>
      lambda.send(new RemovePermissionCommand({ FunctionName: 'permitted', StatementId: 's3', ...more }))
    assert.deepEqual(await errorOf(remove({ RevisionId: WRONG })), {
      name: 'PreconditionFailedException',
      message: REVISION_TEXT,
      status: 412,
    })
    assert.equal((await remove({ RevisionId: await revision('permitted') })).$metadata.httpStatusCode, 204)
    assert.deepEqual(await errorOf(policy('permitted')), GONE)
    assert.deepEqual(await errorOf(remove()), {
      name: 'ResourceNotFoundException',
      message: 'No policy is associated with the given resource.',
      status: 404,
    })
  })

  test('refusals come with the names, texts and statuses of AWS', async () => {
    await create('refusing')
    await add('refusing')
    const refused = (more: Partial<AddPermissionCommandInput>) => errorOf(add('refusing', more))
    assert.deepEqual(await refused({}), {
      name: 'ResourceConflictException',
      message:
        'The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.',
      status: 409,
    })
    assert.deepEqual(await refused({ StatementId: 'example.com' }), {
      name: 'ValidationException',
      message:
        "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
      status: 400,
    })
    assert.deepEqual(await refused({ StatementId: 'x', Principal: 'nobody' }), {
      name: 'InvalidParameterValueException',
      message: 'The provided principal was invalid. Please check the principal and try again.',
      status: 400,
    })
    assert.deepEqual(await refused({ StatementId: 'x', Qualifier: '$LATEST' }), {
      name: 'InvalidParameterValueException',
      message: 'We currently do not support adding policies for $LATEST.',
      status: 400,
    })
    const SourceArn = `arn:aws:s3:::${'b'.repeat(9_000)}`
    await add('refusing', { StatementId: 'first', SourceArn })
    await add('refusing', { StatementId: 'second', SourceArn })
    const tooLong = await refused({ StatementId: 'third', SourceArn })
    assert.deepEqual([tooLong.name, tooLong.status], ['PolicyLengthExceededException', 400])
    assert.match(tooLong.message, /^The final policy size \(\d+\) is bigger than the limit \(20480\)\.$/)
    assert.equal((await policy('refusing')).document.Statement.length, 3)
  })

  test('versions and aliases have policies of their own, which go with them', async () => {
    await create('qualified')
    await lambda.send(new PublishVersionCommand({ FunctionName: 'qualified' }))
    const live = { FunctionName: 'qualified', Name: 'live' }
    await lambda.send(new CreateAliasCommand({ ...live, FunctionVersion: '1' }))
    await add('qualified', { Qualifier: '1' })
    await add(`${ARN}:qualified:live`, { Principal: '123456789012' })
    assert.deepEqual(await errorOf(policy('qualified')), GONE)
    assert.equal((await policy('qualified', '1')).document.Statement[0].Resource, `${ARN}:qualified:1`)
    const { document, revisionId } = await policy('qualified', 'live')
    assert.deepEqual(document.Statement[0].Principal, { AWS: 'arn:aws:iam::123456789012:root' })
    assert.equal(revisionId, (await lambda.send(new GetAliasCommand(live))).RevisionId)
    await lambda.send(new DeleteAliasCommand(live))
    assert.deepEqual(await errorOf(policy('qualified', 'live')), GONE)
    await lambda.send(new CreateAliasCommand({ ...live, FunctionVersion: '1' }))
    assert.deepEqual(await errorOf(policy('qualified', 'live')), GONE)
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'qualified' }))
    await create('qualified')
    await lambda.send(new PublishVersionCommand({ FunctionName: 'qualified' }))
    assert.deepEqual(await errorOf(policy('qualified', '1')), GONE)
  })

  test('a whole policy is put, read, and deleted', async () => {
    await create('whole')
    const ResourceArn = `${ARN}:whole`
    await add('whole')
    const document = {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'team',
          Effect: 'Allow',
          Principal: { AWS: '123456789012' },
          Action: 'lambda:InvokeFunction',
          Resource: ResourceArn,
        },
      ],
    }
    const Policy = JSON.stringify(document)
    const put = (more: object = {}) =>
      lambda.send(new PutResourcePolicyCommand({ ResourceArn, Policy, ...more }))
    const answer = await put()
    assert.equal(answer.Policy, Policy)
    const read = await lambda.send(new GetResourcePolicyCommand({ ResourceArn }))
    assert.deepEqual([read.Policy, read.RevisionId], [Policy, answer.RevisionId])
    assert.deepEqual(await policy('whole'), { document, revisionId: answer.RevisionId })
    assert.equal((await errorOf(put({ RevisionId: WRONG }))).status, 412)
    assert.equal((await errorOf(put({ Policy: '{}' }))).name, 'InvalidParameterValueException')
    const erase = (RevisionId?: string) =>
      lambda.send(new DeleteResourcePolicyCommand({ ResourceArn, RevisionId }))
    assert.equal((await errorOf(erase(WRONG))).status, 412)
    assert.equal((await erase(answer.RevisionId)).$metadata.httpStatusCode, 204)
    assert.deepEqual(await errorOf(lambda.send(new GetResourcePolicyCommand({ ResourceArn }))), GONE)
    assert.deepEqual(await errorOf(erase()), GONE)
  })
})
