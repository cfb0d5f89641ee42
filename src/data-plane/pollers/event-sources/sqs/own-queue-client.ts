/** Queues of this program, polled without a connection and as the role of the mapping's function, as AWS's pollers are. */
import { functionArn, type FunctionId } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { ServiceCalls } from '#contracts/service-calls.ts'

import {
  DEFAULT_VISIBILITY_SECONDS,
  QueueError,
  type QueueClient,
  type QueueMessage,
} from './queue-client.ts'

/** What the operations answer, as far as it is read here. */
interface Answers {
  readonly GetQueueAttributes: { readonly Attributes?: Readonly<Record<string, string>> }
  readonly ReceiveMessage: { readonly Messages?: readonly Received[] }
  readonly DeleteMessageBatch: { readonly Failed?: readonly { readonly Id: string }[] }
}
type Received = Omit<QueueMessage, 'MessageAttributes'> & {
  readonly MessageAttributes?: Readonly<
    Record<
      string,
      { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: Uint8Array }
    >
  >
}

export function createOwnQueueClient(options: {
  readonly calls: ServiceCalls
  readonly region: string
  readonly id: FunctionId
  /** ARN of the function's role; undefined while there is no such function. */
  readonly role: () => Promise<string | undefined>
}): QueueClient {
  const { calls, region, id, role } = options

  const call = async <Operation extends keyof Answers>(
    operation: Operation,
    input: object,
    signal?: AbortSignal,
  ): Promise<Answers[Operation]> => {
    const roleArn = await role()
    if (roleArn === undefined) throw new QueueError('NoRole', `The function ${id.name} has no role`)
    try {
      const answer = await calls.call({
        service: 'sqs',
        operation,
        input,
        region,
        account: id.account,
        as: {
          roleArn,
          sessionName: id.name,
          servicePrincipal: 'lambda.amazonaws.com',
          sourceArn: functionArn(id),
        },
        ...(signal && { signal }),
      })
      return answer as Answers[Operation]
    } catch (error) {
      throw error instanceof LambdaError ? new QueueError(error.code, error.message) : error
    }
  }

  return {
    // Not asked for: roles for pollers need not allow that (AWSLambdaSQSQueueExecutionRole does not).
    queueUrl: async (name, account) => `/${account}/${name}`,
    async visibilityTimeoutSeconds(QueueUrl, signal) {
      const input = { QueueUrl, AttributeNames: ['VisibilityTimeout'] }
      const { Attributes } = await call('GetQueueAttributes', input, signal)
      return Number(Attributes?.['VisibilityTimeout'] ?? DEFAULT_VISIBILITY_SECONDS)
    },
    async receive(QueueUrl, { max, waitSeconds }, signal) {
      const input = {
        QueueUrl,
        MaxNumberOfMessages: max,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }
      const { Messages = [] } = await call('ReceiveMessage', input, signal)
      return Messages.map(inText)
    },
    async remove(QueueUrl, receipts) {
      const Entries = receipts.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }))
      const { Failed = [] } = await call('DeleteMessageBatch', { QueueUrl, Entries })
      const failed = new Set(Failed.map(({ Id }) => Id))
      return receipts.filter((_receipt, index) => failed.has(String(index)))
    },
    close() {},
  }
}

/** With binary values in base64, as they are in events. */
function inText(message: Received): QueueMessage {
  const { MessageAttributes, ...rest } = message
  if (!MessageAttributes) return rest
  const attributes = Object.entries(MessageAttributes).map(([name, { BinaryValue, ...value }]) => [
    name,
    { ...value, ...(BinaryValue && { BinaryValue: Buffer.from(BinaryValue).toString('base64') }) },
  ])
  return { ...rest, MessageAttributes: Object.fromEntries(attributes) }
}
