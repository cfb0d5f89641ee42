import { DEFAULT_ARCHIVE_LIMITS, type ArchiveLimits } from '#archives/archive-limits.ts'
import type { EntryKind } from '#archives/archive-tree.ts'
import { listZip } from '#archives/zip-listing.ts'
import { openZipSource, type ZipInput } from '#archives/zip-source.ts'

export interface ArchiveEntry {
  /** Relative, with slashes, without `.` or `..`. */
  readonly path: string
  readonly kind: Exclude<EntryKind, 'directory'>
  readonly sizeBytes: number
  readonly executable: boolean
}

export interface ArchiveSummary {
  /** Files and links; directories are not listed. */
  readonly entries: readonly ArchiveEntry[]
  /** Declared sizes added up. `extractZip` makes sure that they are true. */
  readonly unzippedBytes: number
}

/**
 * Reads the list of entries and checks everything that can be known without unpacking. Throws `ArchiveRefused` with the
 * reason, and system errors when a file cannot be read.
 */
export async function inspectZip(
  input: ZipInput,
  limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS,
): Promise<ArchiveSummary> {
  const source = openZipSource(input)
  try {
    const { entries, unzippedBytes } = await listZip(source, limits)
    return {
      unzippedBytes,
      entries: entries.map(({ path, kind, sizeBytes, executable }) => ({
        path,
        kind: kind === 'link' ? 'link' : 'file',
        sizeBytes,
        executable,
      })),
    }
  } finally {
    source.close()
  }
}
