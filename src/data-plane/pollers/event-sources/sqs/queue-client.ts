/** The few operations of SQS that a poller needs, over AWS JSON 1.0, against any compatible endpoint. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

import type { Clock } from '#kernel/clock.ts'
import { MIB } from '#kernel/units.ts'
import { signRequest, type SigningCredentials } from '#wire/sigv4-sign.ts'

export interface MessageAttribute {
  readonly DataType?: string
  readonly StringValue?: string
  /** Base64. */
  readonly BinaryValue?: string
}

/** As SQS answers it. */
export interface QueueMessage {
  readonly MessageId: string
  readonly ReceiptHandle: string
  readonly Body: string
  readonly MD5OfBody?: string
  readonly MD5OfMessageAttributes?: string
  readonly Attributes?: Readonly<Record<string, string>>
  readonly MessageAttributes?: Readonly<Record<string, MessageAttribute>>
}

/** What the endpoint refuses, by SQS's name of the error. */
export class QueueError extends Error {
  override readonly name = 'QueueError'
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export interface QueueClient {
  queueUrl(name: string, account: string, signal: AbortSignal): Promise<string>
  visibilityTimeoutSeconds(queueUrl: string, signal: AbortSignal): Promise<number>
  /** Up to ten messages; waits up to `waitSeconds` for the first one. */
  receive(
    queueUrl: string,
    wanted: { readonly max: number; readonly waitSeconds: number },
    signal: AbortSignal,
  ): Promise<readonly QueueMessage[]>
  /** Up to ten receipts. Resolves with those that could not be deleted. */
  remove(queueUrl: string, receipts: readonly string[]): Promise<readonly string[]>
  close(): void
}

export interface QueueEndpoint {
  /** `https://sqs.eu-central-1.amazonaws.com` or `http://127.0.0.1:9324`. */
  readonly url: string
  /** Undefined: requests go unsigned. */
  readonly credentials: SigningCredentials | undefined
}

const ANSWER_TIMEOUT_MS = 15_000
/** Ten messages of the largest size, with the rest of the answer. */
const MAX_ANSWER_BYTES = 16 * MIB
/** Connections of one region's client. A receiver that waits for messages holds one; beyond these they take turns. */
const MAX_SOCKETS = 2048

type Json = Readonly<Record<string, unknown>>

/** One client serves all queues of a region. */
export function createQueueClient(options: {
  readonly endpoint: QueueEndpoint
  readonly region: string
  readonly clock: Clock
}): QueueClient {
  const { endpoint, region, clock } = options
  const url = new URL(endpoint.url)
  const isHttps = url.protocol === 'https:'
  const agent = new (isHttps ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: MAX_SOCKETS })
  const send = isHttps ? httpsRequest : httpRequest

  const call = (operation: string, input: Json, waitMs: number, signal?: AbortSignal) =>
    new Promise<Json>((resolve, reject) => {
      const body = Buffer.from(JSON.stringify(input))
      const plain = {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${operation}`,
        'content-length': String(body.byteLength),
      }
      const { credentials } = endpoint
      const headers = credentials
        ? signRequest({
            method: 'POST',
            url,
            headers: plain,
            body,
            credentials,
            region,
            service: 'sqs',
            nowMs: clock.now(),
          })
        : plain
      const request = send(url, { method: 'POST', headers, agent, ...(signal && { signal }) }, (response) => {
        const chunks: Buffer[] = []
        let sizeBytes = 0
        response.on('data', (chunk: Buffer) => {
          sizeBytes += chunk.byteLength
          if (sizeBytes > MAX_ANSWER_BYTES) request.destroy(new Error('The answer of the queue is too large'))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => {
          cancelTimeout()
          try {
            resolve(answerOf(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')))
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        })
      })
      const timeoutMs = waitMs + ANSWER_TIMEOUT_MS
      let cancelTimeout = () => {}
      // Waiting for a connection is no fault of the service.
      request.once('socket', () => {
        cancelTimeout = clock.after(timeoutMs, () =>
          request.destroy(new Error(`The queue did not answer within ${timeoutMs} ms`)),
        )
      })
      request.on('error', (error) => {
        cancelTimeout()
        reject(error)
      })
      request.end(body)
    })

  return {
    async queueUrl(name, account, signal) {
      const answer = await call(
        'GetQueueUrl',
        { QueueName: name, QueueOwnerAWSAccountId: account },
        0,
        signal,
      )
      return textOf(answer['QueueUrl'])
    },
    async visibilityTimeoutSeconds(queueUrl, signal) {
      const input = { QueueUrl: queueUrl, AttributeNames: ['VisibilityTimeout'] }
      const { Attributes } = await call('GetQueueAttributes', input, 0, signal)
      const seconds = Number((Attributes as Json | undefined)?.['VisibilityTimeout'])
      return Number.isInteger(seconds) ? seconds : DEFAULT_VISIBILITY_SECONDS
    },
    async receive(queueUrl, { max, waitSeconds }, signal) {
      const input = {
        QueueUrl: queueUrl,
        MaxNumberOfMessages: max,
        WaitTimeSeconds: waitSeconds,
        // The older name too, for servers that do not know the newer one.
        MessageSystemAttributeNames: ['All'],
        AttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }
      const { Messages } = await call('ReceiveMessage', input, waitSeconds * 1000, signal)
      return Array.isArray(Messages) ? Messages.filter(isMessage) : []
    },
    async remove(queueUrl, receipts) {
      const Entries = receipts.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }))
      const { Failed } = await call('DeleteMessageBatch', { QueueUrl: queueUrl, Entries }, 0)
      if (!Array.isArray(Failed)) return []
      const failed = new Set(Failed.map((entry: unknown) => String((entry as Json)['Id'])))
      return receipts.filter((_receipt, index) => failed.has(String(index)))
    },
    close: () => agent.destroy(),
  }
}

/** SQS's own default. */
export const DEFAULT_VISIBILITY_SECONDS = 30

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error('The answer of the queue lacks a text')
  return value
}

const isMessage = (value: unknown): value is QueueMessage => {
  const message = value as Partial<Record<string, unknown>> | null
  return (
    typeof message?.['MessageId'] === 'string' &&
    typeof message['ReceiptHandle'] === 'string' &&
    typeof message['Body'] === 'string'
  )
}

function answerOf(status: number, text: string): Json {
  let json: Json = {}
  try {
    const parsed: unknown = text === '' ? {} : JSON.parse(text)
    if (parsed !== null && typeof parsed === 'object') json = parsed as Json
  } catch {
    throw new QueueError('InvalidAnswer', `The queue answered ${status} with something that is no JSON`)
  }
  if (status === 200) return json
  const code = typeof json['__type'] === 'string' ? json['__type'].split('#').at(-1) : undefined
  const message = json['message'] ?? json['Message']
  throw new QueueError(code ?? `HTTP${status}`, typeof message === 'string' ? message : `Status ${status}`)
}
