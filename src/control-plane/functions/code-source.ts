/** Where a function's code comes from: the request itself or a bucket. */
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import type { CodePackage } from '#contracts/function.ts'
import { MAX_ZIP_BYTES } from '#contracts/limits.ts'

import type { CodeStore } from '../port.ts'

export interface CodeRequest {
  readonly ZipFile?: Uint8Array | undefined
  readonly S3Bucket?: string | undefined
  readonly S3Key?: string | undefined
  readonly S3ObjectVersion?: string | undefined
  readonly ImageUri?: string | undefined
}

/** Refuses a request that names no code, or more than one place for it. Nothing is fetched yet. */
export function assertCodeSource(request: CodeRequest): void {
  const { ZipFile, S3Bucket, S3Key, S3ObjectVersion } = request
  if (ZipFile !== undefined && (S3Bucket ?? S3Key ?? S3ObjectVersion) !== undefined) {
    // Text from memory of AWS's behaviour, unverified.
    throw invalidParameter('Please do not provide other FunctionCode parameters when providing a ZipFile.')
  }
  if (ZipFile === undefined && (S3Bucket === undefined || S3Key === undefined)) {
    throw invalidParameter('Please provide a source for function code.')
  }
  if (ZipFile !== undefined && ZipFile.byteLength >= MAX_ZIP_BYTES) {
    throw new LambdaError(
      'RequestEntityTooLargeException',
      `Zipped size must be smaller than ${MAX_ZIP_BYTES} bytes`,
      { status: 413 },
    )
  }
}

/** Stores the code that a request names. Storing it twice is storing it once. */
export async function fetchCode(store: CodeStore, request: CodeRequest): Promise<CodePackage> {
  assertCodeSource(request)
  if (request.ZipFile !== undefined) return await store.fromZip(request.ZipFile)
  return await store.fromBucket({
    bucket: request.S3Bucket ?? '',
    key: request.S3Key ?? '',
    ...(request.S3ObjectVersion === undefined ? {} : { version: request.S3ObjectVersion }),
  })
}
