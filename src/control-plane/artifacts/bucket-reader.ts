/** GetObject against any S3-compatible endpoint. */
import type { Readable } from 'node:stream'

import {
  objectUrl,
  readText,
  sendToBucket,
  type BucketEndpoint,
} from '#control-plane/artifacts/bucket-request.ts'
import { bucketError, parseS3Error } from '#control-plane/artifacts/s3-error.ts'
import type { BucketSource } from '#control-plane/port.ts'
import type { Clock } from '#kernel/clock.ts'
import { signRequest } from '#wire/sigv4-sign.ts'

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
      const response = await sendToBucket(url, { method: 'GET', headers, signal, clock })
      if (response.statusCode === 200) {
        const length = Number(response.headers['content-length'] ?? Number.NaN)
        return { body: response, sizeBytes: Number.isSafeInteger(length) ? length : undefined }
      }
      throw bucketError(parseS3Error(response.statusCode ?? 0, await readText(response)))
    },
  }
}
