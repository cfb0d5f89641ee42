/** Plans each stored delivery of EventBridge: to a target of a rule, to another bus, or into an archive. */
import type { Scope } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import { archivedKey, archiveKey, busKey, busOf, DEFAULT_BUS, type ArchivedEvent } from '#contracts/events.ts'
import type { ServiceCall, ServiceCalls } from '#contracts/service-calls.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import type { Meta } from '#store/port.ts'

import type { DeadLetter, Plan } from '../outbox/create-dispatcher.ts'
import type { Delivery } from '../outbox/port.ts'
import { DEFAULT_RETRY_POLICY } from '../outbox/retry-policy.ts'
import { deliverToTarget, EVENTS_PRINCIPAL, partsOf, queueUrl } from './deliver-target.ts'
import { put } from './documents.ts'
import type { BusEvent, DeliveryBody } from './ingest.ts'
import { markFired } from './rule-schedules.ts'
import { transformInput } from './transform-input.ts'

/** More buses in a row are taken for a circle. AWS ends circles too, after how many is unverified. */
const MAX_HOPS = 16

type ToTarget = Extract<DeliveryBody, { readonly kind: 'target' }>

const string = (value: string) => ({ DataType: 'String', StringValue: value })

export function createEventPlans(deps: {
  readonly meta: Meta
  readonly calls: ServiceCalls
  readonly clock: Clock
  /** Puts an event onto another bus of this program. */
  readonly take: (events: readonly BusEvent[]) => Promise<void>
}): (body: Json, delivery: Delivery) => Promise<Plan> {
  const { meta, calls, clock, take } = deps

  const archive = async (where: Scope, name: string, text: string) => {
    // Deleted meanwhile.
    if (!(await meta.get(archiveKey(where, name)))) return
    const { id, time } = JSON.parse(text) as { id: string; time: string }
    const doc: ArchivedEvent = { event: text }
    // The same event twice is the same document.
    await meta.txn([put(archivedKey(where, name, Date.parse(time), id), doc)])
  }

  /** Onto a bus of the same account as it is; elsewhere as a client of that account's bus. */
  const toBus = async (body: ToTarget, text: string, signal: AbortSignal) => {
    const { account } = partsOf(body.ruleArn)
    const arn = body.target.Arn ?? ''
    const bus = busOf(arn, { account, region: partsOf(arn).region })
    if (body.hops >= MAX_HOPS)
      throw new LambdaError('TooManyHops', 'The event goes in a circle.', { status: 400 })
    if (bus.account !== account) {
      await putAbroad(body, text, signal)
      return
    }
    if (bus.name !== DEFAULT_BUS && !(await meta.get(busKey(bus, bus.name)))) {
      throw new LambdaError('ResourceNotFoundException', `Event bus ${bus.name} does not exist.`, {
        status: 404,
      })
    }
    await take([{ bus, text, hops: body.hops + 1 }])
  }
  const putAbroad = async ({ ruleArn, target }: ToTarget, text: string, signal: AbortSignal) => {
    const { account } = partsOf(ruleArn)
    const event = JSON.parse(text) as Record<string, string>
    const as = target.RoleArn
      ? {
          roleArn: target.RoleArn,
          sessionName: 'events',
          servicePrincipal: EVENTS_PRINCIPAL,
          sourceArn: ruleArn,
        }
      : { servicePrincipal: EVENTS_PRINCIPAL, sourceArn: ruleArn, sourceAccount: account }
    const entry = {
      EventBusName: target.Arn,
      Source: event['source'],
      DetailType: event['detail-type'],
      Detail: JSON.stringify(event['detail']),
      Resources: event['resources'],
      Time: new Date(event['time'] ?? 0),
    }
    const answer = (await calls.call({
      service: 'events',
      operation: 'PutEvents',
      input: { Entries: [entry] },
      region: partsOf(target.Arn ?? '').region,
      account,
      as,
      signal,
    })) as { readonly Entries?: readonly { readonly ErrorCode?: string; readonly ErrorMessage?: string }[] }
    const failed = answer.Entries?.[0]
    if (failed?.ErrorCode) throw new LambdaError(failed.ErrorCode, failed.ErrorMessage ?? '', { status: 400 })
  }

  const toTarget = async (body: ToTarget, text: string, signal: AbortSignal) => {
    const { target, ruleArn, ruleName, ingestedAt } = body
    if (partsOf(target.Arn ?? '').service === 'events') {
      await toBus(body, text, signal)
      return
    }
    const input = transformInput(target, text, { ruleArn, ruleName, ingestedAt })
    await deliverToTarget(calls, { target, ruleArn, input, nowMs: clock.now() }, signal)
  }

  /** The event itself, and attributes that say what has become of it (user guide, "dead-letter queues"). */
  const deadLetter = (body: ToTarget, queueArn: string, text: string, dead: DeadLetter): ServiceCall => {
    const { account } = partsOf(body.ruleArn)
    return {
      service: 'sqs',
      operation: 'SendMessage',
      region: partsOf(queueArn).region,
      account,
      as: { servicePrincipal: EVENTS_PRINCIPAL, sourceArn: body.ruleArn, sourceAccount: account },
      input: {
        QueueUrl: queueUrl(queueArn),
        MessageBody: text,
        MessageAttributes: {
          RULE_ARN: string(body.ruleArn),
          TARGET_ARN: string(body.target.Arn ?? ''),
          ERROR_CODE: string(dead.failure.code),
          ERROR_MESSAGE: string(dead.failure.message || dead.failure.code),
          ...(dead.exhausted && { EXHAUSTED_RETRY_CONDITION: string(dead.exhausted) }),
          RETRY_ATTEMPTS: string(String(dead.retries)),
        },
      },
    }
  }

  return async (given, { payload, acceptedAt }) => {
    const body = given as unknown as DeliveryBody
    const text = Buffer.from(payload).toString()
    if (body.kind === 'archive') {
      return {
        deliver: () => archive(body, body.archive, text),
        policy: DEFAULT_RETRY_POLICY,
        acceptedAt,
        subject: { archive: body.archive },
      }
    }
    const { target } = body
    const queueArn = target.DeadLetterConfig?.Arn
    return {
      deliver: async (signal) => {
        if (body.scheduled) await markFired(meta, body.scheduled)
        await toTarget(body, text, signal)
      },
      policy: {
        maximumRetryAttempts:
          target.RetryPolicy?.MaximumRetryAttempts ?? DEFAULT_RETRY_POLICY.maximumRetryAttempts,
        maximumEventAgeSeconds:
          target.RetryPolicy?.MaximumEventAgeInSeconds ?? DEFAULT_RETRY_POLICY.maximumEventAgeSeconds,
      },
      acceptedAt,
      ...(queueArn !== undefined && {
        deadLetter: (dead: DeadLetter) => deadLetter(body, queueArn, text, dead),
      }),
      subject: { rule: body.ruleArn, target: target.Arn },
    }
  }
}
