import { MAX_UNZIPPED_BYTES } from '#contracts/limits.ts'
import { MIB } from '#kernel/units.ts'

/** What an archive may hold. Every number is the largest one that is still accepted. */
export interface ArchiveLimits {
  /**
   * Files, links and directories together, with the directories that paths only imply: each costs an inode.
   * AWS documents no limit. 65,535 is what a zip without the zip64 extension can list; twice that leaves room for
   * the implied directories of such an archive.
   */
  readonly maxEntries: number
  /** Sum of the declared sizes, and of the bytes that really come out. */
  readonly maxUnzippedBytes: number
  /** Largest part of the archive that is held in memory as its list of entries. */
  readonly maxDirectoryBytes: number
  /** Bytes of one path in UTF-8. Leaves room below Linux's 4,096 for the directory it is extracted into. */
  readonly maxPathBytes: number
}

export const DEFAULT_ARCHIVE_LIMITS: ArchiveLimits = {
  maxEntries: 131_072,
  // AWS's text says "must be smaller than", so the limit itself is refused.
  maxUnzippedBytes: MAX_UNZIPPED_BYTES - 1,
  maxDirectoryBytes: 32 * MIB,
  maxPathBytes: 3072,
}
