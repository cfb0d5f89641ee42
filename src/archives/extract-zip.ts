import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { DEFAULT_ARCHIVE_LIMITS, type ArchiveLimits } from '#archives/archive-limits.ts'
import { createComplete } from '#archives/fresh-directory.ts'
import { readEntry, streamEntry } from '#archives/zip-content.ts'
import { listZip, type ListedEntry, type Listing } from '#archives/zip-listing.ts'
import { openZipSource, type ZipInput, type ZipSource } from '#archives/zip-source.ts'

/**
 * Code runs as another user than the one that unpacks it, and AWS asks for exactly these modes, so they are set whatever
 * the archive says: readable by all, writable by the owner, executable where the archive has any execute bit.
 */
const DIRECTORY_MODE = 0o755
const PLAIN_MODE = 0o644
const EXECUTABLE_MODE = 0o755

/** Never follows a link and never opens what is there already. */
const CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW

/**
 * Up to this size an entry is inflated and written in one go: four synchronous calls cost a tenth of what the same
 * calls cost through the thread pool, and ten thousand small files are the common case.
 */
const SMALL_BYTES = 128 * 1024
/** Work between two turns of the event loop, about a millisecond of it. */
const BYTES_PER_TURN = 256 * 1024
const FILES_PER_TURN = 16
/** Large entries that inflate at the same time; the thread pool has four threads. */
const LARGE_AT_ONCE = 2

/**
 * Unpacks an archive into `directory`, which must not exist (or be empty) and appears complete or not at all.
 * Sizes are counted while inflating, links are made last, so nothing is ever written through one.
 * Throws `ArchiveRefused`, or a system error; then nothing is left behind.
 */
export async function extractZip(
  input: ZipInput,
  directory: string,
  limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS,
): Promise<{ readonly unzippedBytes: number }> {
  const source = openZipSource(input)
  try {
    const listing = await listZip(source, limits)
    await createComplete(directory, (temporary) => fill(source, listing, temporary))
    return { unzippedBytes: listing.unzippedBytes }
  } finally {
    source.close()
  }
}

async function fill(source: ZipSource, listing: Listing, root: string): Promise<void> {
  const turns = createTurns()
  chmodSync(root, DIRECTORY_MODE)
  // The process's umask takes bits away; only then is a second call per file needed.
  const masked = (process.umask() & EXECUTABLE_MODE) !== 0
  for (const path of listing.tree.directories()) {
    const full = join(root, path)
    mkdirSync(full, { mode: DIRECTORY_MODE })
    if (masked) chmodSync(full, DIRECTORY_MODE)
    await turns.after(0)
  }
  const files = listing.entries.filter((entry) => entry.kind === 'file')
  for (const entry of files) {
    if (entry.sizeBytes > SMALL_BYTES || entry.compressedBytes > SMALL_BYTES) continue
    writeSmall(source, entry, join(root, entry.path), masked)
    await turns.after(entry.sizeBytes)
  }
  const large = files.filter((entry) => entry.sizeBytes > SMALL_BYTES || entry.compressedBytes > SMALL_BYTES)
  await inParallel(large, LARGE_AT_ONCE, (entry) => writeLarge(source, entry, join(root, entry.path), masked))
  for (const entry of listing.entries) {
    if (entry.target === undefined) continue
    symlinkSync(entry.target, join(root, entry.path))
    await turns.after(0)
  }
}

const modeOf = (entry: ListedEntry) => (entry.executable ? EXECUTABLE_MODE : PLAIN_MODE)

function writeSmall(source: ZipSource, entry: ListedEntry, path: string, masked: boolean): void {
  const bytes = readEntry(source, entry)
  const fd = openSync(path, CREATE, modeOf(entry))
  try {
    if (masked) fchmodSync(fd, modeOf(entry))
    for (let done = 0; done < bytes.byteLength;) done += writeSync(fd, bytes, done)
  } finally {
    closeSync(fd)
  }
}

async function writeLarge(
  source: ZipSource,
  entry: ListedEntry,
  path: string,
  masked: boolean,
): Promise<void> {
  await using file = await open(path, CREATE, modeOf(entry))
  if (masked) await file.chmod(modeOf(entry))
  await streamEntry(source, entry, async (chunk) => {
    for (let done = 0; done < chunk.byteLength;) {
      done += (await file.write(chunk, done)).bytesWritten
    }
  })
}

/** Lets the event loop turn often enough that unpacking delays nobody. */
function createTurns() {
  let bytes = 0
  let files = 0
  return {
    async after(sizeBytes: number): Promise<void> {
      bytes += sizeBytes
      files++
      if (bytes < BYTES_PER_TURN && files < FILES_PER_TURN) return
      bytes = 0
      files = 0
      await nextTurn()
    },
  }
}

/** Runs `task` for each item, at most `width` at once. The first failure stops the rest; all have ended when it rejects. */
async function inParallel<T>(
  items: readonly T[],
  width: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  let failed = false
  const lane = async () => {
    for (const item of queue) {
      if (failed) return
      try {
        await task(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: width }, lane))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
