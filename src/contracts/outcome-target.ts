/** What the outcomes of asynchronous invocations can be sent to, and which request of which service does it. */

export interface OutcomeTarget {
  /** Of the ARN: `sqs`, `sns`, `lambda`, `events`, `s3`. */
  readonly service: string
  readonly region: string
  readonly account: string
  readonly resource: string
}

export function parseOutcomeTarget(arn: string): OutcomeTarget | undefined {
  const [start, , service = '', region = '', account = '', ...resource] = arn.split(':')
  if (start !== 'arn' || service === '' || resource.length === 0) return undefined
  return { service, region, account, resource: resource.join(':') }
}

export interface TargetRequest {
  readonly service: string
  readonly operation: string
  readonly region: string
  /** The members that name the target; the rest is what is sent. */
  readonly input: Readonly<Record<string, unknown>>
}

/** Undefined for buckets, and for what is no target. */
export function targetRequest(arn: string): TargetRequest | undefined {
  const target = parseOutcomeTarget(arn)
  if (!target) return undefined
  const { service, region, account, resource } = target
  switch (service) {
    case 'sqs':
      return {
        service,
        region,
        operation: 'SendMessage',
        input: { QueueUrl: `https://sqs.${region}.amazonaws.com/${account}/${resource}` },
      }
    case 'sns':
      return { service, region, operation: 'Publish', input: { TopicArn: arn } }
    case 'lambda':
      return { service, region, operation: 'Invoke', input: { FunctionName: arn, InvocationType: 'Event' } }
    case 'events':
      return { service, region, operation: 'PutEvents', input: { Entries: [{ EventBusName: arn }] } }
    default:
      return undefined
  }
}
