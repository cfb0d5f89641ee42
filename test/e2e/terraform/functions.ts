/** Functions with all that hangs on them, and the data sources that read it. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { ListFunctionsCommand } from '@aws-sdk/client-lambda'

import { invoke, lambdaClient, zipOf } from '../../support/clients.ts'
import type { Part } from './part.ts'

const configuration = (word: string, memoryMiB: number) => `
resource "aws_cloudwatch_log_group" "hello" {
  name              = "/aws/lambda/tf-hello"
  retention_in_days = 7
}

resource "aws_lambda_layer_version" "words" {
  layer_name          = "tf-words"
  filename            = "layer.zip"
  source_code_hash    = filebase64sha256("layer.zip")
  compatible_runtimes = ["nodejs22.x"]
}

resource "aws_lambda_function" "hello" {
  function_name                  = "tf-hello"
  role                           = "arn:aws:iam::000000000000:role/lambda"
  runtime                        = "nodejs22.x"
  handler                        = "index.handler"
  filename                       = "hello.zip"
  source_code_hash               = filebase64sha256("hello.zip")
  layers                         = [aws_lambda_layer_version.words.arn]
  memory_size                    = ${memoryMiB}
  timeout                        = 10
  publish                        = true
  reserved_concurrent_executions = 5
  code_signing_config_arn        = aws_lambda_code_signing_config.warn.arn
  tags                           = { team = "tf" }
  environment {
    variables = { WORD = "${word}" }
  }
  depends_on = [aws_cloudwatch_log_group.hello]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.hello.function_name
  function_version = aws_lambda_function.hello.version
}
`

/** What hangs on the function; each of these differs between the first and the second round. */
const settings = (round: 1 | 2) => `
resource "aws_lambda_permission" "bucket" {
  statement_id   = "bucket"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.hello.function_name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:aws:s3:::bucket-${round}"
  source_account = "000000000000"
}

resource "aws_lambda_permission" "alias" {
  statement_id_prefix = "alias-"
  action              = "lambda:InvokeFunction"
  function_name       = aws_lambda_function.hello.function_name
  qualifier           = aws_lambda_alias.live.name
  principal           = "${round === 1 ? 'arn:aws:iam::123456789012:root' : 'arn:aws:iam::123456789012:role/caller'}"
}

resource "aws_lambda_permission" "url" {
  statement_id           = "url"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.hello.function_name
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_function_url" "own" {
  function_name      = aws_lambda_function.hello.function_name
  authorization_type = "${round === 1 ? 'NONE' : 'AWS_IAM'}"
  cors {
    allow_credentials = true
    allow_origins     = ["https://example.com"]
    allow_methods     = ["GET", "POST"]
    allow_headers     = ["date"]
    expose_headers    = ["keep-alive"]
    max_age           = ${round * 60}
  }
}

resource "aws_lambda_function_url" "alias" {
  function_name      = aws_lambda_function.hello.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = "AWS_IAM"
  invoke_mode        = "${round === 1 ? 'BUFFERED' : 'RESPONSE_STREAM'}"
}

resource "aws_lambda_code_signing_config" "warn" {
  description = "round ${round}"
  tags        = { round = "${round}" }
  allowed_publishers {
    signing_profile_version_arns = ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/team/0123456789"]
  }
  policies {
    untrusted_artifact_on_deployment = "Warn"
  }
}

resource "aws_lambda_runtime_management_config" "hello" {
  function_name     = aws_lambda_function.hello.function_name
  update_runtime_on = "${round === 1 ? 'FunctionUpdate' : 'Auto'}"
}

resource "aws_lambda_function_event_invoke_config" "hello" {
  function_name                = aws_lambda_function.hello.function_name
  maximum_event_age_in_seconds = ${round * 60}
  maximum_retry_attempts       = ${round - 1}
}

resource "aws_lambda_function_recursion_config" "hello" {
  function_name  = aws_lambda_function.hello.function_name
  recursive_loop = "${round === 1 ? 'Allow' : 'Terminate'}"
}

resource "aws_lambda_layer_version_permission" "words" {
  layer_name     = aws_lambda_layer_version.words.layer_arn
  version_number = aws_lambda_layer_version.words.version
  statement_id   = "share-${round}"
  action         = "lambda:GetLayerVersion"
  principal      = "${round === 1 ? '*' : '123456789012'}"
}

resource "aws_lambda_invocation" "hello" {
  function_name   = aws_lambda_function.hello.function_name
  input           = jsonencode({ round = ${round} })
  lifecycle_scope = "CRUD"
}

output "url" {
  value = aws_lambda_function_url.own.function_url
}
output "invocation" {
  value = aws_lambda_invocation.hello.result
}
`

/** All of the provider's data sources on functions, read once everything stands. */
const READS = `
data "aws_lambda_function" "hello" { function_name = "tf-hello" }
data "aws_lambda_functions" "all" {}
data "aws_lambda_alias" "live" {
  function_name = "tf-hello"
  name          = "live"
}
data "aws_lambda_function_url" "own" { function_name = "tf-hello" }
data "aws_lambda_layer_version" "words" { layer_name = "tf-words" }
data "aws_lambda_code_signing_config" "warn" { arn = aws_lambda_code_signing_config.warn.arn }
data "aws_lambda_invocation" "hello" {
  function_name = "tf-hello"
  input         = "{}"
}
output "reads" {
  value = join(" ", [
    data.aws_lambda_function.hello.memory_size,
    data.aws_lambda_function.hello.reserved_concurrent_executions,
    contains(data.aws_lambda_functions.all.function_names, "tf-hello"),
    data.aws_lambda_alias.live.function_version,
    data.aws_lambda_function_url.own.authorization_type,
    tolist(data.aws_lambda_layer_version.words.compatible_runtimes)[0],
    data.aws_lambda_code_signing_config.warn.policies[0].untrusted_artifact_on_deployment,
    data.aws_lambda_invocation.hello.result,
  ])
}
`

export function functionsPart(endpoint: string): Part {
  const lambda = lambdaClient(endpoint)
  const url = new RegExp(
    `^http://[a-z0-9]{32}\\.lambda-url\\.us-east-1\\.localhost:${new URL(endpoint).port}/$`,
  )
  return {
    name: 'functions',
    async prepare(directory) {
      const code = await zipOf({ 'index.mjs': `export const handler = async () => process.env.WORD` })
      writeFileSync(join(directory, 'hello.zip'), code)
      writeFileSync(join(directory, 'layer.zip'), await zipOf({ 'nodejs/words.txt': 'words' }))
    },
    configuration(round) {
      if (round === 1) return configuration('one', 128) + settings(1)
      return configuration('two', 256) + settings(2) + (round === 3 ? READS : '')
    },
    async applied(round, terraform) {
      const answer = await invoke(lambda, 'tf-hello', {}, { Qualifier: 'live' })
      assert.deepEqual([answer.payload, answer.executedVersion], round === 1 ? ['one', '1'] : ['two', '2'])
      if (round === 1) assert.match(await terraform.output('url'), url)
      // With the scope CRUD the provider tells the function about it in the event, so that the answer is the function's own.
      if (round === 2) assert.equal(await terraform.output('invocation'), '"two"')
      if (round === 3) {
        assert.equal(await terraform.output('reads'), '256 5 true 2 AWS_IAM nodejs22.x Warn "two"')
      }
    },
    async destroyed() {
      assert.deepEqual((await lambda.send(new ListFunctionsCommand({}))).Functions, [])
    },
  }
}
