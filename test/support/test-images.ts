/** Images that are whatever their names say: nothing is fetched, and a tag can be moved. */
import { createHash } from 'node:crypto'

import { invalidParameter } from '#contracts/errors.ts'
import type { Images } from '#images/port.ts'
import { byDigest, parseReference } from '#images/reference.ts'

export interface TestImages extends Pick<Images, 'resolve'> {
  /** From now on every tag means something else. */
  moveTags(): void
}

export function createTestImages(): TestImages {
  let generation = 0
  return {
    async resolve(uri, { architecture }) {
      const reference = parseReference(uri)
      if (!reference)
        throw invalidParameter(`Source image ${uri} is not valid. Provide a valid source image.`)
      const meant = createHash('sha256').update(`${uri} ${generation}`).digest('hex')
      const digest = reference.digest ?? `sha256:${meant}`
      return {
        uri,
        resolvedUri: byDigest(reference, digest),
        manifestDigest: digest,
        architecture,
        config: { entrypoint: [], cmd: [], workingDirectory: '', environment: [], user: '' },
        compressedBytes: 0,
      }
    },
    moveTags() {
      generation++
    },
  }
}
