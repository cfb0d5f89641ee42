/** Reads blobs in part, and puts them into files, wherever the store keeps them. */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import type { Blobs } from '#store/port.ts'

import type { BlobFile } from '../source.ts'

const READ_BYTES = 256 * 1024

/** Bytes `start` to `end`, inclusive. Rejects with `BlobMissing`. */
export async function readPart(
  blobs: Blobs,
  sha256: string,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<Readable> {
  const path = await blobs.path(sha256)
  if (path !== undefined) return createReadStream(path, { start, end, highWaterMark: READ_BYTES })
  const whole = await blobs.get(sha256)
  return Readable.from(part(whole, start, end))
}

async function* part(whole: Readable, start: number, end: number): AsyncGenerator<Uint8Array> {
  let at = 0
  for await (const chunk of whole as AsyncIterable<Uint8Array>) {
    const from = Math.max(0, start - at)
    if (from < chunk.byteLength) yield chunk.subarray(from, end + 1 - at)
    at += chunk.byteLength
    if (at > end) return
  }
}

/** The blob in a file: its own, or a copy at `copy` that is gone when the answer is disposed of. */
export async function asFile(blobs: Blobs, sha256: string, copy: string): Promise<BlobFile> {
  const path = await blobs.path(sha256)
  if (path !== undefined) return { path, [Symbol.asyncDispose]: async () => {} }
  const remove = () => rm(copy, { force: true })
  await mkdir(dirname(copy), { recursive: true, mode: 0o700 })
  try {
    await pipeline(await blobs.get(sha256), createWriteStream(copy, { flags: 'wx', mode: 0o600 }))
  } catch (error) {
    await remove()
    throw error
  }
  return { path: copy, [Symbol.asyncDispose]: remove }
}

/** A small blob as a whole, such as a manifest. */
export async function readWhole(blobs: Blobs, sha256: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of await blobs.get(sha256)) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}
