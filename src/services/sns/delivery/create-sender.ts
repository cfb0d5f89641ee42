/** Sends a notification: to a queue, a function or an HTTP endpoint, each in its own form. */
import type { ServiceCalls } from '#contracts/service-calls.ts'
import { snsTopicArn, type SnsSubscription, type SnsTopic } from '#contracts/sns.ts'

import { httpDelivery } from '../delivery-policy.ts'
import {
  functionEvent,
  notificationText,
  queueAttributes,
  signedText,
  type Notification,
} from '../envelope.ts'
import type { MessageSigner } from '../message-signer.ts'
import type { NotificationHead } from './item.ts'
import type { HttpSender } from './send-http.ts'
import { resultOfCall, type SendResult } from './send-result.ts'

/** What is to be sent, for whom, and until when. */
export interface Sending {
  readonly head: NotificationHead
  readonly message: Notification
  readonly subscription: SnsSubscription
  readonly signal: AbortSignal
}

export interface Sender {
  toEndpoint(sending: Sending): Promise<SendResult>
  /** To another queue than the subscription's own. */
  toQueue(queueArn: string, sending: Sending): Promise<SendResult>
}

export function createSender(deps: {
  readonly signer: MessageSigner
  readonly calls: ServiceCalls
  readonly http: HttpSender
  readonly topicOf: (subscription: SnsSubscription) => Pick<SnsTopic, 'attributes'>
}): Sender {
  const { signer, calls, http, topicOf } = deps

  const signatureVersion = (subscription: SnsSubscription) =>
    topicOf(subscription).attributes['SignatureVersion'] === '2' ? '2' : '1'

  /** Messages of FIFO topics are not signed (recorded from AWS). */
  const envelope = async (message: Notification, subscription: SnsSubscription) => {
    const { baseUrl } = subscription
    const isSigned = message.sequenceNumber === undefined
    const seal = isSigned
      ? await signer.seal(signedText(message), signatureVersion(subscription), baseUrl)
      : undefined
    return notificationText(message, seal, baseUrl)
  }

  const toQueue: Sender['toQueue'] = async (arn, { head, message, subscription, signal }) => {
    const [, , , region = '', account = '', name = ''] = arn.split(':')
    const isRaw = subscription.attributes['RawMessageDelivery'] === 'true'
    const attributes = isRaw ? queueAttributes(message.attributes) : {}
    // A standard queue takes the group only from a standard topic (recorded from AWS).
    const takesGroup = name.endsWith('.fifo') || message.sequenceNumber === undefined
    const input = {
      QueueUrl: `https://sqs.${region}.amazonaws.com/${account}/${name}`,
      MessageBody: isRaw ? message.body : await envelope(message, subscription),
      ...(Object.keys(attributes).length > 0 && { MessageAttributes: attributes }),
      ...(takesGroup && head.groupId !== undefined && { MessageGroupId: head.groupId }),
      ...(name.endsWith('.fifo') &&
        head.deduplicationId !== undefined && { MessageDeduplicationId: head.deduplicationId }),
      ...(head.traceId !== undefined && {
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: head.traceId } },
      }),
    }
    return await resultOfCall(
      calls.call({
        service: 'sqs',
        operation: 'SendMessage',
        input,
        region,
        account,
        ...actingFor(subscription),
        signal,
      }),
    )
  }

  const toFunction = async ({ head, message, subscription, signal }: Sending) => {
    const { endpoint, baseUrl } = subscription
    const [, , , region = '', account = ''] = endpoint.split(':')
    // Functions get version 1 whatever the topic says (recorded from AWS).
    const seal = await signer.seal(signedText(message), '1', baseUrl)
    const input = {
      FunctionName: endpoint,
      InvocationType: 'Event',
      Payload: Buffer.from(JSON.stringify(functionEvent(message, seal, baseUrl))),
    }
    return await resultOfCall(
      calls.call({
        service: 'lambda',
        operation: 'Invoke',
        input,
        region,
        account,
        ...actingFor(subscription),
        // With it loops of functions and topics are found.
        ...(head.traceId !== undefined && { traceId: head.traceId }),
        signal,
      }),
    )
  }

  const toHttp = async ({ message, subscription, signal }: Sending) => {
    const isRaw = subscription.attributes['RawMessageDelivery'] === 'true'
    return await http.post(
      {
        endpoint: subscription.endpoint,
        type: 'Notification',
        messageId: message.messageId,
        topicArn: message.topicArn,
        subscriptionArn: message.subscriptionArn,
        isRaw,
        contentType: httpDelivery(topicOf(subscription), subscription).contentType,
        body: isRaw ? message.body : await envelope(message, subscription),
      },
      signal,
    )
  }

  const toEndpoint: Sender['toEndpoint'] = (sending) => {
    const { protocol, endpoint } = sending.subscription
    switch (protocol) {
      case 'sqs':
        return toQueue(endpoint, sending)
      case 'lambda':
        return toFunction(sending)
      case 'http':
      case 'https':
        return toHttp(sending)
      default:
        return Promise.resolve({
          kind: 'refused',
          reason: `There is no way to send ${protocol} messages from here`,
        })
    }
  }
  return { toEndpoint, toQueue }
}

const actingFor = (subscription: SnsSubscription) => ({
  as: {
    servicePrincipal: 'sns.amazonaws.com',
    sourceArn: snsTopicArn(subscription, subscription.topic),
    sourceAccount: subscription.account,
  },
})
