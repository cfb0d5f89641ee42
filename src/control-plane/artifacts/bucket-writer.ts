/** PutObject against any S3-compatible endpoint. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'

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
  /** The same with a JSON document. */
  putJson(target: Omit<BucketSource, 'version'>, json: string, signal: AbortSignal): Promise<void>
}

interface Body {
  readonly type: string
  readonly sizeBytes: number
  /** SHA-256, hexadecimal. */
  readonly digest: string
  readonly stream: Readable
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
  const send = async (target: Omit<BucketSource, 'version'>, body: Body, signal: AbortSignal) => {
    const url = objectUrl(endpoint, target)
    const { stream, digest, type, sizeBytes } = body
    const plain = { 'content-length': String(sizeBytes), 'content-type': type }
    const { credentials, region } = endpoint
    const headers = credentials
      ? signRequest({
          method: 'PUT',
          url,
          headers: plain,
          payloadHash: digest,
          credentials,
          region,
          service: 's3',
          nowMs: clock.now(),
        })
      : plain
    const response = await sendToBucket(url, {
      method: 'PUT',
      headers,
      body: stream,
      signal,
      clock,
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
    })
    const text = await readText(response)
    if (response.statusCode === 200) return
    stream.destroy()
    const { code, message } = parseS3Error(response.statusCode ?? 0, text)
    throw new LambdaError(
      code,
      `Error occurred while PutObject. S3 Error Code: ${code}. S3 Error Message: ${message}`,
      { status: response.statusCode },
    )
  }
  return {
    async put(target, path, signal) {
      const { size } = await stat(path)
      const hash = createHash('sha256')
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
      const stream = createReadStream(path)
      await send(
        target,
        { type: 'application/zip', sizeBytes: size, digest: hash.digest('hex'), stream },
        signal,
      )
    },
    async putJson(target, json, signal) {
      const bytes = Buffer.from(json)
      const digest = createHash('sha256').update(bytes).digest('hex')
      const body = {
        type: 'application/json',
        sizeBytes: bytes.byteLength,
        digest,
        stream: Readable.from([bytes]),
      }
      await send(target, body, signal)
    },
  }
}
