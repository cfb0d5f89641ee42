/** One blob into a file: verified as it comes, taken up again where it broke off. */
import { createHash } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

import { sleep, type Clock } from '#kernel/clock.ts'

import { ImageRefused } from '../image-refused.ts'
import type { BlobFile } from '../source.ts'
import type { RegistryResponse } from './registry-http.ts'

/** In a row without a single byte in between. */
const MAX_FRUITLESS = 3
/** In all. */
const MAX_ATTEMPTS = 20
const WAIT_MS = 500

export async function downloadBlob(options: {
  readonly blob: { readonly digest: string; readonly sizeBytes: number }
  readonly path: string
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  /** The blob from byte `start` on; answers 200 or 206. */
  readonly open: (start: number) => Promise<RegistryResponse>
}): Promise<BlobFile> {
  const { blob, path, clock, signal } = options
  const remove = () => rm(path, { force: true })
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  try {
    await using file = await open(path, 'wx', 0o600)
    let hash = createHash('sha256')
    let received = 0
    let fruitless = 0
    for (let attempt = 0; received < blob.sizeBytes || attempt === 0; attempt++) {
      if (attempt === MAX_ATTEMPTS || fruitless === MAX_FRUITLESS) {
        throw new ImageRefused('unreachable', `A layer broke off ${attempt} times`)
      }
      if (attempt > 0) await sleep(clock, WAIT_MS * (fruitless + 1), signal)
      const before = received
      const response = await options.open(received)
      if (received > 0 && !continues(response, received)) {
        // From the start again, whatever was asked for.
        hash = createHash('sha256')
        received = 0
        await file.truncate(0)
      }
      try {
        for await (const chunk of response.body) {
          if (received + chunk.byteLength > blob.sizeBytes) {
            throw new ImageRefused('damaged', 'A layer is longer than its manifest says')
          }
          hash.update(chunk)
          for (let done = 0; done < chunk.byteLength;) {
            const { bytesWritten } = await file.write(chunk, done, undefined, received)
            done += bytesWritten
            received += bytesWritten
          }
        }
      } catch (error) {
        signal?.throwIfAborted()
        if (error instanceof ImageRefused || 'errno' in (error as object)) throw error
      }
      fruitless = received > before ? 0 : fruitless + 1
    }
    if (`sha256:${hash.digest('hex')}` !== blob.digest) {
      throw new ImageRefused('damaged', 'A layer does not hash to its digest')
    }
    return { path, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

const continues = ({ status, headers }: RegistryResponse, start: number) =>
  status === 206 && (headers.get('content-range') ?? '').startsWith(`bytes ${start}-`)
