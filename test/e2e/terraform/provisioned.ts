/** Provisioned concurrency of a version and of an alias that moves. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  GetAliasCommand,
  GetProvisionedConcurrencyConfigCommand,
  ListProvisionedConcurrencyConfigsCommand,
} from '@aws-sdk/client-lambda'

import { eventually, invoke, lambdaClient, ROLE, zipOf } from '../../support/clients.ts'
import type { Part } from './part.ts'

const TYPE = { 'index.mjs': `export const handler = async () => process.env.AWS_LAMBDA_INITIALIZATION_TYPE` }

const configuration = (word: string, count: number, aliasWord = 'one') => `
resource "aws_lambda_function" "provisioned" {
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

resource "aws_lambda_function" "provisioned_alias" {
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

resource "aws_lambda_alias" "provisioned" {
  name             = "live"
  function_name    = aws_lambda_function.provisioned_alias.function_name
  function_version = aws_lambda_function.provisioned_alias.version
}

# Of a version: another version needs another one.
resource "aws_lambda_provisioned_concurrency_config" "version" {
  function_name                     = aws_lambda_function.provisioned.function_name
  qualifier                         = aws_lambda_function.provisioned.version
  provisioned_concurrent_executions = 1
}

# Of an alias: changed in place.
resource "aws_lambda_provisioned_concurrency_config" "alias" {
  function_name                     = aws_lambda_alias.provisioned.function_name
  qualifier                         = aws_lambda_alias.provisioned.name
  provisioned_concurrent_executions = ${count}
}
`

export function provisionedPart(endpoint: string): Part {
  const lambda = lambdaClient(endpoint)
  const type = async (name: string, Qualifier: string) =>
    (await invoke(lambda, name, {}, { Qualifier })).payload
  const ALIAS = { FunctionName: 'tf-provisioned-alias' }
  return {
    name: 'provisioned',
    async prepare(directory) {
      writeFileSync(join(directory, 'type.zip'), await zipOf(TYPE))
    },
    configuration(round) {
      if (round === 1) return configuration('one', 1)
      return configuration('two', 2, round === 2 ? 'one' : 'two')
    },
    async applied(round) {
      const version = round === 1 ? '1' : '2'
      assert.equal(await type('tf-provisioned', version), 'provisioned-concurrency')
      assert.equal(await type('tf-provisioned-alias', 'live'), 'provisioned-concurrency')
      if (round === 2) {
        const config = await lambda.send(
          new GetProvisionedConcurrencyConfigCommand({ ...ALIAS, Qualifier: 'live' }),
        )
        assert.deepEqual([config.Status, config.AvailableProvisionedConcurrentExecutions], ['READY', 2])
        const listed = await lambda.send(
          new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'tf-provisioned' }),
        )
        assert.deepEqual(
          listed.ProvisionedConcurrencyConfigs?.map(({ FunctionArn }) => FunctionArn?.split(':').at(-1)),
          ['2'],
        )
      }
      if (round < 3) return
      // The alias moves: for a moment its weights can be seen, as at AWS, and nothing of them stays.
      const alias = await eventually('the alias has arrived', async () => {
        const found = await lambda.send(new GetAliasCommand({ ...ALIAS, Name: 'live' }))
        return found.RoutingConfig ? undefined : found
      })
      assert.equal(alias.FunctionVersion, '2')
    },
  }
}
