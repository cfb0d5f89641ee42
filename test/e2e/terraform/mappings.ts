/** Terraform's `aws_lambda_event_source_mapping` of queues, streams and Kafka, and its `aws_sqs_queue`. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { ListEventSourceMappingsCommand, type EventSourceMappingConfiguration } from '@aws-sdk/client-lambda'
import { CreateQueueCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs'

import { lambdaClient, zipOf } from '../../support/clients.ts'
import type { Part } from './part.ts'

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000'
const STREAM = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'
const CLUSTER = 'arn:aws:kafka:us-east-1:000000000000:cluster/c/11f04185-8ff8-4e0a-a903-2245da2e6433-5'
const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000'

const FUNCTIONS = `
resource "aws_lambda_function" "sink" {
  for_each         = toset(["one", "two"])
  function_name    = "sink-\${each.key}"
  role             = "arn:aws:iam::000000000000:role/lambda"
  runtime          = "nodejs22.x"
  handler          = "index.handler"
  filename         = "sink.zip"
  source_code_hash = filebase64sha256("sink.zip")
}
`

/** One alone, whose dead-letter queue is there already: the provider waits half a minute for each after the other. */
const ORDERS = `
resource "aws_sqs_queue" "orders" {
  name                       = "orders.fifo"
  fifo_queue                 = true
  deduplication_scope        = "messageGroup"
  fifo_throughput_limit      = "perMessageGroupId"
  visibility_timeout_seconds = 45
  message_retention_seconds  = 86400
  receive_wait_time_seconds  = 5
  tags                       = { team = "blue" }
  redrive_policy = jsonencode({
    deadLetterTargetArn = "${QUEUE}:letters.fifo"
    maxReceiveCount     = 4
  })
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "${QUEUE}:orders.fifo"
    }]
  })
}
`

/** Each mapping differs between the first and the second round; "defaults" leaves out what it can. */
const mappings = (round: 1 | 2) => `
resource "aws_lambda_event_source_mapping" "defaults" {
  event_source_arn = "${QUEUE}:defaults"
  function_name    = aws_lambda_function.sink["one"].function_name
  enabled          = ${round === 1}
}

resource "aws_lambda_event_source_mapping" "queue" {
  event_source_arn                   = "${QUEUE}:orders"
  function_name                      = aws_lambda_function.sink["${round === 1 ? 'one' : 'two'}"].arn
  batch_size                         = ${round === 1 ? 10 : 100}
  maximum_batching_window_in_seconds = ${round}
  tags                               = { round = "${round}" }
  ${
    round === 1
      ? `function_response_types = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = 5
  }
  filter_criteria {
    filter {
      pattern = jsonencode({ body = { price = [{ numeric = [">", 100] }] } })
    }
  }
  metrics_config {
    metrics = ["EventCount"]
  }`
      : `provisioned_poller_config {
    minimum_pollers = 2
    maximum_pollers = 10
  }`
  }
}

resource "aws_lambda_event_source_mapping" "stream" {
  event_source_arn               = "${STREAM}"
  function_name                  = aws_lambda_function.sink["one"].arn
  starting_position              = "TRIM_HORIZON"
  batch_size                     = ${round * 100}
  parallelization_factor         = ${round}
  maximum_retry_attempts         = ${round - 1}
  maximum_record_age_in_seconds  = ${round === 1 ? -1 : 60}
  bisect_batch_on_function_error = ${round === 2}
  tumbling_window_in_seconds     = ${round * 30}
  destination_config {
    on_failure {
      destination_arn = "${QUEUE}:failed-${round}"
    }
  }
}

resource "aws_lambda_event_source_mapping" "table" {
  event_source_arn            = "${TABLE}"
  function_name               = aws_lambda_function.sink["one"].arn
  starting_position           = "LATEST"
  batch_size                  = ${round * 50}
}

resource "aws_lambda_event_source_mapping" "kafka" {
  function_name     = aws_lambda_function.sink["one"].arn
  topics            = ["orders"]
  starting_position = "TRIM_HORIZON"
  batch_size        = ${round === 1 ? 100 : 999}
  enabled           = ${round === 1}
  self_managed_event_source {
    endpoints = {
      KAFKA_BOOTSTRAP_SERVERS = "b.example.org:9092,a.example.org:9092"
    }
  }
  self_managed_kafka_event_source_config {
    consumer_group_id = "orders-group"
  }
  source_access_configuration {
    type = "VPC_SUBNET"
    uri  = "subnet:subnet-1"
  }
  source_access_configuration {
    type = "VPC_SECURITY_GROUP"
    uri  = "security_group:sg-${round}"
  }
}

resource "aws_lambda_event_source_mapping" "msk" {
  event_source_arn  = "${CLUSTER}"
  function_name     = aws_lambda_function.sink["one"].arn
  topics            = ["orders"]
  starting_position = "LATEST"
  provisioned_poller_config {
    maximum_pollers = ${round * 10}
    minimum_pollers = 1
  }
}
`

export function mappingsPart(endpoint: string): Part {
  const lambda = lambdaClient(endpoint)
  const sqs = new SQSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const listed = async () =>
    (await lambda.send(new ListEventSourceMappingsCommand({}))).EventSourceMappings ?? []
  const ofQueue = (mappingsNow: readonly EventSourceMappingConfiguration[]) =>
    mappingsNow.find((mapping) => mapping.EventSourceArn === `${QUEUE}:orders`)
  let first: readonly EventSourceMappingConfiguration[] = []
  return {
    name: 'mappings',
    async prepare(directory) {
      const zip = await zipOf({ 'index.mjs': 'export const handler = async () => {}' })
      writeFileSync(join(directory, 'sink.zip'), zip)
      const Attributes = { FifoQueue: 'true' }
      await sqs.send(new CreateQueueCommand({ QueueName: 'letters.fifo', Attributes }))
    },
    configuration: (round) => FUNCTIONS + ORDERS + mappings(round === 1 ? 1 : 2),
    async applied(round) {
      const now = await listed()
      const queue = ofQueue(now)
      if (round === 1) {
        first = now
        assert.equal(now.length, 6)
        assert.deepEqual(queue?.ScalingConfig, { MaximumConcurrency: 5 })
        return
      }
      assert.deepEqual(
        now.map(({ UUID }) => UUID),
        first.map(({ UUID }) => UUID),
        'all of them were changed in place',
      )
      assert.deepEqual(
        [queue?.ScalingConfig, queue?.FilterCriteria, queue?.FunctionResponseTypes, queue?.FunctionArn],
        [undefined, undefined, [], 'arn:aws:lambda:us-east-1:000000000000:function:sink-two'],
      )
    },
    async destroyed() {
      assert.deepEqual(await listed(), [])
      const left = (await sqs.send(new ListQueuesCommand({}))).QueueUrls
      assert.deepEqual(left, [`${endpoint}/000000000000/letters.fifo`])
    },
  }
}
