/** PutObject against any S3-compatible endpoint. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

import { LambdaError } from '#contracts/errors.ts'
import {
  objectUrl,
  readText,
  sendToBucket,
  type BucketEndpoint,
} from '#control-plane/artifacts/bucket-request.ts'
import { parseS3Error } from '#control-plane/artifacts/s3-error.ts'
import type { BucketSource } from '#control-plane/port.ts'
import type { Clock } from '#kernel/clock.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import { signRequest } from '#wire/sigv4-sign.ts'

export interface BucketWriter {
  /** Stores the file as an object. Rejects with a `LambdaError` that carries S3's words. */
  put(target: Omit<BucketSource, 'version'>, path: string, signal: AbortSignal): Promise<void>
}

/** The endpoint answers when it has taken the whole object. */
const ANSWER_TIMEOUT_MS = 5 * MINUTE_MS

export function createBucketWriter({
  endpoint,
  clock,
}: {
  readonly endpoint: BucketEndpoint
  readonly clock: Clock
}): BucketWriter {
  return {
    async put(target, path, signal) {
      const url = objectUrl(endpoint, target)
      const { size } = await stat(path)
      const hash = createHash('sha256')
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
      const plain = { 'content-length': String(size), 'content-type': 'application/zip' }
      const { credentials, region } = endpoint
      const headers = credentials
        ? signRequest({
            method: 'PUT',
            url,
            headers: plain,
            payloadHash: hash.digest('hex'),
            credentials,
            region,
            service: 's3',
            nowMs: clock.now(),
          })
        : plain
      const body = createReadStream(path)
      const response = await sendToBucket(url, {
        method: 'PUT',
        headers,
        body,
        signal,
        clock,
        answerTimeoutMs: ANSWER_TIMEOUT_MS,
      })
      const text = await readText(response)
      if (response.statusCode === 200) return
      body.destroy()
      const { code, message } = parseS3Error(response.statusCode ?? 0, text)
      throw new LambdaError(
        code,
        `Error occurred while PutObject. S3 Error Code: ${code}. S3 Error Message: ${message}`,
      )
    },
  }
}
