/** The forms in which messages arrive (recorded from AWS). Pure. */
import { isBinary, type MessageAttributes } from './message-attributes.ts'

/** What an envelope says, whatever its form. */
export interface Notification {
  readonly messageId: string
  readonly topicArn: string
  readonly subscriptionArn: string
  readonly subject: string | undefined
  readonly body: string
  /** Milliseconds since the epoch. */
  readonly publishedAt: number
  readonly attributes: MessageAttributes
  /** FIFO topics only, whose messages are not signed. */
  readonly sequenceNumber: string | undefined
}

export interface Seal {
  readonly version: '1' | '2'
  readonly signature: string
  readonly certificateUrl: string
}

const timestamp = (ms: number) => new Date(ms).toISOString()

/** What is signed of a notification: names and values in turn. */
export function signedText({ body, messageId, subject, publishedAt, topicArn }: Notification): string {
  const parts = ['Message', body, 'MessageId', messageId]
  if (subject !== undefined) parts.push('Subject', subject)
  parts.push('Timestamp', timestamp(publishedAt), 'TopicArn', topicArn, 'Type', 'Notification')
  return parts.map((part) => `${part}\n`).join('')
}

export const unsubscribeUrl = (baseUrl: string, subscriptionArn: string) =>
  `${baseUrl}/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`

/** JSON as AWS sets it: two blanks, and blanks around the colon; attributes on one line each. */
function print(members: readonly (readonly [name: string, value: unknown])[]): string {
  const lines = members.map(([name, value]) => `  ${JSON.stringify(name)} : ${printValue(value)}`)
  return `{\n${lines.join(',\n')}\n}`
}

function printValue(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const lines = Object.entries(value).map(
    ([name, item]) => `    ${JSON.stringify(name)} : ${JSON.stringify(item)}`,
  )
  return `{\n${lines.join(',\n')}\n  }`
}

const attributesView = (attributes: MessageAttributes) =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { type, value }]) => [name, { Type: type, Value: value }]),
  )

/** For queues, and for HTTP. */
export function notificationText(message: Notification, seal: Seal | undefined, baseUrl: string): string {
  const { messageId, sequenceNumber, topicArn, subject, body, publishedAt, attributes } = message
  const hasAttributes = Object.keys(attributes).length > 0
  return print([
    ['Type', 'Notification'],
    ['MessageId', messageId],
    ...(sequenceNumber === undefined ? [] : ([['SequenceNumber', sequenceNumber]] as const)),
    ['TopicArn', topicArn],
    ...(subject === undefined ? [] : ([['Subject', subject]] as const)),
    ['Message', body],
    ['Timestamp', timestamp(publishedAt)],
    ...(seal
      ? ([
          ['SignatureVersion', seal.version],
          ['Signature', seal.signature],
          ['SigningCertURL', seal.certificateUrl],
        ] as const)
      : []),
    ['UnsubscribeURL', unsubscribeUrl(baseUrl, message.subscriptionArn)],
    ...(hasAttributes ? ([['MessageAttributes', attributesView(attributes)]] as const) : []),
  ])
}

/** The event of a function. */
export function functionEvent(message: Notification, seal: Seal, baseUrl: string): object {
  const { messageId, topicArn, subscriptionArn, subject, body, publishedAt, attributes } = message
  return {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: subscriptionArn,
        Sns: {
          Type: 'Notification',
          MessageId: messageId,
          TopicArn: topicArn,
          Subject: subject ?? null,
          Message: body,
          Timestamp: timestamp(publishedAt),
          SignatureVersion: seal.version,
          Signature: seal.signature,
          SigningCertUrl: seal.certificateUrl,
          UnsubscribeUrl: unsubscribeUrl(baseUrl, subscriptionArn),
          MessageAttributes: attributesView(attributes),
        },
      },
    ],
  }
}

/** Attributes of a raw message in a queue: SQS's own form. */
export function queueAttributes(attributes: MessageAttributes): Record<string, object> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [
      name,
      isBinary(attribute)
        ? { DataType: attribute.type, BinaryValue: Buffer.from(attribute.value, 'base64') }
        : { DataType: attribute.type, StringValue: attribute.value },
    ]),
  )
}

/** A message about a subscription itself. */
export interface Confirmation {
  readonly type: 'SubscriptionConfirmation' | 'UnsubscribeConfirmation'
  readonly messageId: string
  readonly token: string
  readonly topicArn: string
  readonly subscriptionArn: string
  readonly sentAt: number
  readonly baseUrl: string
}

const subscribeUrl = ({ baseUrl, topicArn, token }: Confirmation) =>
  `${baseUrl}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=${token}`

const confirmationBody = ({ type, topicArn, subscriptionArn }: Confirmation) =>
  type === 'SubscriptionConfirmation'
    ? `You have chosen to subscribe to the topic ${topicArn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`
    : `You have chosen to deactivate subscription ${subscriptionArn}.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.`

export function signedConfirmationText(message: Confirmation): string {
  const { messageId, sentAt, token, topicArn, type } = message
  const parts = ['Message', confirmationBody(message), 'MessageId', messageId]
  parts.push('SubscribeURL', subscribeUrl(message), 'Timestamp', timestamp(sentAt), 'Token', token)
  parts.push('TopicArn', topicArn, 'Type', type)
  return parts.map((part) => `${part}\n`).join('')
}

export function confirmationText(message: Confirmation, seal: Seal): string {
  return print([
    ['Type', message.type],
    ['MessageId', message.messageId],
    ['Token', message.token],
    ['TopicArn', message.topicArn],
    ['Message', confirmationBody(message)],
    ['SubscribeURL', subscribeUrl(message)],
    ['Timestamp', timestamp(message.sentAt)],
    ['SignatureVersion', seal.version],
    ['Signature', seal.signature],
    ['SigningCertURL', seal.certificateUrl],
  ])
}
