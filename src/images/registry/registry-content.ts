/** The registry's content as the ECR API reads and changes it. */
import { LambdaError } from '#contracts/errors.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Blobs } from '#store/port.ts'

import { ImageRefused } from '../image-refused.ts'
import type { RegistryContent } from '../port.ts'
import { imageOf } from './pushed-image.ts'
import { readWhole } from './read-blob.ts'
import { RegistryError } from './registry-error.ts'
import type { Repositories } from './repositories.ts'

export function createRegistryContent({
  repositories,
  blobs,
  clock,
}: {
  readonly repositories: Repositories
  readonly blobs: Blobs
  readonly clock: Pick<Clock, 'now'>
}): RegistryContent {
  return {
    image: repositories.image,
    blobBytes: repositories.blobBytes,
    deleteImage: repositories.deleteImage,
    deleteTag: repositories.deleteTag,
    async manifest({ digest }) {
      return (await readWhole(blobs, digest.slice('sha256:'.length))).toString()
    },
    async putImage(repository, { manifest, mediaType, tag }) {
      const bytes = Buffer.from(manifest)
      try {
        const { image, kind } = imageOf(bytes, mediaType, clock.now())
        await blobs.put(image.digest.slice('sha256:'.length), bytes)
        await repositories.putImage(repository, image, kind, tag)
        return image
      } catch (error) {
        throw apiError(error)
      }
    },
  }
}

function apiError(error: unknown): unknown {
  const failed = (code: string, message: string) => new LambdaError(code, message, { status: 400 })
  if (error instanceof ImageRefused) {
    return failed(
      'InvalidParameterException',
      `Invalid parameter at 'ImageManifest' failed to satisfy constraint: '${error.message}'`,
    )
  }
  if (!(error instanceof RegistryError)) return error
  if (error.code === 'TAG_INVALID') return failed('ImageTagAlreadyExistsException', error.message)
  if (error.code !== 'MANIFEST_BLOB_UNKNOWN') return failed('ServerException', error.message)
  return failed(
    error.message.startsWith('Images') ? 'ReferencedImagesNotFoundException' : 'LayersNotFoundException',
    error.message,
  )
}
