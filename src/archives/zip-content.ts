/** The bytes of one entry, inflated with the declared size as the limit and checked against its checksum. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib'

import { ArchiveRefused } from '#archives/archive-refused.ts'
import type { ZipSource } from '#archives/zip-source.ts'

export interface StoredEntry {
  readonly path: string
  readonly sizeBytes: number
  readonly compressedBytes: number
  readonly deflated: boolean
  readonly crc32: number
  /** Where its local header begins. */
  readonly headerOffset: number
}

const LOCAL_HEADER_BYTES = 30
const LOCAL_SIGNATURE = 0x04034b50
const CHUNK_BYTES = 256 * 1024

/** Offset of the entry's data. The local header repeats the name, whose length there may differ. */
function dataOffset(source: ZipSource, entry: StoredEntry): number {
  const header = source.read(entry.headerOffset, LOCAL_HEADER_BYTES)
  if (header.byteLength < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_SIGNATURE) {
    throw new ArchiveRefused('damaged', 'An entry has no local header', entry.path)
  }
  const offset = entry.headerOffset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (offset + entry.compressedBytes > source.sizeBytes) {
    throw new ArchiveRefused('damaged', 'An entry reaches beyond the end of the archive', entry.path)
  }
  return offset
}

const lied = (entry: StoredEntry, cause?: unknown) =>
  new ArchiveRefused('damaged', 'An entry is not as large as it says', entry.path, cause)
const broken = (entry: StoredEntry, cause?: unknown) =>
  new ArchiveRefused('damaged', 'An entry cannot be unpacked', entry.path, cause)

/** The whole entry at once, for small ones: it blocks while it inflates. Throws `ArchiveRefused`. */
export function readEntry(source: ZipSource, entry: StoredEntry): Buffer {
  const data = source.read(dataOffset(source, entry), entry.compressedBytes)
  if (data.byteLength !== entry.compressedBytes) throw broken(entry)
  const bytes = entry.deflated ? inflateAll(data, entry) : data
  if (bytes.byteLength !== entry.sizeBytes) throw lied(entry)
  if (crc32(bytes) !== entry.crc32) throw broken(entry)
  return bytes
}

function inflateAll(data: Buffer, entry: StoredEntry): Buffer {
  try {
    return inflateRawSync(data, { maxOutputLength: Math.max(1, entry.sizeBytes) })
  } catch (error) {
    const tooLarge = error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw tooLarge ? lied(entry, error) : broken(entry, error)
  }
}

/** Hands the entry piece by piece to `write`, for large ones. Throws `ArchiveRefused` or what `write` throws. */
export async function streamEntry(
  source: ZipSource,
  entry: StoredEntry,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const start = dataOffset(source, entry)
  let sizeBytes = 0
  let checksum = 0
  let writeFailed = false
  const consume = async (chunks: AsyncIterable<Uint8Array>) => {
    for await (const chunk of chunks) {
      sizeBytes += chunk.byteLength
      if (sizeBytes > entry.sizeBytes) throw lied(entry)
      checksum = crc32(chunk, checksum)
      try {
        await write(chunk)
      } catch (error) {
        writeFailed = true
        throw error
      }
    }
  }
  const pieces = Readable.from(readPieces(source, start, entry.compressedBytes), { objectMode: false })
  try {
    await (entry.deflated
      ? pipeline(pieces, createInflateRaw({ chunkSize: CHUNK_BYTES }), consume)
      : pipeline(pieces, consume))
  } catch (error) {
    throw writeFailed || error instanceof ArchiveRefused ? error : broken(entry, error)
  }
  if (sizeBytes !== entry.sizeBytes) throw lied(entry)
  if (checksum !== entry.crc32) throw broken(entry)
}

function* readPieces(source: ZipSource, start: number, length: number): Generator<Buffer> {
  for (let done = 0; done < length; done += CHUNK_BYTES) {
    yield source.read(start + done, Math.min(CHUNK_BYTES, length - done))
  }
}
