/** What SNS has in its outbox: notifications for one subscription each, confirmations, and marks of what was published. */
import type { MessageAttributes } from '../message-attributes.ts'
import type { NewDelivery } from '../../outbox/port.ts'

export interface NotificationHead {
  readonly kind: 'notification'
  readonly account: string
  readonly region: string
  readonly topic: string
  /** Of the subscription. */
  readonly id: string
  readonly messageId: string
  readonly subject?: string
  readonly publishedAt: number
  readonly sequenceNumber?: string
  readonly groupId?: string
  readonly deduplicationId?: string
  readonly traceId?: string
  /** Attempts that failed, of those at the endpoint or, later, of those at the dead-letter queue. */
  readonly failures: number
  /** With which the payload is encrypted: itself encrypted under the topic's KMS key, base64. */
  readonly dataKey?: string
  /** The endpoint has been given up. */
  readonly isDead?: true
  /** It has waited for its moment at an endpoint that takes only so many a second. */
  readonly isPaced?: boolean
}

export interface NotificationBody {
  readonly body: string
  readonly attributes: MessageAttributes
}

/** A message about a subscription itself; the payload is its text. */
export interface ConfirmationHead {
  readonly kind: 'confirmation'
  readonly endpoint: string
  readonly type: 'SubscriptionConfirmation' | 'UnsubscribeConfirmation'
  readonly messageId: string
  readonly topicArn: string
  /** Of ended subscriptions. */
  readonly subscriptionArn?: string
  readonly failures: number
}

/** Says until when a FIFO topic knows a message again; it lies in the outbox so that it is as durable as the message. */
export interface PublishedHead {
  readonly kind: 'published'
  readonly key: string
  readonly messageId: string
  readonly sequenceNumber: string
  readonly until: number
}

export type ItemHead = NotificationHead | ConfirmationHead | PublishedHead

const NOTHING = new Uint8Array()

/** Messages of FIFO topics keep their order within their group, for each subscription. */
export function notificationItem(head: NotificationHead, payload: Uint8Array): NewDelivery {
  const { account, region, topic, id, groupId, sequenceNumber } = head
  const subscription = `${account}/${region}/${topic}/${id}`
  const isOrdered = sequenceNumber !== undefined
  return {
    lane: isOrdered ? `${subscription}/${groupId}` : subscription,
    isOrdered,
    head: { ...head },
    payload,
  }
}

/** The same for all subscriptions that get the same text. */
export const bodyBytes = (body: NotificationBody): Uint8Array => Buffer.from(JSON.stringify(body))

export const confirmationItem = (head: ConfirmationHead, text: string): NewDelivery => ({
  lane: `confirm/${head.endpoint}`,
  head: { ...head },
  payload: Buffer.from(text),
})

/** Stays until FIFO topics need not know the message any more. */
export const publishedItem = (head: PublishedHead): NewDelivery => ({
  lane: 'published',
  about: head.key,
  head: { ...head },
  payload: NOTHING,
  dueAt: head.until,
})

export const readBody = (payload: Uint8Array): NotificationBody =>
  JSON.parse(Buffer.from(payload).toString('utf8')) as NotificationBody
