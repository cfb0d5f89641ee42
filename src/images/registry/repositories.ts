/** What is in the repositories of our registry: rows in the store that name blobs. */
import type { Scope } from '#contracts/arn.ts'
import {
  ecrBlobKey,
  ecrImageKey,
  ecrImagePrefix,
  ecrRepositoryKey,
  ecrTagKey,
  ecrTagPrefix,
  isTagImmutable,
  type EcrBlob,
  type EcrImage,
  type EcrRepository,
  type EcrTag,
} from '#contracts/ecr.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Meta, MetaWrite } from '#store/port.ts'

import { RegistryError } from './registry-error.ts'

export interface Repositories {
  /** Throws NAME_UNKNOWN. */
  require(where: Scope, name: string): Promise<EcrRepository>
  find(where: Scope, name: string): Promise<EcrRepository | undefined>
  /** By tag or digest. */
  image(repository: EcrRepository, reference: string): Promise<EcrImage | undefined>
  /** The blob's size when it may be read through the repository. */
  blobBytes(repository: EcrRepository, digest: string): Promise<number | undefined>
  /** Lets a blob that is stored be read through the repository. */
  addBlob(repository: EcrRepository, digest: string, sizeBytes: number): Promise<void>
  /** Images are written only when everything they name is there; then it stays as long as they do. */
  putImage(repository: EcrRepository, image: EcrImage, kind: 'image' | 'index', tag?: string): Promise<void>
  /** With its tags. */
  deleteImage(repository: EcrRepository, digest: string): Promise<boolean>
  deleteTag(repository: EcrRepository, tag: string): Promise<boolean>
  /** In order, after `after`. */
  tags(repository: EcrRepository, after: string, limit: number): Promise<readonly string[]>
  referrers(repository: EcrRepository, digest: string): Promise<readonly EcrImage[]>
}

const DIGEST = /^sha256:/
const READ = 200
const MAX_ATTEMPTS = 24
/** A blob that somebody has asked for this lately needs no new note of it. */
const SEEN_FOR_MS = HOUR_MS

export const noSuchRepository = ({ account }: Scope, name: string) =>
  // Text recorded from AWS.
  new RegistryError(
    'NAME_UNKNOWN',
    `The repository with name '${name}' does not exist in the registry with id '${account}'`,
  )

