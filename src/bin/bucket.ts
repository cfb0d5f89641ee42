/** The configured S3-compatible endpoint, for those who read code packages from buckets and those who write them. */
import { createBucketReader, type BucketReader } from '#control-plane/artifacts/bucket-reader.ts'
import { createBucketWriter, type BucketWriter } from '#control-plane/artifacts/bucket-writer.ts'
import type { Settings } from '#bin/settings.ts'
import type { Clock } from '#kernel/clock.ts'

/** Undefined when none is configured: then no bucket exists. */
export function createBucket(settings: Settings, clock: Clock): (BucketReader & BucketWriter) | undefined {
  const url = settings['s3-endpoint']
  if (!url) return undefined
  const accessKeyId = settings['s3-access-key-id']
  const endpoint = {
    url,
    region: settings['s3-region'],
    // Every S3-compatible server takes paths; only AWS's own prefers host names, and takes paths as well.
    pathStyle: true,
    credentials: accessKeyId ? { accessKeyId, secret: settings['s3-secret-access-key'] } : undefined,
  }
  return { ...createBucketReader({ endpoint, clock }), ...createBucketWriter({ endpoint, clock }) }
}
