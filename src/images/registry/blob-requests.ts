/** Blobs over HTTP: read whole or in part, uploaded in one piece or in many, taken over from another repository. */
import type { IncomingMessage } from 'node:http'

import type { EcrRepository } from '#contracts/ecr.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Blobs } from '#store/port.ts'

import { isDigest } from '../reference.ts'
import { created, type Answer } from './answer.ts'
import { readPart } from './read-blob.ts'
import { RegistryError } from './registry-error.ts'
import type { Repositories } from './repositories.ts'
import { contentOf } from './request-content.ts'
import type { Upload, Uploads } from './uploads.ts'

export function createBlobRequests(options: {
  readonly repositories: Repositories
  readonly uploads: Uploads
  readonly blobs: Blobs
  readonly clock: Clock
}) {
  const { repositories, uploads, blobs, clock } = options

  const readBlob = async (
    repository: EcrRepository,
    digest: string,
    request: IncomingMessage,
  ): Promise<Answer> => {
    const sizeBytes = await repositories.blobBytes(repository, digest)
    const sha256 = digest.slice('sha256:'.length)
    if (sizeBytes === undefined || !(await blobs.has(sha256))) {
      throw new RegistryError('BLOB_UNKNOWN', 'The blob does not exist in the repository')
    }
    const shared = {
      'content-type': 'application/octet-stream',
      'docker-content-digest': digest,
      'accept-ranges': 'bytes',
      etag: `"${digest}"`,
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    if (!range) {
      return {
        status: 200,
        headers: { ...shared, 'content-length': sizeBytes },
        ...(sizeBytes > 0 && { open: () => readPart(blobs, sha256, { start: 0, end: sizeBytes - 1 }) }),
      }
    }
    const start = Number(range[1])
    const end = Math.min(range[2] ? Number(range[2]) : sizeBytes - 1, sizeBytes - 1)
    if (start > end)
      return { status: 416, headers: { 'content-range': `bytes */${sizeBytes}`, 'content-length': 0 } }
    return {
      status: 206,
      headers: {
        ...shared,
        'content-length': end - start + 1,
        'content-range': `bytes ${start}-${end}/${sizeBytes}`,
      },
      open: () => readPart(blobs, sha256, { start, end }),
    }
  }

  const uploadAnswer = (name: string, { id, sizeBytes }: Upload, status: number): Answer => ({
    status,
    headers: {
      location: `/v2/${name}/blobs/uploads/${id}`,
      range: `0-${Math.max(0, sizeBytes - 1)}`,
      'docker-upload-uuid': id,
      'content-length': 0,
    },
  })
  const finish = async (
    repository: EcrRepository,
    upload: Upload,
    digest: string,
    request: IncomingMessage,
  ) => {
    if (!isDigest(digest)) throw new RegistryError('DIGEST_INVALID', 'The digest is no SHA-256')
    const { sizeBytes } = await uploads.finish(
      await uploads.append(upload, contentOf(request, clock)),
      digest,
    )
    await repositories.addBlob(repository, digest, sizeBytes)
    return created(repository.name, 'blobs', digest)
  }

  const beginUpload = async (
    repository: EcrRepository,
    source: EcrRepository | undefined,
    query: URLSearchParams,
    request: IncomingMessage,
  ): Promise<Answer> => {
    const mount = query.get('mount')
    if (mount !== null && source && isDigest(mount)) {
      const sizeBytes = await repositories.blobBytes(source, mount)
      if (sizeBytes !== undefined) {
        await repositories.addBlob(repository, mount, sizeBytes)
        return created(repository.name, 'blobs', mount)
      }
    }
    const digest = query.get('digest')
    const upload = await uploads.begin(repository.id)
    if (digest === null) return uploadAnswer(repository.name, upload, 202)
    return finish(repository, upload, digest, request)
  }

  const continueUpload = async (upload: Upload, name: string, request: IncomingMessage): Promise<Answer> => {
    const range = request.headers['content-range']
    const start = /^(?:bytes[ =])?(\d+)-\d+(?:\/.*)?$/.exec(range ?? '')?.[1]
    if (range !== undefined && Number(start) !== upload.sizeBytes) return uploadAnswer(name, upload, 416)
    return uploadAnswer(name, await uploads.append(upload, contentOf(request, clock)), 202)
  }

  return { readBlob, beginUpload, continueUpload, finish, uploadAnswer }
}
