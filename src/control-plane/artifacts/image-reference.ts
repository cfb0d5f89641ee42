/** Container images by their names alone: nothing asks a registry here. */
import { invalidParameter } from '#contracts/errors.ts'

import type { ImageFinder } from '../port.ts'

/** `registry/repository:tag@sha256:digest`; a repository has at least two parts. Source: the OCI distribution specification. */
const REFERENCE =
  /^(?<repository>[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d{1,5})?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+)(?::(?<tag>\w[\w.-]{0,127}))?(?:@sha256:(?<digest>[a-f0-9]{64}))?$/

/** Finds whatever is named as an image is named; its digest is known when the name holds it. */
export function createImageNames(): ImageFinder {
  return {
    async find(uri) {
      const groups = REFERENCE.exec(uri)?.groups
      // Text as clients have reported it from AWS.
      if (!groups) {
        throw invalidParameter(`Source image ${uri} is not valid. Provide a valid source image.`)
      }
      const { repository, digest } = groups
      return digest === undefined ? {} : { digest, resolvedUri: `${repository}@sha256:${digest}` }
    },
  }
}
