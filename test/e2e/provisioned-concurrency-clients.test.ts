/** Provisioned concurrency through Terraform, through the AWS CLI, and under policies. */
// parity: PutProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig DeleteProvisionedConcurrencyConfig
// parity: ListProvisionedConcurrencyConfigs
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
  GetAliasCommand,
  GetProvisionedConcurrencyConfigCommand,
  LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda'

import {
  createFunction,
  errorOf,
  eventually,
  invoke,
  lambdaClient,
  makeExecutionRole,
  ROLE,
  zipOf,
} from '../support/clients.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'
import { terraformIn, terraformMissing } from '../support/terraform.ts'

const run = promisify(execFile)
const TYPE = { 'index.mjs': `export const handler = async () => process.env.AWS_LAMBDA_INITIALIZATION_TYPE` }

const configuration = (word: string, count: number, aliasWord = 'one') => `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}

resource "aws_lambda_function" "one" {
  function_name    = "tf-provisioned"
  role             = "${ROLE}"
  runtime          = "nodejs22.x"
  handler          = "index.handler"
  filename         = "type.zip"
  source_code_hash = filebase64sha256("type.zip")
  publish          = true
  environment {
    variables = { WORD = "${word}" }
  }
}

resource "aws_lambda_function" "two" {
  function_name    = "tf-provisioned-alias"
  role             = "${ROLE}"
  runtime          = "nodejs22.x"
  handler          = "index.handler"
  filename         = "type.zip"
  source_code_hash = filebase64sha256("type.zip")
  publish          = true
  environment {
    variables = { WORD = "${aliasWord}" }
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.two.function_name
  function_version = aws_lambda_function.two.version
}

# Of a version: another version needs another one.
resource "aws_lambda_provisioned_concurrency_config" "version" {
  function_name                     = aws_lambda_function.one.function_name
  qualifier                         = aws_lambda_function.one.version
  provisioned_concurrent_executions = 1
}

# Of an alias: changed in place.
resource "aws_lambda_provisioned_concurrency_config" "alias" {
  function_name                     = aws_lambda_alias.live.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = ${count}
}
`

test('Terraform provisions, plans nothing, changes, plans nothing, and destroys', async (t) => {
  const missing = terraformMissing()
  if (missing !== undefined) return t.skip(missing)
  const directory = await temporaryDirectory(t)
  const program = await startProgram()
  t.after(() => program.stop())
  const terraform = terraformIn(directory, program.endpoint)
  const lambda = lambdaClient(program.endpoint)
  writeFileSync(join(directory, 'type.zip'), await zipOf(TYPE))
  writeFileSync(join(directory, 'main.tf'), configuration('one', 1))
  await terraform.init()
  await terraform.apply()
  const type = async (name: string, Qualifier: string) =>
    (await invoke(lambda, name, {}, { Qualifier })).payload
  assert.equal(await type('tf-provisioned', '1'), 'provisioned-concurrency')
  assert.equal(await type('tf-provisioned-alias', 'live'), 'provisioned-concurrency')
  await terraform.planNothing()

  writeFileSync(join(directory, 'main.tf'), configuration('two', 2))
  await terraform.apply()
  assert.equal(await type('tf-provisioned', '2'), 'provisioned-concurrency')
  const config = await lambda.send(
    new GetProvisionedConcurrencyConfigCommand({ FunctionName: 'tf-provisioned-alias', Qualifier: 'live' }),
  )
  assert.deepEqual([config.Status, config.AvailableProvisionedConcurrentExecutions], ['READY', 2])
  const listed = await lambda.send(
    new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'tf-provisioned' }),
  )
  assert.deepEqual(
    listed.ProvisionedConcurrencyConfigs?.map(({ FunctionArn }) => FunctionArn?.split(':').at(-1)),
    ['2'],
  )
  await terraform.planNothing()

  // The alias moves: for a moment its weights can be seen, as at AWS, and nothing of them stays.
  writeFileSync(join(directory, 'main.tf'), configuration('two', 2, 'two'))
  await terraform.apply()
  const alias = await eventually('the alias has arrived', async () => {
    const found = await lambda.send(
      new GetAliasCommand({ FunctionName: 'tf-provisioned-alias', Name: 'live' }),
    )
    return found.RoutingConfig ? undefined : found
  })
  assert.equal(alias.FunctionVersion, '2')
  assert.equal(await type('tf-provisioned-alias', 'live'), 'provisioned-concurrency')
  await terraform.planNothing()
  await terraform.destroy()
})

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
