/** What a sweep does with a blob that no document names: a pure decision. */

/** Kept of a blob from the sweep that first found it unused. */
export interface UnusedBlob {
  /** Wall-clock milliseconds. */
  readonly since: number
}

export type SweepDecision = 'delete' | 'mark' | 'wait'

/**
 * A blob goes when two sweeps at least `graceMs` apart have found it unused and nobody has put it in between or since:
 * whoever read the last document that named it, and is about to write another one, has had that long to do so.
 */
export function decideSweep(
  blob: { readonly putAt: number; readonly mark: UnusedBlob | undefined },
  now: number,
  graceMs: number,
): SweepDecision {
  // A mark from before the last put, or from a clock that was ahead, says nothing.
  if (!blob.mark || blob.mark.since < blob.putAt || blob.mark.since > now) return 'mark'
  return now - blob.mark.since >= graceMs ? 'delete' : 'wait'
}
