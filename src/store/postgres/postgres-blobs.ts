/**
 * Blobs in PostgreSQL, cut into chunks (docs/adr/0143). Each chunk is its own commit, so that a slow upload is no long
 * transaction; a blob is there once its last row is written.
 */
import { Readable } from 'node:stream'

import { MIB } from '#kernel/units.ts'
import { checkDigest, isDigest, verifiedChunks } from '#store/embedded/blob-input.ts'
import { BlobMissing, type Blobs } from '#store/port.ts'
import type { Database } from '#store/postgres/database.ts'

const CHUNK_BYTES = MIB
/** For how long bytes are kept that belong to no blob: a pause in an upload, or a reader of a deleted blob. */
const KEEP_UNNAMED = `interval '1 hour'`
/** Uploads whose bytes are deleted in one go. */
const FORGET = 20
const NOW_MS = 'extract(epoch from clock_timestamp())::float8 * 1000'

/** The same bytes in pieces of the size of a chunk; only the last one is smaller. */
async function* inChunks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = []
  let bytes = 0
  for await (const given of source) {
    for (let rest = given; rest.byteLength > 0;) {
      const piece = rest.subarray(0, CHUNK_BYTES - bytes)
      rest = rest.subarray(piece.byteLength)
      pieces.push(piece)
      bytes += piece.byteLength
      if (bytes < CHUNK_BYTES) continue
      yield Buffer.concat(pieces)
      pieces = []
      bytes = 0
    }
  }
  if (bytes > 0) yield Buffer.concat(pieces)
}

export function createPostgresBlobs({ database }: { readonly database: Database }): Blobs & {
  /** Deletes bytes that belong to no blob and are read by nobody any more. */
  forgetUnnamed(): Promise<void>
} {
  const beginUpload = async (sha256: string) => {
    const [row] = await database.query({
      name: 'begin-upload',
      text: 'insert into upload (sha256, at) values ($1, clock_timestamp()) returning id',
      values: [sha256],
    })
    return row?.['id'] as bigint
  }
  const endUpload = (upload: bigint, keepsBytes: boolean) =>
    database.query({
      name: 'end-upload',
      text: `
        with gone as (delete from blob_chunk where upload = $1 and not $2)
        delete from upload where id = $1`,
      values: [upload, keepsBytes],
    })
  /** Its upload, when it is there; its `putAt` is now. */
  const touch = async (sha256: string) => {
    const [row] = await database.query({
      name: 'touch',
      text: `update blob set put_at = ${NOW_MS} where sha256 = $1 returning upload`,
      values: [sha256],
    })
    return row?.['upload'] as bigint | undefined
  }
  const chunkOf = async (upload: bigint, n: number) => {
    const [row] = await database.query({
      name: 'chunk',
      text: 'select bytes from blob_chunk where upload = $1 and n = $2',
      values: [upload, n],
    })
    if (!row) throw new BlobMissing('The blob was deleted while it was read')
    return row['bytes'] as Buffer
  }
  const find = async (sha256: string) => {
    if (!isDigest(sha256)) return undefined
    const [row] = await database.query({
      name: 'blob',
      text: 'select upload, size_bytes from blob where sha256 = $1',
      values: [sha256],
    })
    return row && { upload: row['upload'] as bigint, sizeBytes: Number(row['size_bytes']) }
  }
  const forgetUnnamed = async () => {
    await database.query({
      name: 'forget-unnamed',
      text: `
        with old as (
          select id from upload where at < clock_timestamp() - ${KEEP_UNNAMED} limit ${FORGET} for update skip locked
        ), chunks as (
          delete from blob_chunk where upload in (
            select id from old where not exists (select from blob where blob.upload = old.id)
          )
        )
        delete from upload where id in (select id from old)`,
    })
  }

  return {
    forgetUnnamed,
    has: async (sha256) => (await find(sha256)) !== undefined,
    sizeOf: async (sha256) => (await find(sha256))?.sizeBytes,
    path: async () => undefined,
    async put(sha256, content, maxBytes) {
      checkDigest(sha256)
      const upload = await beginUpload(sha256)
      let isNamed = false
      try {
        // After the upload has begun: whoever deletes on condition finds one of the two.
        const isThere = (await touch(sha256)) !== undefined
        let sizeBytes = 0
        let n = 0
        for await (const chunk of inChunks(verifiedChunks(sha256, content, maxBytes))) {
          sizeBytes += chunk.byteLength
          if (isThere) continue
          await database.query({
            name: 'put-chunk',
            text: `
              with seen as (update upload set at = clock_timestamp() where id = $1)
              insert into blob_chunk (upload, n, bytes) values ($1, $2, $3) on conflict do nothing`,
            values: [upload, n++, chunk],
          })
        }
        if (isThere) {
          if ((await touch(sha256)) === undefined)
            throw new Error('The blob was deleted while it was stored again')
          return { sizeBytes }
        }
        await database.query({
          name: 'name-upload',
          // Written, not just locked, so that whoever is about to forget it looks again.
          text: `
            with mine as (update upload set at = clock_timestamp() where id = $2 returning id)
            insert into blob (sha256, upload, size_bytes, put_at) select $1, id, $3, ${NOW_MS} from mine
            on conflict (sha256) do update set put_at = excluded.put_at`,
          values: [sha256, upload, sizeBytes],
        })
        const found = await find(sha256)
        if (!found) throw new Error('The upload has taken too long and was forgotten')
        // Otherwise somebody else was faster, and the bytes are the same.
        isNamed = found.upload === upload
        return { sizeBytes }
      } finally {
        // What is left over after a failure is forgotten later.
        await endUpload(upload, isNamed).catch(() => {})
      }
    },
    async get(sha256) {
      const found = await find(sha256)
      if (!found) throw new BlobMissing(`There is no blob "${sha256}"`)
      const { upload, sizeBytes } = found
      const chunks = async function* () {
        for (let n = 0; n * CHUNK_BYTES < sizeBytes; n++) yield await chunkOf(upload, n)
      }
      return Readable.from(chunks(), { objectMode: false })
    },
    async list(after, limit) {
      const rows = await database.query({
        name: 'blobs',
        text: 'select sha256, put_at from blob where sha256 > $1 order by sha256 limit $2',
        values: [after, Math.max(0, limit)],
      })
      return rows.map((row) => ({ sha256: row['sha256'] as string, putAt: row['put_at'] as number }))
    },
    async del(sha256, putBefore = Number.POSITIVE_INFINITY) {
      if (!isDigest(sha256)) return true
      // The bytes stay for a while, for those who read them.
      const deletion = `
        with gone as (
          delete from blob where sha256 = $1 and put_at < $2 and (
            $2 = 'infinity' or not exists (select from upload where upload.sha256 = $1 and not upload.is_deleted)
          ) returning upload, sha256
        )
        insert into upload (id, sha256, at, is_deleted) overriding system value
        select upload, sha256, clock_timestamp(), true from gone
        on conflict (id) do update set is_deleted = true, at = excluded.at`
      await database.query({ name: 'del', text: deletion, values: [sha256, putBefore] })
      await forgetUnnamed().catch(() => {})
      return (await find(sha256)) === undefined
    },
  }
}
