/** What reading from and writing to an S3-compatible endpoint have in common. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'

import { serviceFailure } from '#contracts/errors.ts'
import { bucketError } from '#control-plane/artifacts/s3-error.ts'
import type { BucketSource } from '#control-plane/port.ts'
import type { Clock } from '#kernel/clock.ts'
import { KIB } from '#kernel/units.ts'
import type { SigningCredentials } from '#wire/sigv4-sign.ts'
import { encodeRfc3986 } from '#wire/sigv4.ts'

export interface BucketEndpoint {
  /** `https://s3.eu-central-1.amazonaws.com` or `http://127.0.0.1:9000`, without a path. */
  readonly url: string
  readonly region: string
  /** True: the bucket is the first part of the path. False: it is the first label of the host name. */
  readonly pathStyle: boolean
  /** Undefined: requests go unsigned, for public buckets. */
  readonly credentials: SigningCredentials | undefined
}

/** Time until the endpoint answers. The transfer itself has the caller's deadline. */
const ANSWER_TIMEOUT_MS = 30_000
const MAX_ERROR_BODY_BYTES = 64 * KIB

export function objectUrl(endpoint: BucketEndpoint, { bucket, key, version }: BucketSource): URL {
  const base = new URL(endpoint.url)
  const object = key.split('/').map(encodeRfc3986).join('/')
  const path = endpoint.pathStyle ? `/${encodeRfc3986(bucket)}/${object}` : `/${object}`
  const host = endpoint.pathStyle ? base.host : `${bucket}.${base.host}`
  const url = new URL(`${base.protocol}//${host}${path}`)
  // A URL resolves `.` and `..` in a key, which would ask for another object.
  if (url.pathname !== path) {
    throw bucketError({ code: 'NoSuchKey', message: 'The specified key does not exist.' })
  }
  if (version !== undefined) url.search = `?versionId=${encodeRfc3986(version)}`
  return url
}

/** `body` is sent as it is; its length stands in the headers. */
export function sendToBucket(
  url: URL,
  {
    method,
    headers,
    body,
    signal,
    clock,
    answerTimeoutMs = ANSWER_TIMEOUT_MS,
  }: {
    readonly method: 'GET' | 'PUT'
    readonly headers: Readonly<Record<string, string>>
    readonly body?: Readable
    readonly signal: AbortSignal
    readonly clock: Clock
    readonly answerTimeoutMs?: number
  },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, signal, agent: false } as const
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response) => {
      cancelTimeout()
      resolve(response)
    })
    const cancelTimeout = clock.after(answerTimeoutMs, () =>
      request.destroy(new Error(`No answer within ${answerTimeoutMs} ms`)),
    )
    request.on('error', (cause) => {
      cancelTimeout()
      body?.destroy()
      reject(serviceFailure(`The S3 endpoint ${url.origin} did not answer`, cause))
    })
    if (!body) {
      request.end()
      return
    }
    body.on('error', (error) => request.destroy(error))
    body.pipe(request)
  })
}

export async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > MAX_ERROR_BODY_BYTES) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
