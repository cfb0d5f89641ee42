/** A package that a request names by its place in a bucket, for functions and layers alike. */
import { invalidParameter } from '#contracts/errors.ts'
import type { CodePackage } from '#contracts/function.ts'
import type { PackageSealing } from '#contracts/package-keys.ts'

import type { CodeStore } from '../port.ts'

export interface BucketPackageRequest {
  readonly S3Bucket?: string | undefined
  readonly S3Key?: string | undefined
  readonly S3ObjectVersion?: string | undefined
  readonly S3ObjectStorageMode?: string | undefined
}

/**
 * Stores the package. With the storage mode REFERENCE it belongs to the owner's bucket and does not count as storage of
 * the account; it is copied all the same, so that environments start without the bucket. AWS needs the object's version
 * then (developer guide, "Self-managed S3 code storage"; text unverified).
 */
export async function packageFromBucket(
  store: Pick<CodeStore, 'fromBucket'>,
  { S3Bucket: bucket = '', S3Key: key = '', ...request }: BucketPackageRequest,
  sealing?: PackageSealing,
): Promise<CodePackage & { readonly unzippedBytes: number }> {
  const { S3ObjectVersion: version } = request
  const isReference = request.S3ObjectStorageMode === 'REFERENCE'
  if (isReference && version === undefined) {
    throw invalidParameter('S3ObjectVersion is required when S3ObjectStorageMode is REFERENCE.')
  }
  const stored = await store.fromBucket({ bucket, key, ...(version !== undefined && { version }) }, sealing)
  return isReference && version !== undefined ? { ...stored, reference: { bucket, key, version } } : stored
}

/** What a package counts towards the account's code storage. */
export const countedBytes = ({ reference, sizeBytes }: CodePackage) => (reference ? 0 : sizeBytes)

/** Member `ResolvedS3Object` of the answers that say where a package is; absent for those that are not referenced. */
export const referenceView = ({ reference }: CodePackage) =>
  reference && {
    ResolvedS3Object: {
      S3Bucket: reference.bucket,
      S3Key: reference.key,
      S3ObjectVersion: reference.version,
    },
  }
