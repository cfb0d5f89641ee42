/** Blobs on their way in: one file an upload, appended to by one request at a time, stored whole when it ends. */
import { createReadStream } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import { GIB, HOUR_MS } from '#kernel/units.ts'
import { BlobMismatch, type Blobs } from '#store/port.ts'

import { RegistryError } from './registry-error.ts'

/** Of one blob. An image that Lambda takes has 10 GiB in all, unpacked. */
export const MAX_BLOB_BYTES = 10 * GIB
const MAX_UPLOADS = 256
/** An upload that nobody touches for this long is given up. */
const UPLOAD_IDLE_MS = HOUR_MS

export interface Upload {
  readonly id: string
  /** Of the repository it was begun in. */
  readonly repositoryId: string
  readonly sizeBytes: number
}

export interface Uploads {
  /** Removes what an earlier process has left; uploads do not outlive it, their clients begin again. */
  start(): Promise<void>
  stop(): void
  begin(repositoryId: string): Promise<Upload>
  /** Throws BLOB_UPLOAD_UNKNOWN. */
  find(repositoryId: string, id: string): Upload
  /** Adds the bytes; when they break off in the middle, those that came count. */
  append(upload: Upload, content: AsyncIterable<Uint8Array>): Promise<Upload>
  /** Stores it under its digest, durably, and ends it. Throws DIGEST_INVALID; the upload is gone then as well. */
  finish(upload: Upload, digest: string): Promise<{ readonly sizeBytes: number }>
  cancel(upload: Upload): Promise<void>
}

interface State extends Upload {
  sizeBytes: number
  isBusy: boolean
  touchedAt: number
}

export function createUploads(options: {
  readonly blobs: Blobs
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
}): Uploads {
  const { blobs, directory, clock, random } = options
  const uploads = new Map<string, State>()
  let cancelSweep: (() => void) | undefined

  const pathOf = ({ id }: Upload) => join(directory, id)
  const require = (id: string) => {
    const state = uploads.get(id)
    if (!state) throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'The upload does not exist')
    return state
  }
  const end = async (upload: Upload) => {
    uploads.delete(upload.id)
    await rm(pathOf(upload), { force: true })
  }
  /** Two requests at once would mix their bytes. */
  const alone = async <T>({ id }: Upload, work: (state: State) => Promise<T>): Promise<T> => {
    const state = require(id)
    if (state.isBusy)
      throw new RegistryError('BLOB_UPLOAD_INVALID', 'The upload is in use by another request', 409)
    state.isBusy = true
    try {
      return await work(state)
    } finally {
      state.isBusy = false
      state.touchedAt = clock.monotonic()
    }
  }
  const sweepSoon = () => {
    cancelSweep = clock.after(UPLOAD_IDLE_MS / 4, () => {
      for (const state of uploads.values()) {
        if (!state.isBusy && state.touchedAt + UPLOAD_IDLE_MS < clock.monotonic()) end(state).catch(() => {})
      }
      sweepSoon()
    })
  }

  return {
    async start() {
      await rm(directory, { recursive: true, force: true })
      await mkdir(directory, { recursive: true, mode: 0o700 })
      sweepSoon()
    },
    stop: () => cancelSweep?.(),
    async begin(repositoryId) {
      if (uploads.size >= MAX_UPLOADS) {
        throw new RegistryError('TOOMANYREQUESTS', 'Too many uploads are under way')
      }
      const state: State = {
        id: random.uuid(),
        repositoryId,
        sizeBytes: 0,
        isBusy: false,
        touchedAt: clock.monotonic(),
      }
      uploads.set(state.id, state)
      const file = await open(pathOf(state), 'wx', 0o600)
      await file.close()
      return state
    },
    find(repositoryId, id) {
      const state = require(id)
      if (state.repositoryId !== repositoryId) {
        throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'The upload does not exist')
      }
      return state
    },
    append: (upload, content) =>
      alone(upload, async (state) => {
        await using file = await open(pathOf(upload), 'r+')
        for await (const chunk of content) {
          if (state.sizeBytes + chunk.byteLength > MAX_BLOB_BYTES) {
            await end(state)
            throw new RegistryError('SIZE_INVALID', `A blob can have at most ${MAX_BLOB_BYTES} bytes`)
          }
          try {
            for (let done = 0; done < chunk.byteLength;) {
              const { bytesWritten } = await file.write(chunk, done, undefined, state.sizeBytes)
              done += bytesWritten
              state.sizeBytes += bytesWritten
            }
          } catch (error) {
            // A disk that is full stays so as long as this is there.
            await end(state)
            throw error
          }
        }
        return state
      }),
    finish: (upload, digest) =>
      alone(upload, async (state) => {
        try {
          const content = createReadStream(pathOf(upload), { highWaterMark: 1024 * 1024 })
          return await blobs.put(digest.slice('sha256:'.length), content, MAX_BLOB_BYTES)
        } catch (error) {
          if (!(error instanceof BlobMismatch)) throw error
          throw new RegistryError('DIGEST_INVALID', 'The bytes do not hash to the digest')
        } finally {
          await end(state)
        }
      }),
    cancel: (upload) => alone(upload, end),
  }
}
