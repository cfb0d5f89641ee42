/**
 * Removes the rows that nobody needs any more: of deleted repositories, and of blobs that no image names. The bytes go
 * as those of packages do, when no document names their digest (docs/adr/0081).
 */
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
import type { Meta } from '#store/port.ts'

/** A push may take this long between its first blob and its manifest. */
const GRACE_MS = 24 * HOUR_MS
const READ = 200

export async function sweepRegistry({
  meta,
  clock,
}: {
  readonly meta: Meta
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
    // On condition: somebody may just have asked for it, or named it.
    if (isUnused) await meta.txn([{ key, doc: null, ifRev: rev }])
  }
}
