/** Plans each stored delivery of a schedule. */
import type { Target } from '@aws-sdk/client-scheduler'

import { LambdaError } from '#contracts/errors.ts'
import type { ServiceCall, ServiceCalls } from '#contracts/service-calls.ts'
import type { Json } from '#kernel/json.ts'
import type { ServiceModel } from '#wire/model.ts'

import type { DeadLetter, Plan } from '../outbox/create-dispatcher.ts'
import type { Delivery } from '../outbox/port.ts'
import { DEFAULT_RETRY_POLICY } from '../outbox/retry-policy.ts'
import type { DeliveryBody } from './schedule-engine.ts'
import { targetCall, timeText, type Occurrence, type TargetCall } from './target-call.ts'

const PRINCIPAL = 'scheduler.amazonaws.com'
const string = (value: string) => ({ DataType: 'String', StringValue: value })

/** The request as text; payloads are texts themselves. */
const requestText = (call: TargetCall | undefined, target: Target) =>
  JSON.stringify(call?.input ?? { Input: target.Input }, (_name, value: unknown) => {
    // Buffers turn themselves into objects before anybody is asked.
    const data = (value as { readonly type?: unknown; readonly data?: unknown } | null) ?? {}
    return data.type === 'Buffer' && Array.isArray(data.data)
      ? Buffer.from(data.data as number[]).toString()
      : value
  })

export function createSchedulePlans(deps: {
  readonly calls: ServiceCalls
  readonly modelOf: (service: string) => ServiceModel | undefined
  readonly markFired: (body: DeliveryBody) => Promise<void>
}): (body: Json, delivery: Delivery) => Promise<Plan> {
  const { calls, modelOf, markFired } = deps

  return async (given, { payload, attempts }) => {
    const body = given as unknown as DeliveryBody
    const target = JSON.parse(Buffer.from(payload).toString()) as Target
    const { scheduleArn, account, region, due, executionId } = body
    const occurrence: Occurrence = {
      scheduleArn,
      account,
      region,
      executionId,
      scheduledAt: due,
      attempt: attempts + 1,
    }
    const as = {
      roleArn: target.RoleArn ?? '',
      sessionName: executionId,
      servicePrincipal: PRINCIPAL,
      sourceArn: scheduleArn,
    }
    const call = targetCall(target, occurrence, modelOf)

    const deliver = async (signal: AbortSignal) => {
      await markFired(body)
      if (!call)
        throw new LambdaError('UnsupportedTarget', `${target.Arn} can not be reached.`, { status: 501 })
      const answer = await calls.call({ ...call, account, as, signal })
      const { Entries } = answer as { Entries?: readonly { ErrorCode?: string; ErrorMessage?: string }[] }
      const failed = call.operation === 'PutEvents' ? Entries?.[0] : undefined
      if (failed?.ErrorCode)
        throw new LambdaError(failed.ErrorCode, failed.ErrorMessage ?? '', { status: 400 })
    }
    /** Attributes of the user guide, "Configuring a dead-letter queue"; the body is the request that failed. */
    const deadLetter = (queueArn: string, dead: DeadLetter): ServiceCall => {
      const [, , , queueRegion = region, owner = account, name = ''] = queueArn.split(':')
      return {
        service: 'sqs',
        operation: 'SendMessage',
        region: queueRegion,
        account,
        as,
        input: {
          QueueUrl: `https://sqs.${queueRegion}.amazonaws.com/${owner}/${name}`,
          MessageBody: requestText(call, target),
          MessageAttributes: {
            ERROR_CODE: string(dead.failure.targetCode ?? dead.failure.code),
            ERROR_MESSAGE: string(dead.failure.message || dead.failure.code),
            EXECUTION_ID: string(executionId),
            ...(dead.exhausted && { EXHAUSTED_RETRY_CONDITION: string(dead.exhausted) }),
            IS_PAYLOAD_TRUNCATED: string('false'),
            RETRY_ATTEMPTS: string(String(dead.retries)),
            SCHEDULED_TIME: string(timeText(due)),
            SCHEDULE_ARN: string(scheduleArn),
            TARGET_ARN: string(target.Arn ?? ''),
          },
        },
      }
    }
    const queueArn = target.DeadLetterConfig?.Arn
    return {
      deliver,
      policy: {
        maximumRetryAttempts:
          target.RetryPolicy?.MaximumRetryAttempts ?? DEFAULT_RETRY_POLICY.maximumRetryAttempts,
        maximumEventAgeSeconds:
          target.RetryPolicy?.MaximumEventAgeInSeconds ?? DEFAULT_RETRY_POLICY.maximumEventAgeSeconds,
      },
      acceptedAt: due,
      ...(queueArn !== undefined && { deadLetter: (dead: DeadLetter) => deadLetter(queueArn, dead) }),
      subject: { schedule: scheduleArn, target: target.Arn },
    }
  }
}
