/** Blobs as files: `blobs/ab/cd/<digest>`, written beside and renamed, so that a name never shows half a file. */
import { constants } from 'node:fs'
import { access, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { checkDigest, isDigest, verifiedChunks } from '#store/embedded/blob-input.ts'
import { BlobMissing, type Blobs } from '#store/port.ts'

const isMissing = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')

async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

/** Needs the directory for itself; sweeps what an interrupted put has left. */
export async function openFileBlobs({ directory }: { readonly directory: string }): Promise<
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
  return {
    has: async (sha256) => (await sizeOf(sha256)) !== undefined,
    sizeOf,
    async put(sha256, content, maxBytes) {
      checkDigest(sha256)
      let sizeBytes = 0
      if ((await sizeOf(sha256)) !== undefined) {
        for await (const chunk of verifiedChunks(sha256, content, maxBytes)) sizeBytes += chunk.byteLength
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
    async del(sha256) {
      if (isDigest(sha256)) await rm(pathOf(sha256), { force: true })
    },
    async settled() {
      await Promise.allSettled(finishing)
    },
  }
}
