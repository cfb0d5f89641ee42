import type { FunctionVersion } from '#contracts/function.ts'
import { newTraceRoot, type TraceHeader } from '#contracts/trace-header.ts'
import { lineageMarker, nextLineage } from '#data-plane/frontend/lineage.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

/** Computed once for every version object that is invoked. */
const markers = new WeakMap<FunctionVersion, string>()

function markerOf(version: FunctionVersion): string {
  const known = markers.get(version)
  if (known !== undefined) return known
  const marker = lineageMarker(version)
  markers.set(version, marker)
  return marker
}

/**
 * The trace of one invocation: the caller's, or a new one, with a segment of its own. Whether it is sampled the caller
 * decides; else every request of a function with active tracing is (Lambda samples a share of them) and no other.
 */
export function continueTrace(
  given: TraceHeader | undefined,
  version: FunctionVersion,
  { clock, random }: { readonly clock: Pick<Clock, 'now'>; readonly random: Pick<Random, 'hex'> },
): Required<TraceHeader> {
  const digits = random.hex(given ? 16 : 40)
  return {
    root: given?.root ?? newTraceRoot(clock.now(), digits.slice(16)),
    parent: digits.slice(0, 16),
    sampled: given?.sampled ?? version.tracingMode === 'Active',
    lineage: nextLineage(given?.lineage, markerOf(version)),
  }
}
