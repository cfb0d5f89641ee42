/** Removes what no repository has any more: rows of deleted repositories, blobs that no image names, their bytes. */
import {
  ALL_ECR_CONTENT,
  ALL_ECR_REPOSITORIES,
  ecrImagePrefix,
  type EcrBlob,
  type EcrImage,
  type EcrRepository,
} from '#contracts/ecr.ts'
import type { Clock } from '#kernel/clock.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Blobs, Meta } from '#store/port.ts'

/** A push may take this long between its first blob and its manifest. */
const GRACE_MS = 24 * HOUR_MS
const READ = 200

export async function sweepRegistry({
  meta,
  blobs,
  clock,
}: {
  readonly meta: Meta
  readonly blobs: Blobs
  readonly clock: Pick<Clock, 'now'>
}): Promise<void> {
  const before = clock.now() - GRACE_MS
  async function* rows<T>(prefix: string) {
    for (let after = ''; ;) {
      const page = await meta.list(prefix, after, READ)
      for (const { key, doc, rev } of page) yield { key, rev, doc: doc as unknown as T }
      after = page.at(-1)?.key ?? ''
      if (page.length < READ) return
    }
  }
  const living = async () => {
    const ids = new Set<string>()
    for await (const { doc } of rows<EcrRepository>(ALL_ECR_REPOSITORIES)) ids.add(doc.id)
    return ids
  }
  const blobsNamedIn = async (id: string) => {
    const named = new Set<string>()
    for await (const { doc } of rows<EcrImage>(ecrImagePrefix(id)))
      for (const blob of doc.blobs) named.add(blob)
    return named
  }
  /** Digests that some row names, after rows that name nothing of use have been removed. */
  const namedAnywhere = async () => {
    const named = new Set<string>()
    // Rows are read before the repositories are, so that none of them is of a repository made in between.
    const contents = []
    for await (const row of rows<EcrBlob | EcrImage>(ALL_ECR_CONTENT)) contents.push(row)
    const ids = await living()
    let current = ''
    let inImages = new Set<string>()
    for (const { key, doc, rev } of contents) {
      const [id = '', kind, name = ''] = key.slice(ALL_ECR_CONTENT.length).split('/')
      if (!ids.has(id)) {
        await meta.txn([{ key, doc: null }])
        continue
      }
      if (id !== current) inImages = await blobsNamedIn(id)
      current = id
      const isUnused = kind === 'blob' && !inImages.has(name) && (doc as EcrBlob).seenAt < before
      // On condition: somebody may just have asked for it.
      if (isUnused && (await meta.txn([{ key, doc: null, ifRev: rev }])) !== 'conflict') continue
      if (kind !== 'tag') named.add(name)
    }
    return named
  }

  const first = await namedAnywhere()
  // Twice, because a blob may pass from one repository to another while the rows are read.
  const second = await namedAnywhere()
  for (let after = ''; ;) {
    const page = await blobs.list(after, READ)
    for (const { sha256, putAt } of page) {
      const digest = `sha256:${sha256}`
      if (putAt < before && !first.has(digest) && !second.has(digest)) await blobs.del(sha256, before)
    }
    after = page.at(-1)?.sha256 ?? ''
    if (page.length < READ) return
  }
}
