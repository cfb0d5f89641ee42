/** Where a function's code comes from: the request itself, a bucket, or a registry of container images. */
import type { FunctionId } from '#contracts/arn.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import type { CodePackage, ContainerImage, FunctionVersion } from '#contracts/function.ts'
import { MAX_ZIP_BYTES } from '#contracts/limits.ts'

import type { Principal } from '#wire/service.ts'

import { packageFromBucket } from '../artifacts/bucket-package.ts'
import type { Dependencies } from '../dependencies.ts'
import { fetchImage } from './image.ts'

type PackageType = FunctionVersion['packageType']

export interface CodeRequest {
  readonly ZipFile?: Uint8Array | undefined
  readonly S3Bucket?: string | undefined
  readonly S3Key?: string | undefined
  readonly S3ObjectVersion?: string | undefined
  readonly S3ObjectStorageMode?: string | undefined
  readonly ImageUri?: string | undefined
  readonly SourceKMSKeyArn?: string | undefined
}

/**
 * Refuses a request that names no code, more than one place for it, or the place of the other package type (the texts on
 * images are AWS's of UpdateFunctionCode with another verb, unverified). Nothing is fetched yet.
 */
export function assertCodeSource(request: CodeRequest, packageType: PackageType): void {
  const { ZipFile, S3Bucket, S3Key, S3ObjectVersion, ImageUri } = request
  const inBucket = S3Bucket ?? S3Key ?? S3ObjectVersion ?? request.S3ObjectStorageMode
  if (packageType === 'Image') {
    if (!ImageUri)
      throw invalidParameter('Please provide ImageUri when creating a function with packageType Image.')
    if ((ZipFile ?? inBucket) !== undefined) {
      throw invalidParameter(
        'Please do not provide other FunctionCode parameters when providing an ImageUri.',
      )
    }
    return
  }
  if (ImageUri !== undefined) {
    throw invalidParameter("Please don't provide ImageUri when creating a function with packageType Zip.")
  }
  if (ZipFile !== undefined && inBucket !== undefined) {
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

/** Stores the code that a request names, or finds its image. Storing it twice is storing it once. */
export async function fetchCode(
  dependencies: Pick<Dependencies, 'codeStore' | 'images' | 'imageReaders' | 'packageKeys'>,
  id: FunctionId,
  request: CodeRequest,
  of: Pick<FunctionVersion, 'packageType' | 'architecture'> & { readonly caller: Principal },
): Promise<{ readonly code: CodePackage; readonly image?: ContainerImage }> {
  assertCodeSource(request, of.packageType)
  if (of.packageType === 'Image') return await fetchImage(dependencies, request.ImageUri ?? '', of)
  const { codeStore, packageKeys } = dependencies
  const sealing = request.SourceKMSKeyArn ? await packageKeys.create(id, request.SourceKMSKeyArn) : undefined
  if (request.ZipFile !== undefined) return { code: await codeStore.fromZip(request.ZipFile, sealing) }
  return { code: await packageFromBucket(codeStore, request, sealing) }
}
