/** Images of a repository: listed, described, read, retagged and deleted. */
import { createHash } from 'node:crypto'

import type {
  BatchCheckLayerAvailabilityRequest,
  BatchDeleteImageRequest,
  BatchGetImageRequest,
  DescribeImagesRequest,
  ImageDetail,
  ImageFailureCode,
  ImageIdentifier,
  ListImagesRequest,
  PutImageRequest,
} from '@aws-sdk/client-ecr'

import {
  ecrImagePrefix,
  ecrTagPrefix,
  type EcrImage,
  type EcrRepository,
  type EcrTag,
} from '#contracts/ecr.ts'
import type { RegistryContent } from '#images/port.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { docOf } from '../iam/documents.ts'
import { allRows } from '../iam/paging.ts'
import { imageExists, noSuchImage, otherDigest } from './ecr-errors.ts'
import { pageOfImages } from './ecr-page.ts'
import type { EcrRepositories } from './repositories.ts'

const DIGEST = /^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$/

interface Failure {
  readonly failureCode: ImageFailureCode
  readonly failureReason: string
}

const NOT_FOUND: Failure = { failureCode: 'ImageNotFound', failureReason: 'Requested image not found' }

export function createImageOperations({
  meta,
  repositories,
  content,
}: {
  readonly meta: Meta
  readonly repositories: EcrRepositories
  readonly content: RegistryContent
}): OperationHandlers {
  const { require } = repositories

  /** Every image with its tags, in the order of their digests; ECR allows 20,000 a repository. */
  const imagesOf = async ({ id }: EcrRepository) => {
    const tags = new Map<string, string[]>()
    for (const row of await allRows(meta, ecrTagPrefix(id))) {
      const { digest } = docOf<EcrTag>(row)
      const tag = row.key.slice(ecrTagPrefix(id).length)
      tags.set(digest, [...(tags.get(digest) ?? []), tag])
    }
    const rows = await allRows(meta, ecrImagePrefix(id))
    return rows.map((row) => {
      const image = docOf<EcrImage>(row)
      return { image, tags: tags.get(image.digest) ?? [] }
    })
  }
  const isWanted = (tags: readonly string[], status: string | undefined) =>
    status === undefined || status === 'ANY' || (status === 'TAGGED') === tags.length > 0

  /** The image that an identifier means, or why it means none. */
  const identify = async (repository: EcrRepository, id: ImageIdentifier): Promise<EcrImage | Failure> => {
    const { imageDigest, imageTag } = id
    if (imageDigest === undefined && imageTag === undefined) {
      return {
        failureCode: 'MissingDigestAndTag',
        failureReason: 'Invalid request parameters: both tag and digest cannot be null',
      }
    }
    if (imageDigest !== undefined && !DIGEST.test(imageDigest)) {
      return {
        failureCode: 'InvalidImageDigest',
        failureReason:
          "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
      }
    }
    const image = await content.image(repository, imageTag ?? imageDigest ?? '')
    if (!image) return NOT_FOUND
    if (imageDigest === undefined || image.digest === imageDigest) return image
    // Text unverified.
    return {
      failureCode: 'ImageTagDoesNotMatchDigest',
      failureReason: 'Requested image tag does not match the digest',
    }
  }

  const list: OperationHandler<ListImagesRequest, object> = async (input, context) => {
    const { doc } = await require(context, input)
    const all = (await imagesOf(doc))
      .filter(({ tags }) => isWanted(tags, input.filter?.tagStatus))
      .flatMap(({ image: { digest }, tags }): ImageIdentifier[] =>
        tags.length === 0
          ? [{ imageDigest: digest }]
          : tags.map((imageTag) => ({ imageDigest: digest, imageTag })),
      )
    const page = await pageOfImages(
      all,
      ({ imageDigest, imageTag = '' }) => `${imageDigest} ${imageTag}`,
      input,
    )
    return { imageIds: page.items, ...page.nextToken }
  }

  const describe: OperationHandler<DescribeImagesRequest, object> = async (input, context) => {
    const { doc } = await require(context, input)
    const all = await imagesOf(doc)
    if (input.imageIds) {
      const wanted = new Set<string>()
      for (const id of input.imageIds) {
        const image = await identify(doc, id)
        if ('failureCode' in image) throw noSuchImage(doc, doc.name, id)
        wanted.add(image.digest)
      }
      const found = all.filter(({ image }) => wanted.has(image.digest))
      return { imageDetails: found.map(({ image, tags }) => detailOf(doc, image, tags)) }
    }
    const filtered = all.filter(({ tags }) => isWanted(tags, input.filter?.tagStatus))
    const page = await pageOfImages(filtered, ({ image }) => image.digest, input)
    return {
      imageDetails: page.items.map(({ image, tags }) => detailOf(doc, image, tags)),
      ...page.nextToken,
    }
  }

  const batchGet: OperationHandler<BatchGetImageRequest, object> = async (input, context) => {
    const { doc } = await require(context, input)
    const images: object[] = []
    const failures: object[] = []
    for (const id of input.imageIds ?? []) {
      const image = await identify(doc, id)
      if ('failureCode' in image) {
        failures.push({ imageId: id, ...image })
        continue
      }
      images.push({
        registryId: doc.account,
        repositoryName: doc.name,
        imageId: { imageDigest: image.digest, ...(id.imageTag !== undefined && { imageTag: id.imageTag }) },
        imageManifest: await content.manifest(image),
        imageManifestMediaType: image.mediaType,
      })
    }
    return { images, failures }
  }

  const batchDelete: OperationHandler<BatchDeleteImageRequest, object> = async (input, context) => {
    const { doc } = await require(context, input)
    const imageIds: ImageIdentifier[] = []
    const failures: object[] = []
    for (const id of input.imageIds ?? []) {
      const image = await identify(doc, id)
      if ('failureCode' in image) {
        failures.push({ imageId: id, ...image })
        continue
      }
      const { digest } = image
      const all = await imagesOf(doc)
      const tags = all.find((one) => one.image.digest === digest)?.tags ?? []
      const onlyTag = id.imageDigest === undefined && tags.length > 1 ? id.imageTag : undefined
      const indexes = all.filter(({ image }) => image.blobs.includes(digest)).map(({ image }) => image.digest)
      if (onlyTag !== undefined) {
        await content.deleteTag(doc, onlyTag)
        imageIds.push({ imageDigest: digest, imageTag: onlyTag })
      } else if (indexes.length > 0) {
        failures.push({
          imageId: id,
          failureCode: 'ImageReferencedByManifestList',
          failureReason: `Requested image referenced by manifest list: [${indexes.join(', ')}]`,
        })
      } else {
        await content.deleteImage(doc, digest)
        const gone = tags.map((imageTag) => ({ imageDigest: digest, imageTag }))
        imageIds.push(...(gone.length === 0 ? [{ imageDigest: digest }] : gone))
      }
    }
    return { imageIds, failures }
  }

  const putImage: OperationHandler<PutImageRequest, object> = async (input, context) => {
    const {
      imageManifest: manifest = '',
      imageManifestMediaType: mediaType = '',
      imageTag: tag,
      imageDigest,
    } = input
    const { doc } = await require(context, input)
    const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`
    if (imageDigest !== undefined && imageDigest !== digest) throw otherDigest()
    const before = tag === undefined ? undefined : await content.image(doc, tag)
    const image = await content.putImage(doc, { manifest, mediaType, ...(tag !== undefined && { tag }) })
    if (before?.digest === image.digest) throw imageExists(doc, doc.name, image.digest, tag)
    return {
      image: {
        registryId: doc.account,
        repositoryName: doc.name,
        imageId: { imageDigest: image.digest, ...(tag !== undefined && { imageTag: tag }) },
        imageManifest: manifest,
        imageManifestMediaType: image.mediaType,
      },
    }
  }

  const checkLayers: OperationHandler<BatchCheckLayerAvailabilityRequest, object> = async (
    input,
    context,
  ) => {
    const { doc } = await require(context, input)
    const layers: object[] = []
    const failures: object[] = []
    for (const layerDigest of input.layerDigests ?? []) {
      const layerSize = await content.blobBytes(doc, layerDigest)
      if (layerSize !== undefined) layers.push({ layerDigest, layerAvailability: 'AVAILABLE', layerSize })
      else if (DIGEST.test(layerDigest)) layers.push({ layerDigest, layerAvailability: 'UNAVAILABLE' })
      else
        failures.push({
          layerDigest,
          failureCode: 'InvalidLayerDigest',
          failureReason: 'Invalid layer digest',
        })
    }
    return { layers, failures }
  }

  return {
    ListImages: list,
    DescribeImages: describe,
    BatchGetImage: batchGet,
    BatchDeleteImage: batchDelete,
    PutImage: putImage,
    BatchCheckLayerAvailability: checkLayers,
  }
}

const detailOf = (repository: EcrRepository, image: EcrImage, tags: readonly string[]): ImageDetail => ({
  registryId: repository.account,
  repositoryName: repository.name,
  imageDigest: image.digest,
  ...(tags.length > 0 && { imageTags: [...tags] }),
  imageSizeInBytes: image.layerBytes,
  imagePushedAt: new Date(image.pushedAt),
  imageManifestMediaType: image.mediaType,
  ...((image.artifactType ?? image.configType) !== undefined && {
    artifactMediaType: image.artifactType ?? image.configType,
  }),
  ...(image.subject !== undefined && { subjectManifestDigest: image.subject }),
  imageStatus: 'ACTIVE',
})
