/** How each kind of target is told: the call of its service. Pure. */
import type { ServiceCall } from '#contracts/service-calls.ts'
import { KIB, MIB } from '#kernel/units.ts'
import { deadLetterAttributes, deadLetterBody } from '#data-plane/destinations/dead-letter.ts'
import { invocationRecord, recordedArn, recordKey } from '#data-plane/destinations/invocation-record.ts'
import { traceOf, type AsyncOutcome } from '#data-plane/destinations/port.ts'

export type Telling = Pick<ServiceCall, 'service' | 'operation' | 'input' | 'region'>

/** An object of a bucket, which is written at the configured endpoint. */
export interface RecordObject {
  readonly bucket: string
  readonly key: string
  readonly body: string
}

interface TargetArn {
  readonly service: string
  readonly region: string
  readonly account: string
  readonly resource: string
}

/** Largest message of each (developer guides of 2026; a topic takes 256 KB). */
const LARGEST: Readonly<Record<string, number>> = {
  sqs: 1 * MIB,
  sns: 256 * KIB,
  lambda: 1 * MIB,
  events: 1 * MIB,
}

export function parseTarget(arn: string): TargetArn | undefined {
  const [start, , service = '', region = '', account = '', ...resource] = arn.split(':')
  if (start !== 'arn' || service === '' || resource.length === 0) return undefined
  return { service, region, account, resource: resource.join(':') }
}

const queueUrl = ({ region, account, resource }: TargetArn) =>
  `https://sqs.${region}.amazonaws.com/${account}/${resource}`
/** Hands the trace on, and with it the count of the rounds of a loop. */
const systemAttributes = (traceId: string | undefined) =>
  traceId !== undefined && {
    MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceId } },
  }

/**
 * The record. What is too large for the target goes without the two payloads (API reference of OnFailure, about topics:
 * "Lambda will drop the payload"; that it is the same for the others is unverified).
 */
function recordFor(outcome: AsyncOutcome, service: string, now: number): string {
  const whole = invocationRecord(outcome, now)
  const largest = LARGEST[service]
  if (largest === undefined || outcome.condition === 'Success') return whole
  return Buffer.byteLength(whole) <= largest
    ? whole
    : invocationRecord(outcome, now, { withoutPayloads: true })
}

/** Undefined when no event can go there as a dead letter. */
export function tellDeadLetter(outcome: AsyncOutcome, arn: string): Telling | undefined {
  const target = parseTarget(arn)
  const attributes = deadLetterAttributes(outcome)
  const body = deadLetterBody(outcome)
  if (target?.service === 'sqs') {
    return {
      service: 'sqs',
      operation: 'SendMessage',
      region: target.region,
      input: {
        QueueUrl: queueUrl(target),
        MessageBody: body,
        MessageAttributes: attributes,
        ...systemAttributes(traceOf(outcome)),
      },
    }
  }
  if (target?.service !== 'sns') return undefined
  return {
    service: 'sns',
    operation: 'Publish',
    region: target.region,
    input: { TopicArn: arn, Message: body, MessageAttributes: attributes },
  }
}

/** Undefined when no record can go there. */
export function tellDestination(
  outcome: AsyncOutcome,
  arn: string,
  { now, uuid }: { readonly now: number; readonly uuid: () => string },
): Telling | RecordObject | undefined {
  const target = parseTarget(arn)
  if (!target) return undefined
  const { service, region } = target
  const record = recordFor(outcome, service, now)
  const traceId = traceOf(outcome)
  switch (service) {
    case 'sqs':
      return {
        service,
        region,
        operation: 'SendMessage',
        input: {
          QueueUrl: queueUrl(target),
          MessageBody: record,
          ...systemAttributes(traceOf(outcome)),
        },
      }
    case 'sns':
      return { service, region, operation: 'Publish', input: { TopicArn: arn, Message: record } }
    case 'lambda':
      return {
        service,
        region,
        operation: 'Invoke',
        input: { FunctionName: arn, InvocationType: 'Event', Payload: Buffer.from(record) },
      }
    case 'events':
      return {
        service,
        region,
        operation: 'PutEvents',
        input: {
          Entries: [
            {
              EventBusName: arn,
              // The developer guide has `aws.lambda`, what is received has this (recorded).
              Source: 'lambda',
              DetailType: `Lambda Function Invocation Result - ${outcome.condition === 'Success' ? 'Success' : 'Failure'}`,
              Detail: record,
              Time: new Date(now - (now % 1000)),
              Resources: [arn, recordedArn(outcome)],
              ...(traceId !== undefined && { TraceHeader: traceId }),
            },
          ],
        },
      }
    case 's3':
      // Buckets keep records of failures only.
      if (outcome.condition === 'Success') return undefined
      return { bucket: target.resource, key: recordKey(outcome, now, uuid()), body: record }
    default:
      return undefined
  }
}
