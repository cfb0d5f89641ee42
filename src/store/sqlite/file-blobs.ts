/** Blobs as files: `blobs/ab/cd/<digest>`, written beside and renamed, so that a name never shows half a file. */
import { constants } from 'node:fs'
import { access, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { Clock } from '#kernel/clock.ts'
import { checkDigest, isDigest, verifiedChunks } from '#store/embedded/blob-input.ts'
import { BlobMissing, type BlobEntry, type Blobs } from '#store/port.ts'

/** A directory's name: two digits of the digests in it. */
const PART = /^[0-9a-f]{2}$/
const DIGEST = /^[0-9a-f]{64}$/

const isMissing = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')

async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

/** Needs the directory for itself; sweeps what an interrupted put has left. */
export async function openFileBlobs({
  directory,
  clock,
}: {
  readonly directory: string
  readonly clock: Pick<Clock, 'now'>
}): Promise<
  Blobs & {
    /** Resolves when no put is between its last byte and its name. */
    settled(): Promise<void>
  }
> {
  const root = join(directory, 'blobs')
  const temporary = join(root, 'tmp')
  await mkdir(root, { recursive: true, mode: 0o700 })
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { mode: 0o700 })
  await syncDirectory(directory)
  let nextName = 1
  const finishing = new Set<Promise<void>>()
  /** Puts under way, and deletions under way, by digest: a blob is not deleted under one who is told that it is there. */
  const putting = new Map<string, number>()
  const deleting = new Map<string, Promise<boolean>>()

  const pathOf = (sha256: string) => join(root, sha256.slice(0, 2), sha256.slice(2, 4), sha256)
  const sizeOf = async (sha256: string) => {
    if (!isDigest(sha256)) return undefined
    try {
      return (await stat(pathOf(sha256))).size
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
  /** Gives a complete, synced temporary file its name. */
  const publish = async (from: string, sha256: string) => {
    const to = pathOf(sha256)
    const folder = dirname(to)
    const made = await mkdir(folder, { recursive: true, mode: 0o700 })
    await rename(from, to)
    await syncDirectory(folder)
    if (made === undefined) return
    await syncDirectory(dirname(folder))
    await syncDirectory(root)
  }
  const store: Blobs['put'] = async (sha256, content, maxBytes) => {
    let sizeBytes = 0
    if ((await sizeOf(sha256)) !== undefined) {
      for await (const chunk of verifiedChunks(sha256, content, maxBytes)) sizeBytes += chunk.byteLength
      const now = clock.now() / 1000
      await utimes(pathOf(sha256), now, now)
      return { sizeBytes }
    }
    const path = join(temporary, String(nextName++))
    try {
      {
        await using handle = await open(path, 'wx', 0o600)
        for await (const chunk of verifiedChunks(sha256, content, maxBytes)) {
          sizeBytes += chunk.byteLength
          await handle.writeFile(chunk)
        }
        const now = clock.now() / 1000
        await handle.utimes(now, now)
        await handle.sync()
      }
      const done = publish(path, sha256)
      finishing.add(done)
      await done.finally(() => finishing.delete(done))
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    return { sizeBytes }
  }
  const remove = async (sha256: string, putBefore: number) => {
    const path = pathOf(sha256)
    if (putBefore !== Number.POSITIVE_INFINITY) {
      try {
        if ((await stat(path)).mtimeMs >= putBefore) return false
      } catch (error) {
        if (isMissing(error)) return true
        throw error
      }
    }
    await rm(path, { force: true })
    return true
  }
  /** Names in a directory of blobs that sort at or after `from`, in order. */
  const namesFrom = async (path: string, form: RegExp, from: string) => {
    const names = await readdir(path).catch((error: unknown) => {
      if (isMissing(error)) return []
      throw error
    })
    return names.filter((name) => form.test(name) && name >= from).toSorted()
  }
  /** Every digest after `after`, in order, a directory at a time. */
  const digestsAfter = async function* (after: string) {
    for (const first of await namesFrom(root, PART, after.slice(0, 2))) {
      const inFirst = after.startsWith(first) ? after.slice(2, 4) : ''
      for (const second of await namesFrom(join(root, first), PART, inFirst)) {
        const names = await namesFrom(join(root, first, second), DIGEST, after)
        yield* names.filter((name) => name !== after)
      }
    }
  }

  return {
    has: async (sha256) => (await sizeOf(sha256)) !== undefined,
    sizeOf,
    async put(sha256, content, maxBytes) {
      checkDigest(sha256)
      putting.set(sha256, (putting.get(sha256) ?? 0) + 1)
      try {
        await deleting.get(sha256)?.catch(() => {})
        return await store(sha256, content, maxBytes)
      } finally {
        const others = (putting.get(sha256) ?? 1) - 1
        if (others > 0) putting.set(sha256, others)
        else putting.delete(sha256)
      }
    },
    async get(sha256) {
      const missing = (cause?: unknown) => new BlobMissing(`There is no blob "${sha256}"`, { cause })
      if (!isDigest(sha256)) throw missing()
      // Opened here and not on the first read, so that a deletion in between does not break the reader.
      const handle = await open(pathOf(sha256), 'r').catch((error: unknown) => {
        throw isMissing(error) ? missing(error) : error
      })
      return handle.createReadStream()
    },
    async path(sha256) {
      if (!isDigest(sha256)) return undefined
      const path = pathOf(sha256)
      return access(path, constants.R_OK).then(
        () => path,
        () => undefined,
      )
    },
    async list(after, limit) {
      const found: BlobEntry[] = []
      if (limit <= 0) return found
      for await (const sha256 of digestsAfter(after)) {
        try {
          found.push({ sha256, putAt: (await stat(pathOf(sha256))).mtimeMs })
        } catch (error) {
          if (!isMissing(error)) throw error
        }
        if (found.length >= limit) break
      }
      return found
    },
    async del(sha256, putBefore = Number.POSITIVE_INFINITY) {
      if (!isDigest(sha256)) return true
      if (putBefore !== Number.POSITIVE_INFINITY && putting.has(sha256)) return false
      const done = (deleting.get(sha256) ?? Promise.resolve()).then(
        () => remove(sha256, putBefore),
        () => remove(sha256, putBefore),
      )
      deleting.set(sha256, done)
      try {
        return await done
      } finally {
        if (deleting.get(sha256) === done) deleting.delete(sha256)
      }
    },
    async settled() {
      await Promise.allSettled(finishing)
    },
  }
}
