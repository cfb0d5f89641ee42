/** GetObject against any S3-compatible endpoint. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'

import { serviceFailure } from '#contracts/errors.ts'
import { bucketError, parseS3Error } from '#control-plane/artifacts/s3-error.ts'
import type { BucketSource } from '#control-plane/port.ts'
import type { Clock } from '#kernel/clock.ts'
import { KIB } from '#kernel/units.ts'
import { signRequest, type SigningCredentials } from '#wire/sigv4-sign.ts'
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

export interface BucketReader {
  /**
   * The object's bytes; the caller consumes or destroys them. `sizeBytes` is what the endpoint announced, if it did.
   * Rejects with the `LambdaError` in which AWS passes S3's error on. `signal` ends the transfer too.
   */
  open(
    source: BucketSource,
    signal: AbortSignal,
  ): Promise<{ readonly body: Readable; readonly sizeBytes: number | undefined }>
}

/** Time until the endpoint answers. The transfer itself has the caller's deadline. */
const ANSWER_TIMEOUT_MS = 30_000
const MAX_ERROR_BODY_BYTES = 64 * KIB

export function createBucketReader({
  endpoint,
  clock,
}: {
  readonly endpoint: BucketEndpoint
  readonly clock: Clock
}): BucketReader {
  return {
    async open(source, signal) {
      const url = objectUrl(endpoint, source)
      const { credentials, region } = endpoint
      const headers = credentials
        ? signRequest({ method: 'GET', url, credentials, region, service: 's3', nowMs: clock.now() })
        : {}
      const response = await send(url, headers, { signal, clock })
      if (response.statusCode === 200) {
        const length = Number(response.headers['content-length'] ?? Number.NaN)
        return { body: response, sizeBytes: Number.isSafeInteger(length) ? length : undefined }
      }
      throw bucketError(parseS3Error(response.statusCode ?? 0, await readText(response)))
    },
  }
}

function objectUrl(endpoint: BucketEndpoint, { bucket, key, version }: BucketSource): URL {
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

function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { headers, signal, agent: false } as const
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response) => {
      cancelTimeout()
      resolve(response)
    })
    const cancelTimeout = clock.after(ANSWER_TIMEOUT_MS, () =>
      request.destroy(new Error(`No answer within ${ANSWER_TIMEOUT_MS} ms`)),
    )
    request.on('error', (cause) => {
      cancelTimeout()
      reject(serviceFailure(`The S3 endpoint ${url.origin} did not answer`, cause))
    })
    request.end()
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > MAX_ERROR_BODY_BYTES) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
