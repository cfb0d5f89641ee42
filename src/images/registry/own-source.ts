/** Images of our own registry, straight from its storage. */
import type { Scope } from '#contracts/arn.ts'
import type { Blobs } from '#store/port.ts'

import { ImageRefused } from '../image-refused.ts'
import type { ImageSource } from '../source.ts'
import type { Repositories } from './repositories.ts'

export function createOwnSource(options: {
  readonly repositories: Repositories
  readonly blobs: Blobs
  readonly where: Scope
}): ImageSource {
  const { repositories, blobs, where } = options
  const requireRepository = async (name: string) => {
    const repository = await repositories.find(where, name)
    if (!repository) throw new ImageRefused('not-found', 'There is no such repository')
    return repository
  }
  return {
    async manifest(name, reference) {
      const image = await repositories.image(await requireRepository(name), reference)
      if (!image) throw new ImageRefused('not-found', 'There is no such image in the repository')
      const chunks: Uint8Array[] = []
      for await (const chunk of await blobs.get(image.digest.slice('sha256:'.length))) {
        chunks.push(chunk as Uint8Array)
      }
      return { bytes: Buffer.concat(chunks), mediaType: image.mediaType, digest: image.digest }
    },
    async blob(name, { digest }) {
      const isThere = (await repositories.blobBytes(await requireRepository(name), digest)) !== undefined
      // It was verified when it was stored.
      const path = isThere ? await blobs.path(digest.slice('sha256:'.length)) : undefined
      if (path === undefined) throw new ImageRefused('not-found', 'A layer is not in the repository any more')
      return { path, [Symbol.asyncDispose]: async () => {} }
    },
  }
}
