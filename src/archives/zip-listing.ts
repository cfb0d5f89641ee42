/** Reads and checks the list of entries of a zip, without unpacking anything but the targets of symbolic links. */
import { setImmediate as nextTurn } from 'node:timers/promises'

import { fromRandomAccessReaderPromise, type Entry } from 'yauzl'

import type { ArchiveLimits } from '#archives/archive-limits.ts'
import { ArchiveRefused } from '#archives/archive-refused.ts'
import { createArchiveTree, type ArchiveTree, type EntryKind } from '#archives/archive-tree.ts'
import { cleanPath, decodeName } from '#archives/entry-path.ts'
import { readEntry, type StoredEntry } from '#archives/zip-content.ts'
import { SourceReader, type ZipSource } from '#archives/zip-source.ts'

export interface ListedEntry extends StoredEntry {
  /** As the archive says it, with the slash at the end of a directory. */
  readonly name: string
  readonly kind: EntryKind
  readonly executable: boolean
  /** Bytes from the local header to the end of the data, at least. */
  readonly spanBytes: number
  /** Of a symbolic link. */
  readonly target?: string
}

export interface Listing {
  /** Files and links. */
  readonly entries: readonly ListedEntry[]
  /** These and the directories that are named, in the archive's order. */
  readonly named: readonly ListedEntry[]
  readonly unzippedBytes: number
  readonly tree: ArchiveTree
}

const ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
const STORED = 0
const DEFLATED = 8
/** Deflate never expands more than 1,032 to 1; small entries get some slack. */
const MAX_RATIO = 1032
const RATIO_SLACK_BYTES = 4096
const MADE_BY_UNIX = 3
const MADE_BY_MACOS = 19
const FILE_TYPE = 0o170000
const TYPES: Readonly<Record<number, EntryKind>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'link',
}
/** Linux: longest target of a symbolic link, without the closing NUL. */
const MAX_TARGET_BYTES = 4095
/** Entries between two turns of the event loop. */
const ENTRIES_PER_TURN = 512

/** Throws `ArchiveRefused` for whatever is wrong with the archive as a whole or with one of its entries. */
export async function listZip(source: ZipSource, limits: ArchiveLimits): Promise<Listing> {
  const entries: ListedEntry[] = []
  const named: ListedEntry[] = []
  const tree = createArchiveTree(limits.maxEntries)
  let unzippedBytes = 0
  let seen = 0
  for await (const raw of readRawEntries(source, limits)) {
    if (++seen % ENTRIES_PER_TURN === 0) await nextTurn()
    const listed = toListed(raw, limits)
    named.push(listed)
    if (listed.path === '') continue
    tree.add(listed.path, listed.kind)
    if (listed.kind === 'directory') continue
    unzippedBytes += listed.sizeBytes
    if (unzippedBytes > limits.maxUnzippedBytes) {
      throw new ArchiveRefused('too-large', `Unzipped it has more than ${limits.maxUnzippedBytes} bytes`)
    }
    entries.push(listed)
  }
  checkSpans(entries, source)
  const withTargets = entries.map((entry) => (entry.kind === 'link' ? readTarget(source, entry) : entry))
  for (const { path, target } of withTargets) if (target !== undefined) tree.setTarget(path, target)
  tree.checkLinks()
  return { entries: withTargets, named, unzippedBytes, tree }
}

async function* readRawEntries(source: ZipSource, limits: ArchiveLimits): AsyncGenerator<Entry> {
  try {
    const zip = await fromRandomAccessReaderPromise(new SourceReader(source), source.sizeBytes, {
      // Names are decoded here: yauzl takes unmarked UTF-8 for code page 437.
      decodeStrings: false,
      // Checked below, after encryption, which makes stored entries longer than they claim.
      validateEntrySizes: false,
    })
    if (zip.entryCount > limits.maxEntries) {
      throw new ArchiveRefused('too-many-entries', `The archive holds more than ${limits.maxEntries} entries`)
    }
    // The types call it a boolean; it is the offset of the list of entries.
    if (source.sizeBytes - Number(zip.readEntryCursor) > limits.maxDirectoryBytes) {
      throw new ArchiveRefused('too-many-entries', 'The list of entries is too long')
    }
    yield* zip.eachEntry()
  } catch (error) {
    if (error instanceof ArchiveRefused) throw error
    // Whatever yauzl cannot make sense of. System errors (the file cannot be read) are no statement about the archive.
    if (error instanceof Error && 'syscall' in error) throw error
    throw new ArchiveRefused('not-a-zip', 'The file is not a readable zip', undefined, error)
  }
}

function toListed(raw: Entry, limits: ArchiveLimits): ListedEntry {
  const name = decodeName(raw.fileNameRaw, raw.generalPurposeBitFlag, raw.extraFields)
  const path = cleanPath(name, limits.maxPathBytes)
  const refuse = (reason: ArchiveRefused['reason'], message: string): never => {
    throw new ArchiveRefused(reason, message, name)
  }
  if ((raw.generalPurposeBitFlag & ENCRYPTED_FLAGS) !== 0) refuse('encrypted', 'An entry is encrypted')
  const method = raw.compressionMethod
  if (method !== STORED && method !== DEFLATED) {
    refuse('unsupported', `An entry uses compression method ${method}`)
  }
  const madeBy = raw.versionMadeBy >>> 8
  const mode = madeBy === MADE_BY_UNIX || madeBy === MADE_BY_MACOS ? raw.externalFileAttributes >>> 16 : 0
  const type = mode & FILE_TYPE
  const slashed = name.endsWith('/')
  const kind =
    type === 0 ? (slashed ? 'directory' : 'file') : (TYPES[type] ?? refuse('special-file', 'A device'))
  if (slashed && kind !== 'directory') refuse('conflicting-paths', 'A file is named like a directory')
  if (kind !== 'directory' && path === '') refuse('bad-path', 'An entry has no name')
  if (kind === 'link' && raw.uncompressedSize > MAX_TARGET_BYTES) refuse('bad-link', 'A target is too long')
  if (method === STORED && raw.compressedSize !== raw.uncompressedSize) {
    refuse('damaged', 'A stored entry has two sizes')
  }
  if (raw.uncompressedSize > raw.compressedSize * MAX_RATIO + RATIO_SLACK_BYTES) {
    refuse('bomb', 'An entry claims to expand more than deflate can')
  }
  return {
    name,
    path,
    kind,
    executable: kind === 'file' && (mode & 0o111) !== 0,
    sizeBytes: raw.uncompressedSize,
    compressedBytes: raw.compressedSize,
    deflated: method === DEFLATED,
    crc32: raw.crc32,
    headerOffset: raw.relativeOffsetOfLocalHeader,
    spanBytes: 30 + raw.fileNameRaw.byteLength + raw.compressedSize,
  }
}

/** Entries that share bytes make an archive tiny and its content huge, each one within its own limits. */
function checkSpans(entries: readonly ListedEntry[], source: ZipSource): void {
  let end = 0
  for (const entry of entries.toSorted((a, b) => a.headerOffset - b.headerOffset)) {
    if (entry.headerOffset < end) throw new ArchiveRefused('bomb', 'Entries overlap', entry.path)
    end = entry.headerOffset + entry.spanBytes
    if (end > source.sizeBytes) {
      throw new ArchiveRefused('damaged', 'An entry reaches beyond the end of the archive', entry.path)
    }
  }
}

function readTarget(source: ZipSource, entry: ListedEntry): ListedEntry {
  return { ...entry, target: readEntry(source, entry).toString('utf8') }
}
