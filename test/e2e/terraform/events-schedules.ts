/** Buses, rules, targets, archives, and schedules in groups. */
import assert from 'node:assert/strict'

import { EventBridgeClient, ListEventBusesCommand, ListRulesCommand } from '@aws-sdk/client-eventbridge'
import { ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler'

import type { Part } from './part.ts'

const configuration = (word: string) => `
resource "aws_cloudwatch_event_bus" "orders" {
  name        = "tf-orders"
  description = "${word}"
  tags        = { word = "${word}" }
}

resource "aws_cloudwatch_event_permission" "orders" {
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  principal      = "111122223333"
  statement_id   = "${word}"
}

resource "aws_cloudwatch_event_archive" "orders" {
  name             = "tf-orders"
  event_source_arn = aws_cloudwatch_event_bus.orders.arn
  retention_days   = 7
  event_pattern    = jsonencode({ source = ["${word}"] })
}

resource "aws_cloudwatch_event_rule" "orders" {
  name           = "tf-orders"
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  event_pattern  = jsonencode({ source = ["${word}"], detail = { amount = [{ numeric = [">", 10] }] } })
  tags           = { word = "${word}" }
}

resource "aws_cloudwatch_event_target" "orders" {
  rule           = aws_cloudwatch_event_rule.orders.name
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  target_id      = "queue"
  arn            = "arn:aws:sqs:us-east-1:000000000000:orders"
  input_transformer {
    input_paths    = { amount = "$.detail.amount" }
    input_template = jsonencode({ amount = "<amount>", word = "${word}" })
  }
  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 3
  }
  dead_letter_config { arn = "arn:aws:sqs:us-east-1:000000000000:dead" }
}

resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "tf-nightly"
  description         = "${word}"
  schedule_expression = "cron(0 3 * * ? *)"
  state               = "DISABLED"
}

resource "aws_scheduler_schedule_group" "jobs" {
  name = "tf-jobs"
  tags = { word = "${word}" }
}

resource "aws_scheduler_schedule" "job" {
  name                         = "tf-job"
  group_name                   = aws_scheduler_schedule_group.jobs.name
  description                  = "${word}"
  schedule_expression          = "cron(0 8 ? * MON-FRI *)"
  schedule_expression_timezone = "Europe/Berlin"
  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }
  target {
    arn      = "arn:aws:sqs:us-east-1:000000000000:orders"
    role_arn = "arn:aws:iam::000000000000:role/tf-scheduler"
    input    = jsonencode({ word = "${word}" })
    retry_policy { maximum_retry_attempts = 2 }
  }
}
`

export function eventsSchedulesPart(endpoint: string): Part {
  const common = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  }
  const events = new EventBridgeClient(common)
  const scheduler = new SchedulerClient(common)
  const wordOf = (round: number) => (round === 1 ? 'one' : 'two')
  return {
    name: 'events-schedules',
    configuration: (round) => configuration(wordOf(round)),
    async applied(round) {
      const { Rules } = await events.send(new ListRulesCommand({ EventBusName: 'tf-orders' }))
      assert.ok(Rules?.[0]?.EventPattern?.includes(`"${wordOf(round)}"`))
      const { Schedules } = await scheduler.send(new ListSchedulesCommand({ GroupName: 'tf-jobs' }))
      assert.deepEqual(
        Schedules?.map(({ Name }) => Name),
        ['tf-job'],
      )
    },
    async destroyed() {
      assert.equal((await events.send(new ListEventBusesCommand({}))).EventBuses?.length, 1)
      assert.deepEqual((await scheduler.send(new ListSchedulesCommand({}))).Schedules, [])
    },
  }
}
