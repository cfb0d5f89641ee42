/** Layers as they are transferred: gzip, zstd or plain, told by their first bytes, since media types are often wrong. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'

import { ImageRefused } from '../image-refused.ts'

const READ_BYTES = 256 * 1024

/** The tar file in the file at `path`. Errors of the compression come out as `ImageRefused`. */
export async function* openLayer(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const magic = await firstBytes(path)
  const source = createReadStream(path, { highWaterMark: READ_BYTES })
  const decoder = decoderFor(magic)
  // The callback takes the error; the loop below sees it as the decoder's own.
  const stream: Readable = decoder ? pipeline(source, decoder, () => {}) : source
  try {
    for await (const chunk of stream) {
      signal?.throwIfAborted()
      yield chunk as Uint8Array
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (!/^(Z_|ZSTD_|ERR_ZSTD|ERR_STREAM_PREMATURE)/.test(code)) throw error
    throw new ImageRefused('damaged', 'A layer can not be decompressed', error)
  } finally {
    source.destroy()
    stream.destroy()
  }
}

function decoderFor([a, b, c, d]: Uint8Array) {
  if (a === 0x1f && b === 0x8b) return createGunzip({ chunkSize: READ_BYTES })
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return createZstdDecompress()
  return undefined
}

async function firstBytes(path: string): Promise<Uint8Array> {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(new Uint8Array(4), 0, 4, 0)
  return buffer.subarray(0, bytesRead)
}
