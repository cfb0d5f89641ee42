/** How an event reaches a target: which operation of which service, as whom. */
import type { Target } from '@aws-sdk/client-eventbridge'

import type { ActingAs, ServiceCall, ServiceCalls } from '#contracts/service-calls.ts'
import { LambdaError } from '#contracts/errors.ts'

export const EVENTS_PRINCIPAL = 'events.amazonaws.com'

export interface TargetCall {
  readonly target: Target
  readonly ruleArn: string
  /** The target's input. */
  readonly input: string
  readonly nowMs: number
}

export interface ArnParts {
  readonly service: string
  readonly region: string
  readonly account: string
  readonly resource: string
}

export function partsOf(arn: string): ArnParts {
  const [, , service = '', region = '', account = '', ...resource] = arn.split(':')
  return { service, region, account, resource: resource.join(':') }
}

/** Where the queue is for those who know its URL only. */
export function queueUrl(arn: string): string {
  const { region, account, resource } = partsOf(arn)
  return `https://sqs.${region}.amazonaws.com/${account}/${resource}`
}

/** A target's role, else EventBridge itself for the rule. */
export function actingAs(target: Target, ruleArn: string): ActingAs {
  const { account } = partsOf(ruleArn)
  return target.RoleArn === undefined
    ? { servicePrincipal: EVENTS_PRINCIPAL, sourceArn: ruleArn, sourceAccount: account }
    : {
        roleArn: target.RoleArn,
        sessionName: 'events',
        servicePrincipal: EVENTS_PRINCIPAL,
        sourceArn: ruleArn,
      }
}

/** Rejects with what the target says. */
export async function deliverToTarget(
  calls: ServiceCalls,
  { target, ruleArn, input, nowMs }: TargetCall,
  signal: AbortSignal,
): Promise<void> {
  const arn = target.Arn ?? ''
  const { service, region, resource } = partsOf(arn)
  const { account } = partsOf(ruleArn)
  const place = { region, account, as: actingAs(target, ruleArn), signal }
  const call = (operation: string, given: object, name = service) =>
    calls.call({ service: name, operation, input: given, ...place } satisfies ServiceCall)
  switch (service) {
    case 'lambda':
      await call('Invoke', { FunctionName: arn, InvocationType: 'Event', Payload: Buffer.from(input) })
      return
    case 'sqs': {
      const group = target.SqsParameters?.MessageGroupId
      await call('SendMessage', {
        QueueUrl: queueUrl(arn),
        MessageBody: input,
        ...(group !== undefined && { MessageGroupId: group }),
      })
      return
    }
    case 'sns':
      await call('Publish', { TopicArn: arn, Message: input })
      return
    case 'logs':
      await putLogEvent(call, resource, ruleArn, input, nowMs)
      return
    default:
      throw new LambdaError('UnsupportedTarget', `Targets of ${service} can not be reached.`, { status: 501 })
  }
}

/** One stream a day and rule. AWS's own names of streams are random. */
async function putLogEvent(
  call: (operation: string, input: object) => Promise<object>,
  resource: string,
  ruleArn: string,
  message: string,
  timestamp: number,
): Promise<void> {
  const logGroupName = resource.replace(/^log-group:/, '').replace(/:\*$/, '')
  const day = new Date(timestamp).toISOString().slice(0, 10).replaceAll('-', '/')
  const logStreamName = `${day}/${ruleArn.slice(ruleArn.lastIndexOf('/') + 1)}`
  const put = () => call('PutLogEvents', { logGroupName, logStreamName, logEvents: [{ timestamp, message }] })
  try {
    await put()
  } catch (error) {
    if (!(error instanceof LambdaError) || !error.message.includes('stream')) throw error
    try {
      await call('CreateLogStream', { logGroupName, logStreamName })
    } catch (already) {
      if (!(already instanceof LambdaError) || already.code !== 'ResourceAlreadyExistsException')
        throw already
    }
    await put()
  }
}
