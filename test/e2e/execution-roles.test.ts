/** --auth iam: functions act as a role that trusts Lambda, and say of themselves which function they are. */
// parity: CreateFunction UpdateFunctionConfiguration Invoke
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateFunctionCommand,
  LambdaClient,
  ListFunctionsCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, invoke, zipOf } from '../support/clients.ts'
import { startProgram } from '../support/program.ts'

const OWNER = { accessKeyId: 'AKIDOWNER', secretAccessKey: 'the secret of the owner' }
const ACCOUNT = '000000000000'
const roleArn = (name: string, path = '/') => `arn:aws:iam::${ACCOUNT}:role${path}${name}`
const functionArn = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`
const policy = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const trust = (Service: string, Condition?: object) =>
  policy({ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole', Condition })
/** Gives its own credentials away. */
const files = {
  'index.js': `exports.handler = async () => ({
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
    sessionToken: process.env.AWS_SESSION_TOKEN,
  })`,
}

test('the role of a function', async (t) => {
  const program = await startProgram({
    args: [
      '--auth=iam',
      `--access-key-id=${OWNER.accessKeyId}`,
      `--secret-access-key=${OWNER.secretAccessKey}`,
    ],
  })
  t.after(() => program.stop())
  const common = { endpoint: program.endpoint, region: 'us-east-1', maxAttempts: 1 }
  const iam = new IAMClient({ ...common, credentials: OWNER })
  const lambda = new LambdaClient({ ...common, credentials: OWNER })
  const makeRole = (RoleName: string, AssumeRolePolicyDocument: string, Path = '/') =>
    iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, Path }))
  const ZipFile = await zipOf(files)
  const create = (FunctionName: string, Role: string) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: 'nodejs26.x',
        Handler: 'index.handler',
        Role,
        Code: { ZipFile },
      }),
    )
  const unassumable = {
    name: 'InvalidParameterValueException',
    message: 'The role defined for the function cannot be assumed by Lambda.',
    status: 400,
  }

  await t.test('one that is not there, or trusts others, is refused and makes no function', async () => {
    await makeRole('machine', trust('ec2.amazonaws.com'))
    await makeRole('nested', trust('lambda.amazonaws.com'), '/team/')
    await makeRole(
      'elsewhere',
      trust('lambda.amazonaws.com', { StringEquals: { 'aws:SourceAccount': '111111111111' } }),
    )
    for (const role of [
      roleArn('nobody'),
      roleArn('machine'),
      roleArn('elsewhere'),
      // Another path is another role.
      roleArn('nested'),
    ]) {
      assert.deepEqual(await errorOf(create('never', role)), unassumable, role)
    }
    assert.deepEqual((await lambda.send(new ListFunctionsCommand({}))).Functions, [])
    assert.equal((await create('nested', roleArn('nested', '/team/'))).Role, roleArn('nested', '/team/'))
  })

  await t.test('one that trusts Lambda for this function only is fine for this one', async () => {
    await makeRole(
      'narrow',
      trust('lambda.amazonaws.com', { ArnEquals: { 'aws:SourceArn': functionArn('narrow') } }),
    )
    await create('narrow', roleArn('narrow'))
    assert.deepEqual(await errorOf(create('wide', roleArn('narrow'))), unassumable)
    const change = new UpdateFunctionConfigurationCommand({ FunctionName: 'nested', Role: roleArn('narrow') })
    assert.deepEqual(await errorOf(lambda.send(change)), unassumable)
  })

  await t.test('its requests carry the ARN of the function', async () => {
    await makeRole('worker', trust('lambda.amazonaws.com'))
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: 'worker',
        PolicyName: 'list',
        PolicyDocument: policy({
          Effect: 'Allow',
          Action: 'lambda:ListFunctions',
          Resource: '*',
          Condition: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn('first') } },
        }),
      }),
    )
    const actingAs = async (FunctionName: string) => {
      await createFunction(lambda, { FunctionName, Role: roleArn('worker'), files })
      const { payload } = await invoke(lambda, FunctionName)
      return new LambdaClient({ ...common, credentials: payload as typeof OWNER })
    }
    await (await actingAs('first')).send(new ListFunctionsCommand({}))
    const refused = await errorOf((await actingAs('second')).send(new ListFunctionsCommand({})))
    assert.equal(refused.name, 'AccessDeniedException')
  })

  await t.test('one that was deleted, or trusts Lambda no more, ends new environments', async () => {
    const renew = async (Timeout: number) => {
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'first', Timeout }))
      await waitUntilFunctionUpdatedV2(
        { client: lambda, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
        { FunctionName: 'first' },
      )
    }
    const denied = {
      name: 'AccessDeniedException',
      message: 'The role defined for the function cannot be assumed by Lambda.',
      status: 403,
    }
    const trustNow = (document: string) =>
      iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'worker', PolicyDocument: document }))
    await trustNow(trust('ec2.amazonaws.com'))
    await renew(7)
    assert.deepEqual(await errorOf(invoke(lambda, 'first')), denied)
    await trustNow(trust('lambda.amazonaws.com'))
    assert.equal((await invoke(lambda, 'first')).functionError, undefined)
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'worker', PolicyName: 'list' }))
    await iam.send(new DeleteRoleCommand({ RoleName: 'worker' }))
    await renew(8)
    assert.deepEqual(await errorOf(invoke(lambda, 'first')), denied)
  })
})
