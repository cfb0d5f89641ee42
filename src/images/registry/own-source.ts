/** Images of our own registry, straight from its storage. */
import { join } from 'node:path'

import type { Random } from '#kernel/random.ts'
import type { Blobs } from '#store/port.ts'

import { ImageRefused } from '../image-refused.ts'
import type { OwnRepository } from '../reference.ts'
import type { ImageSource } from '../source.ts'
import { asFile, readWhole } from './read-blob.ts'
import type { Repositories } from './repositories.ts'

export function createOwnSource(options: {
  readonly repositories: Repositories
  readonly blobs: Blobs
  /** Of copies, where the store keeps no files. */
  readonly directory: string
  readonly random: Random
  readonly locate: (repository: string) => OwnRepository
}): ImageSource {
  const { repositories, blobs, directory, random, locate } = options
  const requireRepository = async (name: string) => {
    const located = locate(name)
    const repository = await repositories.find(located, located.name)
    if (!repository) throw new ImageRefused('not-found', 'There is no such repository')
    return repository
  }
  return {
    async manifest(name, reference) {
      const image = await repositories.image(await requireRepository(name), reference)
      if (!image) throw new ImageRefused('not-found', 'There is no such image in the repository')
      const bytes = await readWhole(blobs, image.digest.slice('sha256:'.length))
      return { bytes, mediaType: image.mediaType, digest: image.digest }
    },
    async blob(name, { digest }) {
      const sha256 = digest.slice('sha256:'.length)
      const isThere = (await repositories.blobBytes(await requireRepository(name), digest)) !== undefined
      if (!isThere || !(await blobs.has(sha256))) {
        throw new ImageRefused('not-found', 'A layer is not in the repository any more')
      }
      // It was verified when it was stored.
      return asFile(blobs, sha256, join(directory, `${sha256}.${random.hex(12)}`))
    },
  }
}
