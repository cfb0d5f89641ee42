/** Posts a message to an endpoint of a customer. Headers recorded from AWS. */
import { Agent as HttpAgent, request as httpRequest, type ClientRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'

import { lookupWithin, type Reach } from './reachable.ts'
import type { SendResult } from './send-result.ts'

export interface Posting {
  readonly endpoint: string
  readonly type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation'
  readonly messageId: string
  readonly topicArn: string
  readonly subscriptionArn: string | undefined
  readonly isRaw: boolean
  readonly contentType: string
  readonly body: string
}

export interface HttpSender {
  post(posting: Posting, signal: AbortSignal): Promise<SendResult>
  close(): void
}

/** An endpoint that has not answered after this long has failed (SNS's guide). */
const TIMEOUT_MS = 15_000
const MAX_SOCKETS = 16
const MAX_FREE_SOCKETS = 64

export function createHttpSender({ reach }: { readonly reach: Reach }): HttpSender {
  const lookup = lookupWithin(reach)
  const pool = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_FREE_SOCKETS }
  const http = new HttpAgent(pool)
  const https = new HttpsAgent(pool)
  return {
    post: (posting, signal) =>
      new Promise((resolve) => {
        const url = new URL(posting.endpoint)
        const address = url.hostname.replace(/^\[(.*)\]$/, '$1')
        if (isIP(address) !== 0 && !reach(address)) {
          resolve({ kind: 'refused', reason: `${address} is an address that topics do not reach` })
          return
        }
        const deadline = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
        const options = { method: 'POST', headers: headersOf(posting, url), signal: deadline, lookup }
        const isSecure = url.protocol === 'https:'
        const request: ClientRequest = isSecure
          ? httpsRequest(url, { ...options, agent: https })
          : httpRequest(url, { ...options, agent: http })
        request.once('error', (error) => resolve({ kind: 'failed', reason: error.message }))
        request.once('response', (response) => {
          // What it says does not matter; a body that never ends meets the deadline.
          response.resume()
          response.once('error', () => {})
          resolve(resultOf(response.statusCode ?? 0))
        })
        request.end(posting.body)
      }),
    close() {
      http.destroy()
      https.destroy()
    },
  }
}

function headersOf(posting: Posting, url: URL): Record<string, string | number> {
  const { username, password } = url
  url.username = ''
  url.password = ''
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    'x-amz-sns-message-type': posting.type,
    'x-amz-sns-message-id': posting.messageId,
    'x-amz-sns-topic-arn': posting.topicArn,
    ...(posting.subscriptionArn !== undefined && { 'x-amz-sns-subscription-arn': posting.subscriptionArn }),
    ...(posting.isRaw && { 'x-amz-sns-rawdelivery': 'true' }),
    'Content-Length': Buffer.byteLength(posting.body),
    'Content-Type': posting.contentType,
    'User-Agent': 'Amazon Simple Notification Service Agent',
    'Accept-Encoding': 'gzip,deflate',
    ...(username !== '' && { Authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
  }
}

/** Errors of the client are final, those of the server and throttles are not (SNS's guide, "Message delivery retries"). */
function resultOf(status: number): SendResult {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const reason = `The endpoint answered ${status}`
  return status >= 300 && status < 500 && status !== 429
    ? { kind: 'refused', reason }
    : { kind: 'failed', reason }
}
