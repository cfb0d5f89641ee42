/** Reads tar files that nobody trusts as they stream by: ustar, pax and GNU's long names. */
import { ArchiveRefused } from '#archives/archive-refused.ts'
import { createByteReader, cutOff } from '#archives/byte-reader.ts'
import {
  BLOCK_BYTES,
  decodeText,
  parseHeader,
  parsePax,
  textField,
  type TarHeader,
} from '#archives/tar-header.ts'

export interface TarEntry {
  /** `special`: a device or a pipe. */
  readonly kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'special'
  /** As the archive has it: it may be absolute, lead upwards, or be empty. */
  readonly name: string
  /** Of links. */
  readonly target: string
  readonly mode: number
  /** Seconds since the epoch. */
  readonly modifiedAt: number
  readonly sizeBytes: number
  /** The content in one piece; valid until the next entry. Only one of both may be called, once. */
  whole(): Promise<Uint8Array>
  pieces(): AsyncIterable<Uint8Array>
}

/** A name or a set of extended records; Linux takes paths up to 4 KiB, and records may hold other attributes. */
const MAX_EXTENSION_BYTES = 1024 * 1024

const KINDS: Readonly<Record<string, TarEntry['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'special',
  '4': 'special',
  '5': 'directory',
  '6': 'special',
}

interface Extensions {
  readonly name?: string
  readonly target?: string
  readonly sizeBytes?: number
  readonly modifiedAt?: number
}

/**
 * The entries in order; each must be done with before the next is asked for. Reads on to the end of the stream after the
 * last one. Throws `ArchiveRefused` for what is no tar file or of a kind that is not read.
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const reader = createByteReader(chunks)
  const shared: Extensions = {}
  let own: Extensions = {}

  const extension = async ({ sizeBytes }: TarHeader) => {
    if (sizeBytes > MAX_EXTENSION_BYTES) {
      throw new ArchiveRefused('too-large', `An extended header has more than ${MAX_EXTENSION_BYTES} bytes`)
    }
    const bytes = await reader.take(padded(sizeBytes))
    if (!bytes) throw cutOff()
    return bytes.subarray(0, sizeBytes)
  }

  for (;;) {
    const block = await reader.take(BLOCK_BYTES)
    const header = block && parseHeader(block)
    if (!header) break
    if (header.type === 'L') Object.assign(own, { name: textField(await extension(header)) })
    else if (header.type === 'K') Object.assign(own, { target: textField(await extension(header)) })
    else if (header.type === 'x') Object.assign(own, fromPax(await extension(header)))
    else if (header.type === 'g') Object.assign(shared, fromPax(await extension(header)))
    else {
      const { entry, finish } = entryOf(header, { ...shared, ...own }, reader)
      yield entry
      await finish()
      own = {}
    }
  }
  await reader.drain()
}

const padded = (sizeBytes: number) => Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES

function entryOf(header: TarHeader, extensions: Extensions, reader: ReturnType<typeof createByteReader>) {
  const name = extensions.name ?? header.name
  const kind = KINDS[header.type]
  if (!kind) throw new ArchiveRefused('unsupported', `Entries of type "${header.type}" are not read`, name)
  // Old archives mark a directory by its name alone. Only files have content; links sometimes still say a size.
  const isFile = kind === 'file' && !name.endsWith('/')
  const sizeBytes = kind === 'file' || kind === 'special' ? (extensions.sizeBytes ?? header.sizeBytes) : 0
  let isRead = false
  const once = () => {
    if (isRead) throw new Error('The content of an entry is read once')
    isRead = true
  }
  const entry: TarEntry = {
    kind: kind === 'file' && !isFile ? 'directory' : kind,
    name,
    target: extensions.target ?? header.linkName,
    mode: header.mode,
    modifiedAt: extensions.modifiedAt ?? header.modifiedAt,
    sizeBytes: isFile ? sizeBytes : 0,
    async whole() {
      once()
      const bytes = await reader.take(padded(sizeBytes))
      if (!bytes) throw cutOff()
      return bytes.subarray(0, sizeBytes)
    },
    async *pieces() {
      once()
      yield* reader.pieces(sizeBytes)
      await reader.skip(padded(sizeBytes) - sizeBytes)
    },
  }
  return { entry, finish: () => (isRead ? undefined : reader.skip(padded(sizeBytes))) }
}

function fromPax(bytes: Uint8Array): Extensions {
  const records = parsePax(bytes)
  const text = (key: string) => {
    const value = records.get(key)
    return value === undefined || value.byteLength === 0 ? undefined : decodeText(value)
  }
  if (text('GNU.sparse.major') !== undefined || text('GNU.sparse.map') !== undefined) {
    throw new ArchiveRefused('unsupported', 'Sparse files are not read', text('path'))
  }
  const name = text('path')
  const target = text('linkpath')
  const size = text('size')
  const modified = text('mtime')
  if (size !== undefined && !(/^\d+$/.test(size) && Number.isSafeInteger(Number(size)))) {
    throw new ArchiveRefused('damaged', 'A size in an extended header is none', name)
  }
  return {
    ...(name !== undefined && { name }),
    ...(target !== undefined && { target }),
    ...(size !== undefined && { sizeBytes: Number(size) }),
    ...(modified !== undefined && Number.isFinite(Number(modified)) && { modifiedAt: Number(modified) }),
  }
}
