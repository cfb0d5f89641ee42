/** GetObject against any S3-compatible endpoint. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'

import { serviceFailure } from '#contracts/errors.ts'
import { bucketError, parseS3Error } from '#control-plane/artifacts/s3-error.ts'
import type { BucketSource } from '#control-plane/port.ts'
import type { Clock } from '#kernel/clock.ts'
import { KIB } from '#kernel/units.ts'

export interface BucketEndpoint {
  /** `https://s3.eu-central-1.amazonaws.com` or `http://127.0.0.1:9000`, without a path. */
  readonly url: string
  /** True: the bucket is the first part of the path. False: it is the first label of the host name. */
  readonly pathStyle: boolean
}

/** What is signed. `path` is encoded already, and S3 signs it as it is. */
export interface UnsignedRequest {
  readonly method: 'GET'
  readonly host: string
  readonly path: string
  /** Not encoded. */
  readonly query: readonly (readonly [string, string])[]
}
/** Answers the headers to add (`authorization`, `x-amz-date`, ...) for a request without a body. */
export type SignRequest = (request: UnsignedRequest) => Readonly<Record<string, string>>

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
  sign,
  clock,
}: {
  readonly endpoint: BucketEndpoint
  /** Undefined: requests go unsigned, for public buckets. */
  readonly sign: SignRequest | undefined
  readonly clock: Clock
}): BucketReader {
  const base = new URL(endpoint.url)
  return {
    async open(source, signal) {
      const { host, path } = address(base, endpoint.pathStyle, source)
      const query = source.version === undefined ? [] : [['versionId', source.version] as const]
      const headers = { host, ...sign?.({ method: 'GET', host, path, query }) }
      const search = query.map(([name, value]) => `${name}=${encodeSegment(value)}`).join('&')
      const response = await send(base, search === '' ? path : `${path}?${search}`, headers, {
        signal,
        clock,
      })
      if (response.statusCode === 200) {
        const length = Number(response.headers['content-length'])
        return { body: response, sizeBytes: Number.isSafeInteger(length) ? length : undefined }
      }
      throw bucketError(parseS3Error(response.statusCode ?? 0, await readText(response)))
    },
  }
}

/** As SigV4 wants it: everything but the unreserved characters. */
const encodeSegment = (text: string) =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )

function address(base: URL, pathStyle: boolean, { bucket, key }: BucketSource) {
  const object = key.split('/').map(encodeSegment).join('/')
  return pathStyle
    ? { host: base.host, path: `/${encodeSegment(bucket)}/${object}` }
    : { host: `${bucket}.${base.host}`, path: `/${object}` }
}

function send(
  base: URL,
  path: string,
  headers: Readonly<Record<string, string>>,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
): Promise<IncomingMessage> {
  const host = headers['host'] ?? base.host
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      cancelTimeout()
      reject(serviceFailure(`The S3 endpoint ${base.origin} did not answer`, cause))
    }
    const request = (base.protocol === 'https:' ? httpsRequest : httpRequest)(
      {
        // The path is passed as it is: a URL would resolve `..` in a key and break the signature.
        host: new URL(`${base.protocol}//${host}`).hostname.replaceAll(/^\[|\]$/g, ''),
        port: base.port,
        path,
        headers,
        signal,
        agent: false,
      },
      (response) => {
        cancelTimeout()
        resolve(response)
      },
    )
    const cancelTimeout = clock.after(ANSWER_TIMEOUT_MS, () =>
      request.destroy(new Error(`No answer within ${ANSWER_TIMEOUT_MS} ms`)),
    )
    request.on('error', fail)
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
