/** Provisioned concurrency through the AWS CLI, and under policies. */
// parity: PutProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig DeleteProvisionedConcurrencyConfig
// parity: ListProvisionedConcurrencyConfigs
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  GetProvisionedConcurrencyConfigCommand,
  LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, eventually, lambdaClient, makeExecutionRole } from '../support/clients.ts'
import { startProgram } from '../support/program.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'

const run = promisify(execFile)
const TYPE = { 'index.mjs': `export const handler = async () => process.env.AWS_LAMBDA_INITIALIZATION_TYPE` }

test('the AWS CLI puts, polls until it is ready, lists and deletes', async (t) => {
  const clients = pythonClients()
  if (typeof clients === 'string') return t.skip(clients)
  const program = await startProgram()
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  await createFunction(lambda, { FunctionName: 'cli', files: TYPE })
  await lambda.send(new PublishVersionCommand({ FunctionName: 'cli' }))
  await lambda.send(new CreateAliasCommand({ FunctionName: 'cli', Name: 'BLUE', FunctionVersion: '1' }))
  const env = clientEnvironment(program.endpoint)
  const aws = async (command: string, ...args: string[]) => {
    const all = ['lambda', command, '--function-name', 'cli', ...args]
    const { stdout } = await run(clients.aws, all, { env, timeout: 60_000 })
    return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as Record<string, unknown>)
  }
  const put = await aws(
    'put-provisioned-concurrency-config',
    '--qualifier',
    'BLUE',
    '--provisioned-concurrent-executions',
    '1',
  )
  assert.equal(put?.['Status'], 'IN_PROGRESS')
  const ready = await eventually('it is ready', async () => {
    const config = await aws('get-provisioned-concurrency-config', '--qualifier', 'BLUE')
    return config?.['Status'] === 'READY' ? config : undefined
  })
  assert.deepEqual(ready, {
    RequestedProvisionedConcurrentExecutions: 1,
    AvailableProvisionedConcurrentExecutions: 1,
    AllocatedProvisionedConcurrentExecutions: 1,
    Status: 'READY',
    LastModified: put?.['LastModified'],
  })
  const list = await aws('list-provisioned-concurrency-configs')
  assert.deepEqual(list, {
    ProvisionedConcurrencyConfigs: [
      { FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:cli:BLUE', ...ready },
    ],
  })
  assert.equal(await aws('delete-provisioned-concurrency-config', '--qualifier', 'BLUE'), undefined)
  assert.deepEqual(await aws('list-provisioned-concurrency-configs'), { ProvisionedConcurrencyConfigs: [] })
})

test('under --auth iam a policy on the version decides', async (t) => {
  const owner = { accessKeyId: 'AKIDOWNER', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
  const program = await startProgram({
    args: [
      '--auth=iam',
      `--access-key-id=${owner.accessKeyId}`,
      `--secret-access-key=${owner.secretAccessKey}`,
    ],
  })
  t.after(() => program.stop())
  const common = { endpoint: program.endpoint, region: 'us-east-1', maxAttempts: 1 }
  const lambda = new LambdaClient({ ...common, credentials: owner })
  const iam = new IAMClient({ ...common, credentials: owner })
  await makeExecutionRole(program.endpoint, owner)
  await createFunction(lambda, { FunctionName: 'guarded', files: TYPE })
  await lambda.send(new PublishVersionCommand({ FunctionName: 'guarded' }))
  const UserName = 'operator'
  await iam.send(new CreateUserCommand({ UserName }))
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:guarded'
  const document = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['lambda:PutProvisionedConcurrencyConfig', 'lambda:GetProvisionedConcurrencyConfig'],
        Resource: `${arn}:1`,
      },
    ],
  }
  await iam.send(
    new PutUserPolicyCommand({ UserName, PolicyName: 'one', PolicyDocument: JSON.stringify(document) }),
  )
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  const operator = new LambdaClient({
    ...common,
    credentials: {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    },
  })
  const target = { FunctionName: 'guarded', Qualifier: '1' }
  await operator.send(
    new PutProvisionedConcurrencyConfigCommand({ ...target, ProvisionedConcurrentExecutions: 1 }),
  )
  await eventually('it is ready', async () => {
    const { Status } = await operator.send(new GetProvisionedConcurrencyConfigCommand(target))
    return Status === 'READY' ? Status : undefined
  })
  const why = (action: string, resource: string) => ({
    name: 'AccessDeniedException',
    message: `User: arn:aws:iam::000000000000:user/operator is not authorized to perform: lambda:${action} on resource: ${resource} because no identity-based policy allows the lambda:${action} action`,
    status: 403,
  })
  assert.deepEqual(
    await errorOf(operator.send(new GetProvisionedConcurrencyConfigCommand({ ...target, Qualifier: '2' }))),
    why('GetProvisionedConcurrencyConfig', `${arn}:2`),
  )
  assert.deepEqual(
    await errorOf(operator.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'guarded' }))),
    why('ListProvisionedConcurrencyConfigs', arn),
  )
})
