import { setImmediate as nextTurn } from 'node:timers/promises'

import { DEFAULT_ARCHIVE_LIMITS, type ArchiveLimits } from '#archives/archive-limits.ts'
import { streamEntry, readEntry } from '#archives/zip-content.ts'
import { listZip } from '#archives/zip-listing.ts'
import { openZipSource, type ZipInput } from '#archives/zip-source.ts'

/** Entries up to this size are inflated in one piece; larger ones would block for too long. */
const SMALL_BYTES = 128 * 1024
const BYTES_PER_TURN = 512 * 1024

/**
 * Everything `extractZip` checks, without writing anything: whatever passes here can be unpacked later.
 * Throws `ArchiveRefused`, and system errors when a file cannot be read.
 */
export async function verifyZip(
  input: ZipInput,
  limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS,
): Promise<{
  readonly unzippedBytes: number
  readonly fileCount: number
  /** Whether there is a file or link at this path. */
  readonly has: (path: string) => boolean
}> {
  const source = openZipSource(input)
  try {
    const { entries, unzippedBytes } = await listZip(source, limits)
    let pending = 0
    for (const entry of entries) {
      if (entry.sizeBytes <= SMALL_BYTES && entry.compressedBytes <= SMALL_BYTES) readEntry(source, entry)
      else await streamEntry(source, entry, async () => {})
      // An entry costs something even when it is empty.
      pending += entry.sizeBytes + 4096
      if (pending < BYTES_PER_TURN) continue
      pending = 0
      await nextTurn()
    }
    const has = (wanted: string) => entries.some(({ path }) => path === wanted)
    return { unzippedBytes, fileCount: entries.length, has }
  } finally {
    source.close()
  }
}
