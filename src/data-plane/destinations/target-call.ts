/** How each kind of target is told: the call of its service. Pure. */
import { parseOutcomeTarget, targetRequest } from '#contracts/outcome-target.ts'
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

/** Largest message of each (developer guides of 2026; a topic takes 256 KB). */
const LARGEST: Readonly<Record<string, number>> = {
  sqs: 1 * MIB,
  sns: 256 * KIB,
  lambda: 1 * MIB,
  events: 1 * MIB,
}

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
  const request = targetRequest(arn)
  if (!request) return undefined
  const attributes = { MessageAttributes: deadLetterAttributes(outcome) }
  const text = deadLetterBody(outcome)
  if (request.service === 'sqs') {
    const input = {
      ...request.input,
      MessageBody: text,
      ...attributes,
      ...systemAttributes(traceOf(outcome)),
    }
    return { ...request, input }
  }
  if (request.service !== 'sns') return undefined
  return { ...request, input: { ...request.input, Message: text, ...attributes } }
}

/** What is sent beside the members that name the target. */
function contentOf(outcome: AsyncOutcome, service: string, arn: string, now: number): object {
  const record = recordFor(outcome, service, now)
  const traceId = traceOf(outcome)
  if (service === 'sqs') return { MessageBody: record, ...systemAttributes(traceId) }
  if (service === 'sns') return { Message: record }
  if (service === 'lambda') return { Payload: Buffer.from(record) }
  const entry = {
    EventBusName: arn,
    // The developer guide has `aws.lambda`, what is received has this (recorded).
    Source: 'lambda',
    DetailType: `Lambda Function Invocation Result - ${outcome.condition === 'Success' ? 'Success' : 'Failure'}`,
    Detail: record,
    Time: new Date(now - (now % 1000)),
    Resources: [arn, recordedArn(outcome)],
    ...(traceId !== undefined && { TraceHeader: traceId }),
  }
  return { Entries: [entry] }
}

/** Undefined when no record can go there. */
export function tellDestination(
  outcome: AsyncOutcome,
  arn: string,
  { now, uuid }: { readonly now: number; readonly uuid: () => string },
): Telling | RecordObject | undefined {
  const request = targetRequest(arn)
  if (request) {
    return { ...request, input: { ...request.input, ...contentOf(outcome, request.service, arn, now) } }
  }
  const target = parseOutcomeTarget(arn)
  // Buckets keep records of failures only.
  if (target?.service !== 's3' || outcome.condition === 'Success') return undefined
  return {
    bucket: target.resource,
    key: recordKey(outcome, now, uuid()),
    body: invocationRecord(outcome, now),
  }
}
