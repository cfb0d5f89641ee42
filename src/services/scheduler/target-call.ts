/**
 * What a schedule calls: the templated targets and universal ones, `arn:aws:scheduler:::aws-sdk:service:operation`. Pure.
 * Source: "Managing targets" of the scheduler's user guide.
 */
import type { Target } from '@aws-sdk/client-scheduler'

import type { ServiceModel } from '#wire/model.ts'

import { fromJson } from './from-json.ts'
import { validation } from './scheduler-errors.ts'

export interface TargetCall {
  readonly service: string
  readonly operation: string
  readonly region: string
  readonly input: object
}

/** One attempt of one time. */
export interface Occurrence {
  readonly scheduleArn: string
  readonly account: string
  readonly region: string
  readonly scheduledAt: number
  readonly executionId: string
  /** From 1. */
  readonly attempt: number
}

const UNIVERSAL = /^arn:aws[a-z-]*:scheduler:::aws-sdk:([a-z0-9-]+):([a-zA-Z0-9]+)$/
/** Names that the SDK has for services, where they are not those of the signature. */
const SERVICES: Readonly<Record<string, string>> = { eventbridge: 'events', cloudwatchlogs: 'logs' }
/** Operations that read are refused. */
const READS =
  /^(?:get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate|batchGet|batchDescribe|batchRead|transactGet|adminGet|adminList|testMigration|retrieve|testConnection|translateDocument|isAuthorized|invokeModel)/

/** Throws ValidationException; texts unverified. */
export function checkTarget({ Arn = '', Input, EventBridgeParameters, SqsParameters }: Target): void {
  const universal = UNIVERSAL.exec(Arn)
  if (universal) {
    if (READS.test(universal[2] ?? '')) throw validation(`The action ${universal[2]} is not supported.`)
    if (Input !== undefined && !isObjectText(Input)) throw validation('Input must be well-formed JSON.')
    return
  }
  if (!/^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:.+$/.test(Arn)) {
    throw validation(`Provided Arn is not in correct format.`)
  }
  const service = Arn.split(':')[2]
  if (service === 'events' && !EventBridgeParameters)
    throw validation('EventBridgeParameters must be specified.')
  if (service === 'sqs' && Arn.endsWith('.fifo') && !SqsParameters?.MessageGroupId) {
    throw validation('SqsParameters.MessageGroupId must be specified for FIFO queues.')
  }
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value)
  } catch {
    return false
  }
}

export const timeText = (atMs: number) => `${new Date(atMs).toISOString().slice(0, 19)}Z`

/** Context attributes are filled in wherever they stand. */
function filled(text: string, { scheduleArn, scheduledAt, executionId, attempt }: Occurrence): string {
  const values: Readonly<Record<string, string>> = {
    'schedule-arn': scheduleArn,
    'scheduled-time': timeText(scheduledAt),
    'execution-id': executionId,
    'attempt-number': String(attempt),
  }
  return text.replaceAll(/<aws\.scheduler\.([a-z-]+)>/g, (whole, name: string) => values[name] ?? whole)
}

/** What a target gets that was given no input. */
const notice = (occurrence: Occurrence) =>
  JSON.stringify({
    version: '0',
    id: occurrence.executionId,
    'detail-type': 'Scheduled Event',
    source: 'aws.scheduler',
    account: occurrence.account,
    time: timeText(occurrence.scheduledAt),
    region: occurrence.region,
    resources: [occurrence.scheduleArn],
    detail: '{}',
  })

/** Undefined: no such target can be reached. */
export function targetCall(
  target: Target,
  occurrence: Occurrence,
  modelOf: (service: string) => ServiceModel | undefined,
): TargetCall | undefined {
  const arn = target.Arn ?? ''
  const universal = UNIVERSAL.exec(arn)
  if (universal) return universalCall(universal[1] ?? '', universal[2] ?? '', target, occurrence, modelOf)
  const [, , service = '', region = '', account = '', ...rest] = arn.split(':')
  const input = target.Input === undefined ? notice(occurrence) : filled(target.Input, occurrence)
  switch (service) {
    case 'lambda':
      return {
        service,
        operation: 'Invoke',
        region,
        input: { FunctionName: arn, InvocationType: 'Event', Payload: Buffer.from(input) },
      }
    case 'sqs': {
      const group = target.SqsParameters?.MessageGroupId
      const QueueUrl = `https://sqs.${region}.amazonaws.com/${account}/${rest.join(':')}`
      return {
        service,
        operation: 'SendMessage',
        region,
        input: { QueueUrl, MessageBody: input, ...(group !== undefined && { MessageGroupId: group }) },
      }
    }
    case 'sns':
      return { service, operation: 'Publish', region, input: { TopicArn: arn, Message: input } }
    case 'events': {
      const { DetailType, Source } = target.EventBridgeParameters ?? {}
      const Detail = target.Input === undefined ? '{}' : input
      return {
        service,
        operation: 'PutEvents',
        region,
        input: { Entries: [{ EventBusName: arn, DetailType, Source, Detail }] },
      }
    }
    default:
      return undefined
  }
}

function universalCall(
  sdkService: string,
  action: string,
  target: Target,
  occurrence: Occurrence,
  modelOf: (service: string) => ServiceModel | undefined,
): TargetCall | undefined {
  const service = SERVICES[sdkService] ?? sdkService
  const model = modelOf(service)
  const wanted = action.toLowerCase()
  const operation = Object.keys(model?.operations ?? {}).find((name) => name.toLowerCase() === wanted)
  if (!model || operation === undefined) return undefined
  const shape = model.operations[operation]?.input
  const given = JSON.parse(filled(target.Input ?? '{}', occurrence)) as unknown
  const input = shape === undefined ? {} : (fromJson(model, shape, given) as object)
  return { service, operation, region: occurrence.region, input }
}
