/** Terraform's AWS provider on IAM, KMS and SNS, with its own look at who it is: apply, an empty plan, a change, destroy. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import {
  GetRoleCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListPoliciesCommand,
  ListRolesCommand,
} from '@aws-sdk/client-iam'
import { DescribeKeyCommand, KMSClient, ListAliasesCommand } from '@aws-sdk/client-kms'
import { GetTopicAttributesCommand, ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns'

import { startProgram, temporaryDirectory } from '../support/program.ts'
import { terraformIn, terraformMissing } from '../support/terraform.ts'

const configuration = (word: string) => `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "function" {
  name                 = "tf-function"
  path                 = "/tf/"
  description          = "${word}"
  max_session_duration = 7200
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = aws_iam_policy.boundary.arn
  tags                 = { word = "${word}" }
}

resource "aws_iam_role_policy" "queue" {
  name = "queue"
  role = aws_iam_role.function.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sqs:SendMessage"], Resource = "arn:aws:sqs:*:*:${word}" }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.function.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy_attachment" "own" {
  role       = aws_iam_role.function.name
  policy_arn = aws_iam_policy.own.arn
}

resource "aws_iam_policy" "own" {
  name        = "tf-own"
  description = "own"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::${word}/*" }]
  })
  tags = { word = "${word}" }
}

resource "aws_iam_policy" "boundary" {
  name = "tf-boundary"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
  })
}

resource "aws_iam_user" "deployer" {
  name          = "tf-deployer"
  force_destroy = true
}

resource "aws_iam_access_key" "deployer" {
  user = aws_iam_user.deployer.name
}

resource "aws_iam_user_policy_attachment" "deployer" {
  user       = aws_iam_user.deployer.name
  policy_arn = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"
}

resource "aws_kms_key" "secrets" {
  description             = "${word}"
  deletion_window_in_days = 7
  enable_key_rotation     = true
  tags                    = { word = "${word}" }
}

resource "aws_kms_alias" "secrets" {
  name          = "alias/tf-secrets"
  target_key_id = aws_kms_key.secrets.key_id
}

resource "aws_sns_topic" "orders" {
  name              = "tf-orders"
  display_name      = "${word}"
  signature_version = 2
  tracing_config    = "Active"
  tags              = { word = "${word}" }
  delivery_policy = jsonencode({
    http = {
      defaultHealthyRetryPolicy = {
        minDelayTarget = 5, maxDelayTarget = 10, numRetries = 4, numMaxDelayRetries = 0
        numNoDelayRetries = 0, numMinDelayRetries = 0, backoffFunction = "linear"
      }
      disableSubscriptionOverrides = false
    }
  })
}

resource "aws_sns_topic" "ordered" {
  name                        = "tf-ordered.fifo"
  fifo_topic                  = true
  content_based_deduplication = true
}

resource "aws_sns_topic_policy" "orders" {
  arn = aws_sns_topic.orders.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid = "${word}", Effect = "Allow", Principal = { Service = "s3.amazonaws.com" }
      Action = "SNS:Publish", Resource = aws_sns_topic.orders.arn
    }]
  })
}

resource "aws_sns_topic_data_protection_policy" "orders" {
  arn    = aws_sns_topic.orders.arn
  policy = jsonencode({ Name = "${word}", Version = "2021-06-01", Statement = [] })
}

resource "aws_sns_topic_subscription" "orders" {
  topic_arn            = aws_sns_topic.orders.arn
  protocol             = "sqs"
  endpoint             = "arn:aws:sqs:us-east-1:000000000000:orders"
  raw_message_delivery = true
  filter_policy_scope  = "MessageBody"
  filter_policy        = jsonencode({ order = { word = ["${word}"] } })
  redrive_policy       = jsonencode({ deadLetterTargetArn = "arn:aws:sqs:us-east-1:000000000000:dead" })
}

output "account" { value = data.aws_caller_identity.me.account_id }
output "key" { value = aws_kms_key.secrets.key_id }
`

test('Terraform applies roles, policies, users, keys and topics, plans nothing, changes, plans nothing, and destroys', async (t) => {
  const missing = terraformMissing()
  if (missing !== undefined) return t.skip(missing)
  const directory = await temporaryDirectory(t)
  const program = await startProgram()
  t.after(() => program.stop())
  const terraform = terraformIn(directory, program.endpoint)
  const common = {
    endpoint: program.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  }
  const iam = new IAMClient(common)
  const kms = new KMSClient(common)
  const sns = new SNSClient(common)

  writeFileSync(join(directory, 'main.tf'), configuration('one'))
  await terraform.init()
  await terraform.apply()
  const role = await iam.send(new GetRoleCommand({ RoleName: 'tf-function' }))
  assert.equal(role.Role?.Arn, 'arn:aws:iam::000000000000:role/tf/tf-function')
  assert.deepEqual(
    role.Role.PermissionsBoundary?.PermissionsBoundaryArn,
    'arn:aws:iam::000000000000:policy/tf-boundary',
  )
  const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: 'tf-function' }))
  assert.equal(attached.AttachedPolicies?.length, 2)
  assert.equal(await terraform.output('account'), '000000000000')
  const key = await terraform.output('key')
  assert.equal(
    (await kms.send(new DescribeKeyCommand({ KeyId: 'alias/tf-secrets' }))).KeyMetadata?.KeyId,
    key,
  )
  await terraform.planNothing()

  writeFileSync(join(directory, 'main.tf'), configuration('two'))
  await terraform.apply()
  assert.equal((await iam.send(new GetRoleCommand({ RoleName: 'tf-function' }))).Role?.Description, 'two')
  const TopicArn = 'arn:aws:sns:us-east-1:000000000000:tf-orders'
  const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }))
  assert.deepEqual([Attributes?.['DisplayName'], Attributes?.['SubscriptionsConfirmed']], ['two', '1'])
  await terraform.planNothing()

  await terraform.destroy()
  assert.deepEqual((await sns.send(new ListTopicsCommand({}))).Topics, [])
  assert.deepEqual((await iam.send(new ListRolesCommand({}))).Roles, [])
  assert.deepEqual((await iam.send(new ListPoliciesCommand({ Scope: 'Local' }))).Policies, [])
  assert.deepEqual((await kms.send(new ListAliasesCommand({}))).Aliases, [])
  assert.equal(
    (await kms.send(new DescribeKeyCommand({ KeyId: key }))).KeyMetadata?.KeyState,
    'PendingDeletion',
  )
})
