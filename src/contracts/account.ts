/** Sums that are kept instead of counted: one document per account and region. */

export interface AccountCounters {
  readonly functionCount: number
  /** Code of every `$LATEST`, every published version and every layer version, each counted by itself. */
  readonly codeSizeBytes: number
  /** Sum of what functions take out of the unreserved concurrency: `takenConcurrency` of each. */
  readonly reservedConcurrency: number
}

export const NO_COUNTERS: AccountCounters = { functionCount: 0, codeSizeBytes: 0, reservedConcurrency: 0 }
