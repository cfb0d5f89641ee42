/** Reads the ARNs in requests, and refuses others as SNS does. */
import type { Scope } from '#contracts/arn.ts'
import type { RequestContext } from '#wire/service.ts'

import { invalidParameter, missing, notAuthorized } from './sns-errors.ts'

/** Who asks; anonymous are those who follow the links in messages, which nobody has signed. */
export type Asker = Pick<RequestContext, 'region' | 'account' | 'principal' | 'isAuthorised'> & {
  readonly isAnonymous?: true
}

export interface TopicName extends Scope {
  readonly name: string
}

export interface SubscriptionName extends Scope {
  readonly topic: string
  readonly id: string
}

const ACCOUNT = /^\d{12}$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
export const TOPIC_NAME = /^[A-Za-z0-9_-]{1,256}$|^[A-Za-z0-9_-]{1,251}\.fifo$/

function parts(parameter: string, text: string): readonly string[] {
  const elements = text.split(':')
  if (elements.length < 6) {
    throw invalidParameter(
      `${parameter} Reason: An ARN must have at least 6 elements, not ${elements.length}`,
    )
  }
  return elements
}

/** `context.region` must be the topic's; another account's topic needs somebody who has asked its policy. */
export function readTopicArn(
  text: string | undefined,
  context: Asker,
  operation: string,
  parameter = 'TopicArn',
): TopicName {
  const elements = parts(parameter, text ?? '')
  const [, , service, region = '', account = '', name = ''] = elements
  if (
    service !== 'sns' ||
    elements.length > 6 ||
    region !== context.region ||
    !ACCOUNT.test(account) ||
    !TOPIC_NAME.test(name)
  ) {
    throw invalidParameter(parameter)
  }
  refuseStranger({ account, context, operation, arn: text ?? '' })
  return { account, region, name }
}

export function readSubscriptionArn(
  text: string | undefined,
  context: Asker,
  operation: string,
): SubscriptionName {
  if (text === undefined || text === '') throw missing('SubscriptionArn')
  const elements = parts('SubscriptionArn', text)
  const [, , service, region = '', account = '', topic = '', id = ''] = elements
  if (service !== 'sns' || region !== context.region || !ACCOUNT.test(account) || !TOPIC_NAME.test(topic))
    throw invalidParameter('SubscriptionArn')
  if (elements.length !== 7 || !UUID.test(id)) throw invalidParameter('SubscriptionId')
  refuseStranger({ account, context, operation, arn: text })
  return { account, region, topic, id }
}

function refuseStranger(request: {
  readonly account: string
  readonly context: Asker
  readonly operation: string
  readonly arn: string
}): void {
  const { account, context, operation, arn } = request
  if (account !== context.account && !context.isAuthorised)
    throw notAuthorized(context.principal.arn, operation, arn)
}
