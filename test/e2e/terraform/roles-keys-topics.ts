/** Roles, policies, users, keys and topics, and Terraform's own look at who it is. */
import assert from 'node:assert/strict'

import {
  GetRoleCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListPoliciesCommand,
  ListRolesCommand,
} from '@aws-sdk/client-iam'
import { DescribeKeyCommand, KMSClient, ListAliasesCommand } from '@aws-sdk/client-kms'
import { GetTopicAttributesCommand, ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns'

import type { Part } from './part.ts'

const configuration = (word: string) => `
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

export function rolesKeysTopicsPart(endpoint: string): Part {
  const common = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  }
  const iam = new IAMClient(common)
  const kms = new KMSClient(common)
  const sns = new SNSClient(common)
  let key = ''
  return {
    name: 'roles-keys-topics',
    configuration: (round) => configuration(round === 1 ? 'one' : 'two'),
    async applied(round, terraform) {
      const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'tf-function' }))
      assert.equal(Role?.Description, round === 1 ? 'one' : 'two')
      assert.equal(Role.Arn, 'arn:aws:iam::000000000000:role/tf/tf-function')
      const boundary = Role.PermissionsBoundary?.PermissionsBoundaryArn
      assert.equal(boundary, 'arn:aws:iam::000000000000:policy/tf-boundary')
      const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: 'tf-function' }))
      assert.equal(attached.AttachedPolicies?.length, 2)
      const TopicArn = 'arn:aws:sns:us-east-1:000000000000:tf-orders'
      const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }))
      assert.equal(Attributes?.['DisplayName'], round === 1 ? 'one' : 'two')
      assert.equal(Attributes['SubscriptionsConfirmed'], '1')
      if (round > 1) return
      assert.equal(await terraform.output('account'), '000000000000')
      key = await terraform.output('key')
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/tf-secrets' }))
      assert.equal(KeyMetadata?.KeyId, key)
    },
    async destroyed() {
      assert.deepEqual((await sns.send(new ListTopicsCommand({}))).Topics, [])
      assert.deepEqual((await iam.send(new ListRolesCommand({}))).Roles, [])
      assert.deepEqual((await iam.send(new ListPoliciesCommand({ Scope: 'Local' }))).Policies, [])
      assert.deepEqual((await kms.send(new ListAliasesCommand({}))).Aliases, [])
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: key }))
      assert.equal(KeyMetadata?.KeyState, 'PendingDeletion')
    },
  }
}