export function createRepositories({
  meta,
  clock,
}: {
  readonly meta: Meta
  readonly clock: Pick<Clock, 'now'>
}): Repositories {
  const read = async <T>(key: string) => {
    const row = await meta.get(key)
    return row && { doc: row.doc as unknown as T, rev: row.rev }
  }
  const put = (key: string, doc: object, ifRev?: number): MetaWrite => ({
    key,
    doc: doc as unknown as Json,
    ...(ifRev !== undefined && { ifRev }),
  })
  const commit = async (decide: () => Promise<readonly MetaWrite[]>) => {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const writes = await decide()
      if (writes.length === 0 || (await meta.txn(writes)) !== 'conflict') return
    }
    throw new RegistryError('TOOMANYREQUESTS', 'The repository is being changed by too many others')
  }
  async function* rows<T>(prefix: string, from = '') {
    for (let after = from === '' ? '' : `${prefix}${from}`; ;) {
      const page = await meta.list(prefix, after, READ)
      for (const { key, doc, rev } of page)
        yield { name: key.slice(prefix.length), key, rev, doc: doc as unknown as T }
      after = page.at(-1)?.key ?? ''
      if (page.length < READ) return
    }
  }
  const find = async (where: Scope, name: string) =>
    (await read<EcrRepository>(ecrRepositoryKey(where, name)))?.doc

  /** The writes that keep from the sweep what an image names. */
  const named = async ({ id }: EcrRepository, { blobs }: EcrImage, kind: 'image' | 'index') => {
    const writes: MetaWrite[] = []
    for (const digest of new Set(blobs)) {
      const key = kind === 'image' ? ecrBlobKey(id, digest) : ecrImageKey(id, digest)
      const there = await read<EcrBlob | EcrImage>(key)
      if (!there) {
        throw new RegistryError(
          'MANIFEST_BLOB_UNKNOWN',
          kind === 'image'
            ? `Layers with digests '${digest}' required for pushing the image do not exist`
            : `Images with digests '${digest}' required for pushing the image do not exist`,
        )
      }
      const doc = kind === 'image' ? { ...there.doc, seenAt: clock.now() } : there.doc
      writes.push(put(key, doc, there.rev))
    }
    return writes
  }

  return {
    find,
    async require(where, name) {
      const repository = await find(where, name)
      if (!repository) throw noSuchRepository(where, name)
      return repository
    },
    async image({ id }, reference) {
      const digest = DIGEST.test(reference)
        ? reference
        : (await read<EcrTag>(ecrTagKey(id, reference)))?.doc.digest
      return digest === undefined ? undefined : (await read<EcrImage>(ecrImageKey(id, digest)))?.doc
    },
    async blobBytes({ id }, digest) {
      const key = ecrBlobKey(id, digest)
      const blob = await read<EcrBlob>(key)
      if (!blob) return undefined
      const now = clock.now()
      if (blob.doc.seenAt + SEEN_FOR_MS < now) {
        const isThere = await meta.txn([put(key, { ...blob.doc, seenAt: now }, blob.rev)])
        // Swept or seen by somebody else at the same moment; whoever asks again is told what became of it.
        if (isThere === 'conflict' && !(await meta.get(key))) return undefined
      }
      return blob.doc.sizeBytes
    },
    async addBlob({ id }, digest, sizeBytes) {
      const blob: EcrBlob = { sizeBytes, seenAt: clock.now() }
      await meta.txn([put(ecrBlobKey(id, digest), blob)])
    },
    putImage: (repository, image, kind, tag) =>
      commit(async () => {
        const { id } = repository
        const before = await read<EcrImage>(ecrImageKey(id, image.digest))
        const writes = [
          ...(await named(repository, image, kind)),
          put(ecrImageKey(id, image.digest), before?.doc ?? image, before?.rev ?? 0),
        ]
        if (tag === undefined) return writes
        const tagged = await read<EcrTag>(ecrTagKey(id, tag))
        if (tagged && tagged.doc.digest !== image.digest && isTagImmutable(repository, tag)) {
          // Recorded from AWS.
          throw new RegistryError(
            'TAG_INVALID',
            `The image tag '${tag}' already exists in the '${repository.name}' repository and cannot be overwritten because the ${repository.tagMutability === 'IMMUTABLE' ? 'repository' : 'tag'} is immutable.`,
          )
        }
        return [...writes, put(ecrTagKey(id, tag), { digest: image.digest }, tagged?.rev ?? 0)]
      }),
    async deleteImage({ id }, digest) {
      let isGone = false
      await commit(async () => {
        const image = await read<EcrImage>(ecrImageKey(id, digest))
        isGone = image !== null
        if (!image) return []
        const writes: MetaWrite[] = [{ key: ecrImageKey(id, digest), doc: null, ifRev: image.rev }]
        for await (const { key, rev, doc } of rows<EcrTag>(ecrTagPrefix(id))) {
          if (doc.digest === digest) writes.push({ key, doc: null, ifRev: rev })
        }
        return writes
      })
      return isGone
    },
    async deleteTag({ id }, tag) {
      const row = await meta.get(ecrTagKey(id, tag))
      if (!row) return false
      await meta.txn([{ key: row.key, doc: null }])
      return true
    },
    async tags({ id }, after, limit) {
      const found: string[] = []
      for await (const { name } of rows<EcrTag>(ecrTagPrefix(id), after)) {
        if (found.length === limit) break
        found.push(name)
      }
      return found
    },
    async referrers({ id }, digest) {
      const found: EcrImage[] = []
      for await (const { doc } of rows<EcrImage>(ecrImagePrefix(id))) {
        if (doc.subject === digest) found.push(doc)
      }
      return found
    },
  }
}
