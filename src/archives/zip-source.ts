/** Random access to an archive's bytes, in memory or in a file. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

import { RandomAccessReader } from 'yauzl'

/** Bytes of an archive, or the path of a local file that holds it. */
export type ZipInput = Uint8Array | string

/**
 * Reads are synchronous: an archive is a local file (the blob store's) and its pages are read in small pieces, where a
 * trip through the thread pool costs more than the read itself.
 */
export interface ZipSource {
  readonly sizeBytes: number
  /** Up to `length` bytes from `position`; fewer at the end. Owned by the source: copy what must outlive the next call. */
  read(position: number, length: number): Buffer
  close(): void
}

export function openZipSource(input: ZipInput): ZipSource {
  return typeof input === 'string' ? openFile(input) : wrapBytes(input)
}

function wrapBytes(bytes: Uint8Array): ZipSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    sizeBytes: buffer.byteLength,
    read: (position, length) => buffer.subarray(position, position + length),
    close() {},
  }
}

function openFile(path: string): ZipSource {
  const fd = openSync(path, 'r')
  try {
    const sizeBytes = fstatSync(fd).size
    return {
      sizeBytes,
      read(position, length) {
        const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, sizeBytes - position)))
        let filled = 0
        while (filled < buffer.byteLength) {
          const count = readSync(fd, buffer, filled, buffer.byteLength - filled, position + filled)
          if (count === 0) break
          filled += count
        }
        return buffer.subarray(0, filled)
      },
      close: () => closeSync(fd),
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Window read ahead of the list of entries, which is read in pieces of 46 bytes. */
const WINDOW_BYTES = 256 * 1024

/** The archive as yauzl wants to read it. Closing it leaves the source open. */
export class SourceReader extends RandomAccessReader {
  readonly #source: ZipSource
  #window: Buffer = Buffer.alloc(0)
  #start = 0

  constructor(source: ZipSource) {
    super()
    this.#source = source
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (position < this.#start || position + length > this.#start + this.#window.byteLength) {
      try {
        this.#window = this.#source.read(position, Math.max(length, WINDOW_BYTES))
      } catch (error) {
        callback(error instanceof Error ? error : new Error(String(error)))
        return
      }
      this.#start = position
    }
    const from = position - this.#start
    callback(null, this.#window.copy(buffer, offset, from, from + length))
  }

  override close(callback: (error: Error | null) => void): void {
    callback(null)
  }
}
