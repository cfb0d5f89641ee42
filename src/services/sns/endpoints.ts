/** Which endpoints a topic takes: by protocol, with SNS's words for others (recorded from AWS unless said). Pure. */
import type { SnsProtocol, SnsTopic } from '#contracts/sns.ts'

import { invalid, invalidParameter } from './sns-errors.ts'
import { isLargeMessageTopic } from './topic-attributes.ts'

const PROTOCOLS: ReadonlySet<string> = new Set<SnsProtocol>([
  'sqs',
  'lambda',
  'http',
  'https',
  'email',
  'email-json',
  'sms',
])
const QUEUE = /^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}(?:\.fifo)?$/
const FUNCTION =
  /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,140}(?::[A-Za-z0-9$_-]{1,128})?$/
const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/
const PHONE = /^\+?[0-9]{1,3}[0-9./ -]{3,17}$/

const isProtocol = (text: string): text is SnsProtocol => PROTOCOLS.has(text)

/** Mobile push and Firehose are not among them. Throws InvalidParameter. */
export function readEndpoint(topic: SnsTopic, protocol: string, endpoint: string): SnsProtocol {
  if (!isProtocol(protocol)) {
    throw invalidParameter(`Amazon SNS does not support this protocol string: ${protocol}`)
  }
  check(topic, protocol, endpoint)
  if (topic.isFifo && protocol !== 'sqs') {
    // Text unverified.
    throw invalidParameter('Invalid parameter: Endpoint Reason: Please use FIFO SQS queue')
  }
  if (protocol !== 'sqs' && protocol !== 'lambda' && isLargeMessageTopic(topic)) {
    // From SNS's guide, "Publishing large messages"; text unverified.
    throw invalidParameter(
      `Protocol Reason: Topics with MaximumMessageSize above 262144 do not support ${protocol} subscriptions`,
    )
  }
  return protocol
}

function check(topic: SnsTopic, protocol: SnsProtocol, endpoint: string): void {
  switch (protocol) {
    case 'sqs':
      if (!QUEUE.test(endpoint)) throw invalidParameter('SQS endpoint ARN')
      if (endpoint.endsWith('.fifo') && !topic.isFifo) {
        throw invalidParameter(
          'Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics',
        )
      }
      return
    case 'lambda':
      // Text unverified.
      if (!FUNCTION.test(endpoint)) throw invalidParameter('Lambda endpoint ARN')
      return
    case 'http':
    case 'https':
      if (!endpoint.startsWith(`${protocol}://`) || !URL.canParse(endpoint))
        throw invalidParameter('Endpoint must match the specified protocol')
      return
    case 'email':
    case 'email-json':
      // Text as clients report it.
      if (!EMAIL.test(endpoint)) throw invalidParameter('Email address')
      return
    case 'sms':
      if (!PHONE.test(endpoint) || /[./ -]{2}|[./ -]$/.test(endpoint))
        throw invalid(`Invalid SMS endpoint: ${endpoint}`)
      return
  }
}
