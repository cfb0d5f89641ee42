/** Manifests over HTTP, and the lists of tags and of what refers to an image. */
import type { IncomingMessage } from 'node:http'

import type { EcrImage, EcrRepository } from '#contracts/ecr.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Blobs } from '#store/port.ts'

import { MAX_MANIFEST_BYTES, OCI_INDEX } from '../manifest.ts'
import { isDigest } from '../reference.ts'
import { created, json, type Answer } from './answer.ts'
import { imageOf } from './pushed-image.ts'
import { readWhole } from './read-blob.ts'
import { RegistryError } from './registry-error.ts'
import type { Repositories } from './repositories.ts'
import { contentOf } from './request-content.ts'

const MAX_TAGS = 1000

export function createManifestRequests(options: {
  readonly repositories: Repositories
  readonly blobs: Blobs
  readonly clock: Clock
}) {
  const { repositories, blobs, clock } = options

  const wholeBody = async (request: IncomingMessage) => {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of contentOf(request, clock)) {
      length += chunk.byteLength
      if (length > MAX_MANIFEST_BYTES)
        throw new RegistryError('MANIFEST_INVALID', 'The manifest is too large', 413)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }

  const readManifest = async (repository: EcrRepository, reference: string): Promise<Answer> => {
    const image = await repositories.image(repository, reference)
    if (!image) {
      // Recorded from AWS.
      throw new RegistryError('MANIFEST_UNKNOWN', 'Requested image not found')
    }
    const bytes = await readWhole(blobs, image.digest.slice('sha256:'.length))
    return {
      status: 200,
      headers: {
        'content-type': image.mediaType,
        'docker-content-digest': image.digest,
        'content-length': bytes.byteLength,
      },
      body: bytes,
    }
  }
  const writeManifest = async (repository: EcrRepository, reference: string, request: IncomingMessage) => {
    const bytes = await wholeBody(request)
    const { image, kind } = imageOf(bytes, request.headers['content-type'] ?? '', clock.now())
    const byDigest = isDigest(reference)
    if (byDigest && reference !== image.digest) {
      throw new RegistryError('DIGEST_INVALID', 'The manifest does not hash to the digest')
    }
    await blobs.put(image.digest.slice('sha256:'.length), bytes)
    await repositories.putImage(repository, image, kind, byDigest ? undefined : reference)
    const { status, headers } = created(repository.name, 'manifests', image.digest)
    const subject: Answer['headers'] = image.subject === undefined ? {} : { 'oci-subject': image.subject }
    return { status, headers: { ...headers, ...subject } }
  }
  const deleteManifest = async (repository: EcrRepository, reference: string): Promise<Answer> => {
    const isGone = isDigest(reference)
      ? await repositories.deleteImage(repository, reference)
      : await repositories.deleteTag(repository, reference)
    if (!isGone) throw new RegistryError('MANIFEST_UNKNOWN', 'Requested image not found')
    return { status: 202, headers: { 'content-length': 0 } }
  }

  const listTags = async (repository: EcrRepository, query: URLSearchParams): Promise<Answer> => {
    const wanted = /^\d{1,9}$/.test(query.get('n') ?? '') ? Number(query.get('n')) : MAX_TAGS
    const limit = Math.min(wanted, MAX_TAGS)
    const found = await repositories.tags(repository, query.get('last') ?? '', limit + 1)
    const tags = found.slice(0, limit)
    const next = new URLSearchParams({ n: String(limit), last: tags.at(-1) ?? '' })
    return json(
      200,
      { name: repository.name, tags },
      found.length > limit && limit > 0
        ? { link: `</v2/${repository.name}/tags/list?${next}>; rel="next"` }
        : {},
    )
  }
  const listReferrers = async (repository: EcrRepository, digest: string, query: URLSearchParams) => {
    const type = query.get('artifactType')
    const typeOf = ({ artifactType, configType }: EcrImage) => artifactType ?? configType
    const all = await repositories.referrers(repository, digest)
    const manifests = all
      .filter((image) => type === null || typeOf(image) === type)
      .map((image) => ({
        mediaType: image.mediaType,
        digest: image.digest,
        size: image.manifestBytes,
        artifactType: typeOf(image),
        annotations: image.annotations === undefined ? undefined : (JSON.parse(image.annotations) as object),
      }))
    return json(
      200,
      { schemaVersion: 2, mediaType: OCI_INDEX, manifests },
      {
        'content-type': OCI_INDEX,
        ...(type !== null && { 'oci-filters-applied': 'artifactType' }),
      },
    )
  }

  return { readManifest, writeManifest, deleteManifest, listTags, listReferrers }
}
