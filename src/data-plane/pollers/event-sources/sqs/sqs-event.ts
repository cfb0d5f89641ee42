/** Messages of a queue as the function sees them. Pure. Form recorded from AWS. */
import type { MessageAttribute, QueueMessage } from './queue-client.ts'

const attributeOf = ({ StringValue, BinaryValue, DataType }: MessageAttribute) => ({
  ...(StringValue !== undefined && { stringValue: StringValue }),
  ...(BinaryValue !== undefined && { binaryValue: BinaryValue }),
  stringListValues: [],
  binaryListValues: [],
  dataType: DataType,
})

/** One element of the event's `Records`. */
export function recordOf(message: QueueMessage, arn: string) {
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, attributeOf(value)]),
    ),
    ...(message.MD5OfMessageAttributes !== undefined && {
      md5OfMessageAttributes: message.MD5OfMessageAttributes,
    }),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    awsRegion: arn.split(':')[3] ?? '',
  }
}

export type SqsRecord = ReturnType<typeof recordOf>

/** Payloads of at most `maxBytes`, each with the messages that it holds, in their order. */
export function payloadsOf(
  messages: readonly { readonly message: QueueMessage; readonly record: SqsRecord }[],
  maxBytes: number,
): readonly { readonly payload: Buffer; readonly messages: readonly QueueMessage[] }[] {
  const payloads: { payload: Buffer; messages: QueueMessage[] }[] = []
  let texts: string[] = []
  let held: QueueMessage[] = []
  let sizeBytes = 0
  const flush = () => {
    if (held.length === 0) return
    payloads.push({ payload: Buffer.from(`{"Records":[${texts.join(',')}]}`), messages: held })
    texts = []
    held = []
    sizeBytes = 0
  }
  for (const { message, record } of messages) {
    const text = JSON.stringify(record)
    const textBytes = Buffer.byteLength(text) + 1
    if (sizeBytes + textBytes + ENVELOPE_BYTES > maxBytes) flush()
    texts.push(text)
    held.push(message)
    sizeBytes += textBytes
  }
  flush()
  return payloads
}

const ENVELOPE_BYTES = '{"Records":[]}'.length
