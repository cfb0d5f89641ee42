/** What polls one event source mapping. */
export interface SourcePoller {
  /** Reads nothing more and finishes what is in hand; resolves when nothing is. May be called more than once. */
  close(): Promise<void>
  /** Abandons what is in hand: the source gives it out again. */
  destroy(): void
}
